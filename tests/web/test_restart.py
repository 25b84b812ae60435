"""ICE begun anew: what is sent arrives before and after, and a lost peer is still noticed."""

from __future__ import annotations

import asyncio

import pytest
from aiortc import RTCIceGatherer, RTCIceTransport
from aiortc.sdp import candidate_from_sdp

from realtime.web import consent, restart
from realtime.web.restart import Restart
from tests.web.serving import in_loop, until

consent.install()


async def connected() -> list[RTCIceTransport]:
    """Return two transports that are each other's peer."""
    gatherers = [RTCIceGatherer([]) for _ in range(2)]
    transports = [RTCIceTransport(gatherer) for gatherer in gatherers]
    transports[0]._connection.ice_controlling = True
    for gatherer in gatherers:
        await gatherer.gather()
    for mine, theirs in zip(transports, reversed(gatherers), strict=True):
        for candidate in [*theirs.getLocalCandidates(), None]:
            await mine.addRemoteCandidate(candidate)
    starts = zip(transports, reversed(gatherers), strict=True)
    await asyncio.gather(*(mine.start(theirs.getLocalParameters()) for mine, theirs in starts))
    return transports


async def begin_anew(transports: list[RTCIceTransport]) -> None:
    both = [Restart(transport, [], "", "") for transport in transports]
    for mine, theirs in zip(both, reversed(both), strict=True):
        mine._ice.remote_username = theirs._ice.local_username
        mine._ice.remote_password = theirs._ice.local_password
    lines = [await one.open() for one in both]
    for mine, theirs in zip(both, reversed(lines), strict=True):
        found = [line.partition(":")[2] for line in theirs if line.startswith("a=candidate:")]
        await mine.add([candidate_from_sdp(line) for line in found], is_last=True)
    await asyncio.gather(*(one._checks for one in both if one._checks))


@in_loop
async def test_what_is_sent_arrives_before_and_after(
    loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent, "INTERVAL_S", 0.05)
    one, two = transports = await connected()
    ways = []
    for word in (b"before", b"after", b"after again"):
        reading = asyncio.create_task(two._recv())
        await asyncio.sleep(0.01)  # reads, as aiortc does all the time
        if word != b"before":
            await begin_anew(transports)
        ways.append(one._connection._nominated[1].remote_addr)
        await one._send(word)
        assert await reading == word
    assert len(set(ways)) == 3 and [each.state for each in transports] == 2 * ["completed"]
    for protocol in two._connection._protocols:
        protocol.transport.close()  # lost, without a goodbye

    async def state() -> str:
        return one.state

    assert await until(state, "failed")
    for transport in transports:
        await transport.stop()


@in_loop
async def test_what_finds_no_new_way_goes_on_the_old_one(
    loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restart, "CHECKS_S", 0.2)
    one, two = await connected()
    lost = Restart(two, [], "nobody", "x" * 22)
    await lost.open()
    await lost.add([candidate_from_sdp("1 1 UDP 1 127.0.0.1 9 typ host")], is_last=False)
    assert lost._checks
    await lost._checks
    await lost.close()
    await one._send(b"still here")
    assert await two._recv() == b"still here"
    for transport in (one, two):
        await transport.stop()
