"""Two real peers in one process: lending a camera, watching, leaving, breaking."""

from __future__ import annotations

import asyncio
import gc
import re
import threading
import weakref
from collections.abc import Iterator

import pytest
from aiortc import (
    RTCRtpReceiver,
)

from realtime import control
from realtime.config import Config
from realtime.errors import SinkLost
from realtime.web import keys, peer
from realtime.web.encoder import PictureEncoder
from tests.web.guest import OFFER, Camera, browser, lend_camera, watch
from tests.web.serving import BLUE, GREEN, YELLOW, error_of, in_loop, served, taken, until


@in_loop
async def test_a_lent_camera_comes_back_without_the_room(config: Config, loopback: None) -> None:
    async with served(config) as client, browser(Camera()) as guest:
        session = await lend_camera(client, guest)
        await guest.sees(GREEN, BLUE)
        figures = (await (await client.get(f"/api/v1/sessions/{session}")).json())["figures"]
        assert figures["state"] == "live" and figures["frames"] > 0
        path = f"/api/v1/sessions/{session}/scene"
        changed = await client.patch(path, json={"scene.backdrop": "yellow.png"})
        assert (await changed.json())["scene.backdrop"] == "yellow.png"
        await guest.sees(GREEN, YELLOW)
        assert "no backdrop" in await error_of(
            await client.patch(path, json={"scene.backdrop": "gone.png"}), 404
        )
        assert (await client.delete(f"/api/v1/sessions/{session}")).status == 204
        assert await taken(client) == 0
        assert "no such session" in await error_of(await client.get(path[:-6]), 404)


@in_loop
async def test_a_scene_comes_with_the_offer(config: Config, loopback: None) -> None:
    async with served(config) as client, browser(Camera()) as guest:
        await lend_camera(client, guest, {"scene.backdrop": "yellow.png"})
        await guest.sees(GREEN, YELLOW)


@pytest.fixture
def no_garbage_found() -> Iterator[None]:
    """What refers to itself stays, but where it is asked for."""
    gc.disable()
    yield
    gc.enable()


@in_loop
async def test_a_browser_that_leaves_frees_its_place_and_its_memory(
    config: Config, loopback: None, no_garbage_found: None
) -> None:
    async with served(config, max_peers=1) as client:
        async with browser(Camera()) as guest:
            await lend_camera(client, guest)
            await guest.sees(GREEN, BLUE)
            full = await client.post("/offer", json={"type": "offer", "sdp": OFFER})
            assert "all 1 places" in await error_of(full, 503)
            (there,) = client.server.app[keys.PEERS]._peers.values()
            held = [weakref.ref(each) for each in (there, there.line, there._connection)]
            del there
        assert await until(lambda: taken(client), 0)

        async def kept() -> list[object]:
            return [each() for each in held if each()]

        assert await until(kept, [])


@in_loop
async def test_a_camera_that_ends_frees_its_place(config: Config, loopback: None) -> None:
    async with served(config) as client, browser(Camera()) as guest:
        await lend_camera(client, guest)
        await guest.sees(GREEN, BLUE)
        await guest.connection.getSenders()[0].stop()
        assert await until(lambda: taken(client), 0)


@in_loop
async def test_a_browser_that_never_comes_frees_its_place(
    config: Config, loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "HANDSHAKE_S", 1.5)  # long enough to answer in
    async with served(config) as client:
        answer = await client.post("/offer", json={"type": "offer", "sdp": OFFER})
        assert answer.status == 200
        assert await until(lambda: taken(client), 0)


@in_loop
async def test_whatever_an_offer_breaks_nothing_of_it_goes_on(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(self: peer.Peer, offer: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(peer.Peer, "_negotiate", fail)
    async with served(config) as client:
        answer = await client.post("/offer", json={"type": "offer", "sdp": OFFER})
        assert await error_of(answer, 500) == "internal error"
        assert not [each for each in threading.enumerate() if each.name == "deliver browser"]


@in_loop
async def test_nothing_is_compiled_for_who_finds_no_place(
    config: Config, loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    monkeypatch.setattr(control, "load_model", made.append)
    scene = {"matting.model": "scrim-r-int8"}
    async with served(config, max_cameras=1) as client, browser(Camera()) as guest:
        await lend_camera(client, guest)
        body = {"type": "offer", "sdp": OFFER, "scene": scene}
        await error_of(await client.post("/offer", json=body), 503)
    assert not made


@in_loop
async def test_two_browsers_watch_the_local_line(config: Config, loopback: None) -> None:
    async with served(config, camera=True) as client, browser() as one, browser() as two:
        first, second = await watch(client, one), await watch(client, two)
        assert first.headers["ETag"].startswith('"')
        assert first.headers["Location"] != second.headers["Location"]
        await one.sees(GREEN, BLUE)
        changed = await client.patch("/api/v1/scene", json={"scene.backdrop": "yellow.png"})
        assert changed.status == 200
        await asyncio.gather(one.sees(GREEN, YELLOW), two.sees(GREEN, YELLOW))
        secret = first.headers["Location"].removeprefix("/whep/")
        only = await error_of(await client.get(f"/api/v1/sessions/{secret}"), 404)
        assert only == "this session only watches"
        assert (await client.delete(first.headers["Location"])).status == 200
        assert await taken(client) == 1
        await two.sees(GREEN, YELLOW)


@in_loop
async def test_each_line_has_its_own_viewers(config: Config, loopback: None) -> None:
    async with (
        served(config, camera=True) as client,
        browser(Camera()) as lender,
        browser() as one,
        browser() as other,
    ):
        session = await lend_camera(client, lender)
        for guest in (one, other):
            await watch(client, guest)

        async def viewers() -> list[int]:
            places = ("state", f"sessions/{session}")
            answers = [await (await client.get(f"/api/v1/{place}")).json() for place in places]
            return [answer["viewers"] for answer in answers]

        assert await until(viewers, [2, 1])


@in_loop
async def test_what_a_watcher_sends_is_not_taken(config: Config, loopback: None) -> None:
    async with served(config, camera=True) as client, browser(Camera()) as guest:
        response = await watch(client, guest)
        assert "a=sendonly" in await response.text()
        await guest.sees(GREEN, BLUE)


@in_loop
async def test_a_failed_encoder_ends_the_connection(
    config: Config, loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: PictureEncoder, *arguments: object) -> None:
        raise SinkLost("the encoder is broken")

    monkeypatch.setattr(PictureEncoder, "encode", fail)
    async with served(config, camera=True) as client, browser() as guest:
        await watch(client, guest)
        assert await until(lambda: taken(client), 0)


@in_loop
async def test_sound_is_not_taken_and_h264_preferred(config: Config, loopback: None) -> None:
    async with served(config, camera=True) as client, browser() as guest:
        guest.connection.addTransceiver("audio", direction="sendrecv")
        answer = await (await watch(client, guest)).text()
        video, sound = re.findall(r"(?s)m=(?:video|audio).*?(?=m=|$)", answer)
        assert "a=inactive" in sound and "a=sendonly" in video
        assert re.findall(r"a=rtpmap:\d+ (\w+)", video)[0] == "H264"
        await guest.sees(GREEN, BLUE)


@in_loop
async def test_a_watcher_without_h264_gets_vp8(config: Config, loopback: None) -> None:
    async with served(config, camera=True) as client, browser() as guest:
        codecs = RTCRtpReceiver.getCapabilities("video").codecs
        video = guest.connection.getTransceivers()[0]
        video.setCodecPreferences([codec for codec in codecs if codec.mimeType == "video/VP8"])
        await watch(client, guest)
        await guest.sees(GREEN, BLUE)
