"""What a signalling server is sent by who means it no good: each with its answer, and then nothing
is left: no session, no task, no file descriptor.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from aiortc.rtp import RTCP_PSFB_APP, RTCP_PSFB_PLI, RtcpPsfbPacket, pack_remb_fci

from realtime.config import Config
from realtime.web import fragment, keys, peer
from tests.web.guest import OFFER, Camera, browser, lend_camera, post_sdp, watch
from tests.web.memory import used_mb
from tests.web.serving import BLUE, GREEN, error_of, in_loop, served, taken, until

MEDIA = OFFER[OFFER.index("m=video") :]
SOUND = MEDIA.replace("video", "audio").replace("VP8/90000", "opus/48000/2")

GROWTH_MB = 3
"""Of forty sessions: 0.3 MB that each line leaves behind would be twice as much."""


@asynccontextmanager
async def unharmed(config: Config, **web: object) -> AsyncIterator[TestClient[Any, Any]]:
    """Serve a line; afterwards somebody watches it as if nothing had been, and nothing is left."""
    async with served(config, camera=True, **web) as client:
        await see(client)  # whatever is made once has been made
        before = held()
        yield client
        assert await until(lambda: taken(client), 0)
        await see(client)
        assert await until(lambda: more_than(before), set())


async def see(client: TestClient[Any, Any]) -> None:
    async with browser() as guest:
        session = (await watch(client, guest)).headers["Location"]
        await guest.sees(GREEN, BLUE)
        await client.delete(session)


async def lend(client: TestClient[Any, Any]) -> None:
    async with browser(Camera()) as guest:
        session = await lend_camera(client, guest)
        await guest.sees(GREEN, BLUE)
        await client.delete(f"/api/v1/sessions/{session}")


def held() -> dict[str, int]:
    gc.collect()
    return {"tasks": len(asyncio.all_tasks()), "files": len(os.listdir("/proc/self/fd"))}


async def more_than(before: dict[str, int]) -> set[str]:
    return {name for name, count in held().items() if count > before[name]}


OFFERS: dict[str, tuple[str, int]] = {
    "no media": (OFFER.replace(MEDIA, ""), 400),
    "a thousand media": (OFFER + SOUND * 1000, 413),
    "fifty media": (OFFER + SOUND * 50, 400),
    "no fingerprint": (OFFER.replace("a=fingerprint", "a=x"), 400),
    "a fingerprint of another": (OFFER, 201),
    "5000 candidates": (OFFER + "a=candidate:1 1 UDP 1 10.0.0.1 9 typ host\r\n" * 5000, 413),
    "900 candidates": (OFFER + "a=candidate:1 1 UDP 1 10.0.0.1 9 typ host\r\n" * 900, 400),
    "a user of 300 letters": (OFFER.replace("abcd\r", "a" * 300 + "\r"), 400),
    "a password of 4": (OFFER.replace("abcdefghijklmnopqrstuvwx", "abcd"), 400),
    "a codec of nobody": (OFFER.replace("VP8", "AV9"), 422),
    "nothing but zeros": ("\0" * 1000, 400),
    "metadata": (OFFER + "a=candidate:1 1 UDP 1 169.254.169.254 80 typ host\r\n", 201),
}


@in_loop
async def test_offers_that_lead_nowhere(
    config: Config, loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "HANDSHAKE_S", 1.0)
    async with unharmed(config) as client:
        for name, (sdp, status) in OFFERS.items():
            answer = await post_sdp(client, sdp)
            assert answer.status == status, name


@in_loop
async def test_a_thousand_offers_and_nobody_comes(
    config: Config, loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "HANDSHAKE_S", 1.5)
    async with unharmed(config, max_peers=4) as client:
        found = [(await post_sdp(client, OFFER)).status for _ in range(1000)]
        assert set(found) == {201, 503} and found.count(503) > 900
        assert client.server.app[keys.STUDIO].watch.viewers == 0, "nothing is encoded for them"


@in_loop
async def test_a_storm_of_requests_from_a_viewer(config: Config, loopback: None) -> None:
    async with unharmed(config) as client, browser() as guest:
        session = (await watch(client, guest)).headers["Location"]
        await guest.sees(GREEN, BLUE)
        found = client.server.app[keys.PEERS].get(session.rpartition("/")[2])
        (sender,) = found._connection.getSenders()
        pli = RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=sender._ssrc)
        for rate in (0, 1, 2**40, 2**60) * 250:
            remb = pack_remb_fci(rate, [sender._ssrc])
            await sender._handle_rtcp_packet(pli)
            await sender._handle_rtcp_packet(
                RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=remb)
            )
        await guest.sees(GREEN, BLUE)
        await client.delete(session)


@in_loop
async def test_the_session_of_somebody_else(config: Config, loopback: None) -> None:
    async with unharmed(config) as client, browser() as guest:
        session = (await watch(client, guest)).headers["Location"]
        for guess in (session[:-1], session + "x", "/whep/..%2f..", "/whip/' or 1=1", "/whep/*"):
            await error_of(await client.delete(guess), 404)
            kind = {"Content-Type": fragment.TYPE, "If-Match": "*"}
            await error_of(await client.patch(guess, data="a=x", headers=kind), 404)
        await guest.sees(GREEN, BLUE)
        await client.delete(session)


@in_loop
async def test_many_sessions_leave_no_memory_behind(config: Config, loopback: None) -> None:
    async with unharmed(config) as client:
        used = []
        for _ in range(3):
            for _ in range(10):
                await see(client)
                await lend(client)
            used.append(used_mb())
        assert used[-1] - used[0] < GROWTH_MB, f"MB after each round: {used}"
