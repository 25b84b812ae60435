"""What a link is spared and whether it has become wider, between two real senders and receivers."""

from __future__ import annotations

import asyncio
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from aiortc.rtp import HeaderExtensionsMap, RtpPacket

from realtime.sources.pattern import PatternSource
from realtime.web import link as module
from realtime.web.broadcast import KEY_PAUSE_S, Broadcast
from realtime.web.connection import open_connection, send
from realtime.web.link import PACKET_BITS, Link
from tests.web.serving import in_loop, until
from tests.web.test_connection import negotiate


def told(count: int) -> tuple[Link, list[Any]]:
    """Return a link that remembers packets 0 to `count` - 1, and what is done for it."""
    done: list[Any] = []

    async def send_again(number: int) -> None:
        assert [number] == [each.sequence_number for each in history().values()]
        done.append(number)

    def history() -> dict[int, RtpPacket]:
        return sender._RTCRtpSender__rtp_history  # type: ignore[no-any-return]

    sender = SimpleNamespace(
        _retransmit=send_again, _RTCRtpSender__rtp_header_extensions_map=HeaderExtensionsMap()
    )
    viewer = SimpleNamespace(rate=40 * PACKET_BITS, ask_key=lambda: done.append("key"))
    link = Link(sender, viewer)  # type: ignore[arg-type]
    packets = (RtpPacket(sequence_number=number).serialize() for number in range(count))
    link._sent = dict(enumerate(enumerate(packets)))
    return link, done


@in_loop
async def test_what_is_lost_on_a_full_link_is_not_all_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moment = iter([100.0] * 12 + [100.5] * 8)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(moment)))
    link, done = told(20)
    for number in range(20):
        await link.resend(number)
    quarter = [*range(10), "key", "key", *range(12, 17), "key", "key", "key"]
    assert done == quarter, "of 40 packets a second; a picture that stays lost needs a keyframe"


@in_loop
async def test_nothing_before_a_keyframe_is_sent_again(loopback: None) -> None:
    ours, theirs, line = open_connection(), open_connection(), Broadcast()
    sender = ours.addTransceiver("video", direction="sendonly").sender
    viewer, source = line.viewer("H264"), PatternSource((320, 180), 1000)
    send(sender, viewer)
    link = sender._RTCRtpSender__encoder
    await negotiate(ours, theirs)
    assert await until(lambda: joined(line), 1)

    async def sent(key: bool) -> list[int]:
        """Send a picture, and return the numbers of the packets that are remembered."""
        before = sender._RTCRtpSender__packet_count

        async def more() -> bool:
            return bool(sender._RTCRtpSender__packet_count > before)

        await asyncio.sleep(KEY_PAUSE_S)
        if key:
            viewer.ask_key()
        await asyncio.to_thread(line.write, source.read())
        assert await until(more, True)
        return sorted(number for number, _ in link._sent.values())

    first = await sent(key=False)
    more = await sent(key=False)
    assert first == more[: len(first)] and len(more) > len(first)
    again = await sent(key=True)
    assert again[0] == (more[-1] + 1) % 2**16
    await asyncio.gather(ours.close(), theirs.close())


@in_loop
async def test_a_wide_link_carries_more_and_a_late_or_broken_one_does_not(
    loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs, line = open_connection(), open_connection(), Broadcast()
    sender = ours.addTransceiver("video", direction="sendonly").sender
    viewer, source = line.viewer("VP8"), PatternSource((320, 180), 1000)
    send(sender, viewer)
    link = sender._RTCRtpSender__encoder
    await negotiate(ours, theirs)
    assert await until(lambda: joined(line), 1)
    await asyncio.to_thread(line.write, source.read())

    async def tries(more: float) -> tuple[bool, float]:
        """Return what is found, and the bits a second that were sent to find it."""
        before = sender.transport._get_stats()
        carried = await viewer.carries(more)
        after = sender.transport._get_stats()
        sent = [each[sender.transport._stats_id].bytesSent for each in (before, after)]
        return carried, (sent[1] - sent[0]) * 8 / module.TRY_S

    monkeypatch.setattr(module, "LATER_S", 5.0)  # a busy machine is late, too
    assert await tries(0) == (True, 0)
    carried, rate = await tries(500_000)
    assert carried and rate > 400_000
    late = partial(asyncio.sleep, 1000)
    monkeypatch.setattr(module, "LATER_S", 0.01)
    monkeypatch.setattr(
        sender.transport.transport._connection._nominated[1].protocol,
        "request",
        lambda *args, **named: late(),
    )
    usual_s = link._usual_s
    assert await tries(500_000) == (False, 0), "a link that is late already is not filled"
    assert link._usual_s > usual_s, "one that stays late is tried again"
    await asyncio.gather(ours.close(), theirs.close())
    assert not await viewer.carries(500_000)


async def joined(line: Broadcast) -> int:
    return line.viewers
