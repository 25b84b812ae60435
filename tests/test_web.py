"""The studio's server: who may ask what, and two real peers in one process."""

from __future__ import annotations

import asyncio
import functools
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import aioice.ice
import av
import cv2
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.codecs import vpx
from aiortc.mediastreams import MediaStreamError
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime import pixels
from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.errors import BadOffer, ConfigError, EndOfStream, NegotiationFailed
from realtime.runner import Outlet, Runner
from realtime.sources.pattern import PatternSource
from realtime.stats import Stats
from realtime.web import peer, routes, server
from realtime.web.offer import read_offer, with_start_rate
from realtime.web.studio import Studio
from realtime.web.uplink import BrowserSource, i420_of
from realtime.web.watch import WatchSink

SIZE = (320, 180)
FPS = 30.0
RED, GREEN, BLUE, YELLOW = (0, 0, 200), (0, 200, 0), (200, 0, 0), (0, 200, 200)
PATIENCE_S = 20.0

OUTLINE = 0.005
"""Share of pixels along the outline where the toy's coarse matte may err; the room has half."""

OFFER = """v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\
:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF
a=setup:actpass
a=mid:0
a=sendrecv
a=rtcp-mux
a=rtpmap:96 VP8/90000
""".replace("\n", "\r\n")


def in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an async test to its end."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), 60))

    return run


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ICE use 127.0.0.1, which aioice leaves out, and nothing else."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **kinds: ["127.0.0.1"])


@pytest.fixture
def config(toy_ir: Path, tmp_path: Path) -> Config:
    """A studio with a blue backdrop and a folder of one yellow picture."""
    folder = tmp_path / "backdrops"
    folder.mkdir()
    cv2.imwrite(str(folder / "yellow.png"), np.full((90, 160, 3), YELLOW, np.uint8))
    return Config().with_values(
        {
            "camera": {"width": SIZE[0], "height": SIZE[1], "fps": FPS},
            "matting": {"model": str(toy_ir)},
            "scene": {"backdrop": "#0000c8", "folder": str(folder)},
        }
    )


@asynccontextmanager
async def served(
    config: Config, *, camera: bool = False, **settings: object
) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """Serve a studio; with `camera` it has a local line that films the pattern."""
    config = config.with_values({"web": settings})
    model, stats, watch = load_model(config.matting), Stats(), WatchSink()
    line = None
    if camera:
        pipeline = make_pipeline(config, model, stats)
        outlet = Outlet("watchers", lambda: watch, FPS)
        line = Runner(lambda: PatternSource(SIZE, FPS, flat=True), pipeline, [outlet], SIZE, stats)
        line.start()
    try:
        app = server.make_app(Studio(config, model, stats, line, watch))
        async with TestClient(TestServer(app)) as client:
            yield client
            assert await gone(client)
    finally:
        if line:
            await asyncio.to_thread(line.stop)


async def taken(client: TestClient[Any, Any]) -> int:
    state = await (await client.get("/api/v1/state", headers=bearer(client))).json()
    return int(state["peers"]["taken"])


def bearer(client: TestClient[Any, Any]) -> dict[str, str]:
    token = client.server.app[routes.STUDIO].config.web.token
    return {"Authorization": f"Bearer {token}"} if token else {}


async def gone(client: TestClient[Any, Any]) -> bool:
    """Close all peers; wait until their places are free and no thread of theirs runs."""
    await client.server.app[routes.PEERS].close()
    assert not [thread for thread in threading.enumerate() if thread.name == "deliver browser"]
    return await until(lambda: taken(client), 0)


async def until(ask: Callable[[], Awaitable[Any]], wanted: object) -> bool:
    async with asyncio.timeout(PATIENCE_S):
        while await ask() != wanted:
            await asyncio.sleep(0.02)
    return True


async def error_of(response: Any, status: int) -> str:
    """Assert an error in our form and return its words."""
    body = await response.json()
    assert response.status == status, body
    assert set(body) == {"error", "hint"} and body["error"]
    assert "Traceback" not in str(body)
    return str(body["error"])


class Camera(MediaStreamTrack):  # type: ignore[misc]
    """What a browser would send: the flat pattern, green before red."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._source = PatternSource(SIZE, FPS, flat=True)

    async def recv(self) -> av.VideoFrame:
        try:
            frame = await asyncio.to_thread(self._source.read)
        except EndOfStream as error:
            raise MediaStreamError from error
        picture = av.VideoFrame.from_ndarray(frame.i420, "yuv420p")
        picture.pts = frame.number * 3000
        picture.time_base = Fraction(1, 90_000)
        return picture

    def stop(self) -> None:
        super().stop()
        self._source.close()


class Browser:
    """The other peer: offers, and keeps every picture it is sent."""

    def __init__(self, camera: Camera | None = None) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pictures = 0
        if camera:
            self.connection.addTrack(camera)
        else:
            self.connection.addTransceiver("video", direction="recvonly")
        self._track: MediaStreamTrack | None = None
        self.connection.on("track", self._keep)

    def _keep(self, track: MediaStreamTrack) -> None:
        self._track = track

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def sees(self, *wanted: tuple[int, int, int]) -> None:
        """Wait for a picture that shows these colours; none on the way may show the room."""
        assert self._track
        async with asyncio.timeout(PATIENCE_S):
            while True:
                i420 = i420_of(await self._track.recv())
                bgr = cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420)
                self.pictures += 1
                assert share_of(bgr, RED) < OUTLINE, f"the room is in picture {self.pictures}"
                if all(share_of(bgr, colour) > 0.1 for colour in wanted):
                    return


def share_of(bgr: Any, colour: tuple[int, int, int]) -> float:
    return float((np.abs(bgr.astype(int) - colour).max(axis=2) < 50).mean())


@asynccontextmanager
async def browser(camera: Camera | None = None) -> AsyncIterator[Browser]:
    browser = Browser(camera)
    try:
        yield browser
    finally:
        if camera:
            camera.stop()
        await browser.connection.close()


async def lend_camera(client: TestClient[Any, Any], guest: Browser, **scene: object) -> str:
    body = {"type": "offer", "sdp": await guest.offer(), "scene": scene}
    answer = await (await client.post("/offer", json=body)).json()
    assert "x-google-start-bitrate=2500" in answer["sdp"]
    await guest.accept(answer["sdp"])
    return str(answer["session"])


async def watch(client: TestClient[Any, Any], guest: Browser) -> Any:
    response = await post_sdp(client, await guest.offer())
    assert response.status == 201
    await guest.accept(await response.text())
    return response


async def post_sdp(client: TestClient[Any, Any], sdp: str) -> Any:
    return await client.post("/whep", data=sdp, headers={"Content-Type": "application/sdp"})


# Two peers


@in_loop
async def test_a_lent_camera_comes_back_without_the_room(config: Config, loopback: None) -> None:
    async with served(config) as client, browser(Camera()) as guest:
        session = await lend_camera(client, guest)
        await guest.sees(GREEN, BLUE)
        figures = (await (await client.get(f"/api/v1/sessions/{session}")).json())["figures"]
        assert figures["state"] == "live" and figures["frames"] > 0
        path = f"/api/v1/sessions/{session}/scene"
        changed = await client.patch(path, json={"backdrop": "yellow.png"})
        assert (await changed.json())["backdrop"] == "yellow.png"
        await guest.sees(GREEN, YELLOW)
        assert "no backdrop" in await error_of(
            await client.patch(path, json={"backdrop": "gone.png"}), 400
        )
        assert (await client.delete(f"/api/v1/sessions/{session}")).status == 204
        assert await taken(client) == 0
        assert "no such session" in await error_of(await client.get(path[:-6]), 404)


@in_loop
async def test_a_scene_comes_with_the_offer(config: Config, loopback: None) -> None:
    async with served(config) as client, browser(Camera()) as guest:
        await lend_camera(client, guest, backdrop="yellow.png")
        await guest.sees(GREEN, YELLOW)


@in_loop
async def test_a_browser_that_leaves_frees_its_place(config: Config, loopback: None) -> None:
    async with served(config, max_peers=1) as client:
        async with browser(Camera()) as guest:
            await lend_camera(client, guest)
            await guest.sees(GREEN, BLUE)
            full = await client.post("/offer", json={"type": "offer", "sdp": OFFER})
            assert "all 1 places" in await error_of(full, 503)
        assert await until(lambda: taken(client), 0)


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
async def test_two_browsers_watch_the_local_line(config: Config, loopback: None) -> None:
    async with served(config, camera=True) as client, browser() as one, browser() as two:
        first, second = await watch(client, one), await watch(client, two)
        assert first.headers["ETag"].startswith('"')
        assert first.headers["Location"] != second.headers["Location"]
        await one.sees(GREEN, BLUE)
        changed = await client.patch("/api/v1/scene", json={"backdrop": "yellow.png"})
        assert changed.status == 200
        await asyncio.gather(one.sees(GREEN, YELLOW), two.sees(GREEN, YELLOW))
        secret = first.headers["Location"].removeprefix("/whep/")
        only = await error_of(await client.get(f"/api/v1/sessions/{secret}"), 404)
        assert only == "this session only watches"
        assert (await client.delete(first.headers["Location"])).status == 204
        assert await taken(client) == 1
        await two.sees(GREEN, YELLOW)


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
    def fail(self: vpx.Vp8Encoder, *arguments: object) -> None:
        raise RuntimeError("the encoder is broken")

    monkeypatch.setattr(vpx.Vp8Encoder, "encode", fail)
    async with served(config, camera=True) as client, browser() as guest:
        await watch(client, guest)
        assert await until(lambda: taken(client), 0)


@in_loop
async def test_sound_is_not_taken_and_vp8_preferred(config: Config, loopback: None) -> None:
    async with served(config, camera=True) as client, browser() as guest:
        guest.connection.addTransceiver("audio", direction="sendrecv")
        codecs = RTCRtpReceiver.getCapabilities("video").codecs
        order = sorted(codecs, key=lambda codec: codec.mimeType != "video/H264")
        guest.connection.getTransceivers()[0].setCodecPreferences(order)
        answer = await (await watch(client, guest)).text()
        video, sound = re.findall(r"(?s)m=(?:video|audio).*?(?=m=|$)", answer)
        assert "a=inactive" in sound and "a=sendonly" in video
        assert re.findall(r"a=rtpmap:\d+ (\w+)", video)[0] == "VP8"
        await guest.sees(GREEN, BLUE)


@in_loop
async def test_a_watcher_without_vp8_gets_h264(config: Config, loopback: None) -> None:
    async with served(config, camera=True) as client, browser() as guest:
        codecs = RTCRtpReceiver.getCapabilities("video").codecs
        video = guest.connection.getTransceivers()[0]
        video.setCodecPreferences([codec for codec in codecs if codec.mimeType == "video/H264"])
        await watch(client, guest)
        await guest.sees(GREEN, BLUE)


# The API


@in_loop
async def test_without_a_camera_there_is_nothing_to_watch(config: Config) -> None:
    async with served(config) as client:
        state = await (await client.get("/api/v1/state")).json()
        assert state["camera"] is False and state["figures"] is None
        assert state["peers"] == {"taken": 0, "places": 8}
        assert "no camera here" in await error_of(await post_sdp(client, OFFER), 404)
        await error_of(await client.patch("/api/v1/scene", json={"blur": 0.1}), 404)


@in_loop
async def test_whep_answers_what_clients_try(config: Config) -> None:
    async with served(config, camera=True) as client:
        assert (await client.get("/whep")).status == 405
        options = await client.options("/whep")
        assert options.status == 204 and options.headers["Accept-Post"] == "application/sdp"
        await error_of(await client.delete("/whep/guessed"), 404)
        await error_of(await client.post("/whep", json={}), 415)


@in_loop
async def test_backdrops_are_names_and_never_paths(config: Config) -> None:
    folder = Path(config.scene.folder)
    (folder.parent / "secret.png").write_bytes((folder / "yellow.png").read_bytes())
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    async with served(config, camera=True) as client:
        listed = (await (await client.get("/api/v1/backdrops")).json())["backdrops"]
        assert {"name": "yellow.png", "kind": "picture"} in listed
        assert {"name": "blur", "kind": "blur"} in listed
        assert "link.png" not in [item["name"] for item in listed]
        for name in ("../secret.png", str(folder.parent / "secret.png"), "link.png", 7, None):
            answer = await client.patch("/api/v1/scene", json={"backdrop": name})
            assert "no backdrop" in await error_of(answer, 400)
        state = await client.get("/api/v1/state")
        assert str(folder.parent) not in await state.text()


@pytest.mark.parametrize(
    "changes",
    [{"folder": "/"}, {"blur": 2}, {"blur": float("nan")}, {"fit": "melt"}, {"backdrops": "blur"}],
)
@in_loop
async def test_a_wrong_scene_changes_nothing(config: Config, changes: dict[str, object]) -> None:
    async with served(config, camera=True) as client:
        await error_of(await client.patch("/api/v1/scene", json=changes), 400)
        state = await (await client.get("/api/v1/state")).json()
        assert state["scene"] == {"backdrop": "#0000c8", "fit": "crop", "blur": 0.5}


@in_loop
async def test_thumbnails_are_small_pictures(config: Config) -> None:
    async with served(config) as client:
        answer = await client.get("/api/v1/backdrops/yellow.png/thumbnail")
        bgr = cv2.imdecode(np.frombuffer(await answer.read(), np.uint8), cv2.IMREAD_COLOR)
        assert bgr.shape[1] <= 320 and share_of(bgr, YELLOW) == 1
        for name in ("gone.png", "..%2Fsecret.png"):
            path = f"/api/v1/backdrops/{name}/thumbnail"
            await error_of(await client.get(path), 404)


# The gate


@in_loop
async def test_the_page_may_load_nothing_from_elsewhere(config: Config) -> None:
    async with served(config) as client:
        page = await client.get("/")
        text = await page.text()
        assert "<title>Scrim</title>" in text
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=|https?://", text)
        for path in re.findall(r'(?:src|href)="([^"]+)"', text):
            assert (await client.get(path)).status == 200
        missing = await client.get("/static/..%2fserver.py")
        assert missing.status in (403, 404)
        assert missing.headers["X-Content-Type-Options"] == "nosniff"
        assert await (await client.get("/healthz")).json() == {"ok": True}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(("localhost:8080", 200), ("127.0.0.1", 200), ("[::1]:1", 200)),
        *(("evil.example", 403), ("localhost.evil.example", 403), ("10.0.0.1", 403), ("[", 403)),
    ],
)
@in_loop
async def test_other_names_are_refused(config: Config, host: str, status: int) -> None:
    async with served(config) as client:
        assert (await client.get("/", headers={"Host": host})).status == status


@pytest.mark.parametrize(("host", "status"), [("10.0.0.1:80", 200), ("evil.example", 403)])
@in_loop
async def test_who_listens_everywhere_has_any_address(
    config: Config, host: str, status: int
) -> None:
    async with served(config, host="0.0.0.0", token="s3cret") as client:
        assert (await client.get("/healthz", headers={"Host": host})).status == status


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1"])
@in_loop
async def test_other_pages_may_not_ask(config: Config, origin: str) -> None:
    async with served(config, camera=True) as client:
        ours = str(client.make_url("/")).rstrip("/")
        change = {"backdrop": "#00ff00"}
        answer = await client.patch("/api/v1/scene", json=change, headers={"Origin": origin})
        assert "other pages" in await error_of(answer, 403)
        answer = await client.patch("/api/v1/scene", json=change, headers={"Origin": ours})
        assert answer.status == 200


@in_loop
async def test_a_token_is_asked_for(config: Config) -> None:
    async with served(config, token="s3cret") as client:
        assert (await client.get("/")).status == 200
        for given in ("", "Bearer wrong", "Bearer", "Basic s3cret", "Bearer s3cret\u00e9"):
            for path in ("/api/v1/state", "/offer", "/whep", "/whep/x", "/api/nothing"):
                answer = await client.get(path, headers={"Authorization": given})
                assert "token" in await error_of(answer, 401)
                assert answer.headers["WWW-Authenticate"] == "Bearer"
        right = {"Authorization": "Bearer s3cret"}
        assert (await client.get("/api/v1/state", headers=right)).status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "laptop.local"])
def test_an_open_address_needs_a_token(config: Config, host: str) -> None:
    open_to_all = config.with_values({"web": {"host": host}})
    model = load_model(config.matting)
    studio = Studio(open_to_all, model, Stats(), None, WatchSink())
    with pytest.raises(ConfigError, match="needs a token"):
        server.make_app(studio)
    with pytest.raises(ConfigError, match="needs a token"):
        asyncio.run(server.serve(Studio(config, model, Stats(), None, WatchSink()), host, 0))


@in_loop
async def test_an_unknown_error_keeps_its_details(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Studio) -> None:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr(Studio, "state", fail)
    studio = Studio(config, load_model(config.matting), Stats(), None, WatchSink())
    app = server.make_app(studio)
    async with TestClient(TestServer(app)) as client:
        assert await error_of(await client.get("/api/v1/state"), 500) == "internal error"


@in_loop
async def test_serve_names_the_port_and_says_when_it_is_taken(config: Config) -> None:
    studio = Studio(config, load_model(config.matting), Stats(), None, WatchSink())
    urls: list[str] = []
    serving = asyncio.create_task(server.serve(studio, "127.0.0.1", 0, urls.append))
    while not urls:
        await asyncio.sleep(0.01)
    port = int(urls[0].rstrip("/").rpartition(":")[2])
    with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}"):
        await server.serve(studio, "127.0.0.1", port)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving


# Bodies and offers


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"x" * (server.MAX_BODY + 1), "application/json", 413),
        (b"{}", "text/plain", 415),
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"sdp": 1, "type": "offer"}', "application/json", 400),
        (b'{"sdp": "v=0", "type": "answer"}', "application/json", 400),
        (b'{"sdp": "v=0", "type": "offer", "scene": 3}', "application/json", 400),
    ],
)
@in_loop
async def test_bad_bodies(config: Config, body: bytes, kind: str, status: int) -> None:
    async with served(config) as client:
        answer = await client.post("/offer", data=body, headers={"Content-Type": kind})
        await error_of(answer, status)


@in_loop
async def test_a_slow_body_is_given_up(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "BODY_TIMEOUT_S", 0.1)
    ended = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"type":'
        await ended.wait()

    async with served(config) as client:
        headers = {"Content-Type": "application/json"}
        await error_of(await client.post("/offer", data=slowly(), headers=headers), 408)
        ended.set()


MEDIA = OFFER[OFFER.index("m=video") :]


@pytest.mark.parametrize(
    "sdp",
    [
        "",
        "hello",
        OFFER.replace(MEDIA, ""),
        OFFER + MEDIA.replace("a=mid:0", "a=mid:1"),
        OFFER + MEDIA.replace("video", "audio") * 1000,
        OFFER + MEDIA.replace("video", "audio"),
        OFFER + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\n",
        OFFER.replace("a=fingerprint", "a=nofingerprint"),
        OFFER.replace("a=setup:actpass\r\n", ""),
        OFFER.replace("a=ice-pwd", "a=ice-word"),
        OFFER.replace("a=rtcp-mux\r\n", ""),
        OFFER.replace("a=sendrecv\r\n", ""),
        OFFER.replace("BUNDLE 0", "BUNDLE 0 7"),
        OFFER.replace("a=mid:0\r\n", ""),
        OFFER + "a=candidate:1 1 UDP 1 10.0.0.1 1 typ host\r\n" * 5000,
        OFFER + "a=fmtp:33 x=y\r\n",
    ],
)
def test_bad_offers(sdp: str) -> None:
    with pytest.raises(BadOffer):
        read_offer(sdp, ("sendrecv",))


@pytest.mark.parametrize(
    "sdp", [OFFER.replace("VP8", "AV9"), OFFER.replace("a=sendrecv", "a=inactive")]
)
@in_loop
async def test_offers_without_anything_in_common(config: Config, sdp: str) -> None:
    async with served(config, camera=True) as client:
        await error_of(await client.post("/offer", json={"type": "offer", "sdp": sdp}), 422)
        await error_of(await post_sdp(client, sdp), 422)


LINES = OFFER.splitlines()


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(LINES) | st.text(max_size=20).map("a=".__add__), max_size=25),
    st.sampled_from(LINES),
    st.text(max_size=12),
)
def test_any_text_is_an_offer_or_a_bad_one(lines: list[str], line: str, junk: str) -> None:
    for sdp in ("\r\n".join(LINES[:6] + lines), OFFER.replace(line, line[:8] + junk)):
        try:
            assert read_offer(sdp, ("sendrecv",)).sdp == sdp
        except (BadOffer, NegotiationFailed) as error:
            assert error.message


def test_the_answer_lets_the_camera_begin_fast() -> None:
    answer = with_start_rate(OFFER + "a=rtpmap:97 rtx/90000\r\n")
    assert "a=fmtp:96 x-google-start-bitrate=2500" in answer
    assert "a=fmtp:97" not in answer


# Source and sink


def coloured(size: tuple[int, int], bgr: tuple[int, int, int] = GREEN) -> av.VideoFrame:
    width, height = size
    picture = av.VideoFrame.from_ndarray(np.full((height, width, 3), bgr, np.uint8), "bgr24")
    return picture.reformat(format="yuv420p")


@pytest.mark.parametrize("size", [(64, 36), (65, 37), (98, 50), (1, 1), (33, 2)])
def test_received_pictures_of_any_size_become_frames(size: tuple[int, int]) -> None:
    source = BrowserSource()
    asyncio.run(source.drain(Film([coloured(size)])))
    frame = source.read()
    assert frame.size == pixels.even(size)
    assert share_of(pixels.to_bgr(frame), GREEN) == 1
    with pytest.raises(EndOfStream):
        source.read()


def test_padded_rows_are_left_out() -> None:
    picture = coloured((50, 20))
    assert picture.planes[0].line_size > 50, "PyAV does not pad any more: choose another size"
    expected = cv2.cvtColor(picture.to_ndarray(format="bgr24"), cv2.COLOR_BGR2YUV_I420)
    assert np.abs(i420_of(picture).astype(int) - expected).max() <= 2


def test_other_formats_are_converted() -> None:
    picture = coloured((64, 36)).reformat(format="nv12")
    frame = cv2.cvtColor(i420_of(picture), cv2.COLOR_YUV2BGR_I420)
    assert share_of(frame, GREEN) == 1


class Film(MediaStreamTrack):  # type: ignore[misc]
    """A track of some pictures."""

    kind = "video"

    def __init__(self, pictures: list[av.VideoFrame]) -> None:
        super().__init__()
        self._pictures = iter(pictures)

    async def recv(self) -> av.VideoFrame:
        for picture in self._pictures:
            return picture
        raise MediaStreamError


def test_only_the_newest_received_picture_is_kept() -> None:
    source = BrowserSource()
    asyncio.run(source.drain(Film([coloured((64, 36)), coloured((32, 18)), coloured((128, 72))])))
    assert source.read().size == (128, 72)


def test_a_picture_beyond_all_cameras_is_left_out() -> None:
    source = BrowserSource()
    asyncio.run(source.drain(Film([coloured((8000, 2000))])))
    with pytest.raises(EndOfStream):
        source.read()


@in_loop
async def test_a_slow_browser_gets_the_newest_picture() -> None:
    sink = WatchSink()
    track, other = sink.track(), sink.track()
    for bgr in (GREEN, YELLOW, BLUE):
        await asyncio.to_thread(sink.write, pixels.colour((64, 36), bgr))
    seen = await track.recv()
    assert share_of(seen.to_ndarray(format="bgr24"), BLUE) == 1
    assert (await other.recv()) is seen, "one conversion for all"
    await asyncio.to_thread(sink.write, pixels.colour((64, 36), GREEN))
    later = await track.recv()
    assert later.pts > seen.pts
    await asyncio.to_thread(sink.close)
    with pytest.raises(MediaStreamError):
        await track.recv()
    assert not sink._tracks
