"""The other peer of a test: a browser in this process, with or without a camera."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from aiohttp.test_utils import TestClient
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from realtime.errors import EndOfStream
from realtime.sources.pattern import PatternSource
from realtime.web.uplink import i420_of
from tests.web.serving import FPS, PATIENCE_S, RED, SIZE

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

    def __init__(
        self, camera: Camera | None = None, connection: RTCPeerConnection | None = None
    ) -> None:
        self.connection = connection or RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pictures = 0
        if camera:
            self.connection.addTrack(camera)
        elif connection is None:
            self.connection.addTransceiver("video", direction="recvonly")
        self._track: MediaStreamTrack | None = None
        self.connection.on("track", self._keep)

    def _keep(self, track: MediaStreamTrack) -> None:
        if track.kind == "video":
            self._track = track

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def answer(self, offer: str) -> str:
        await self.connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self.connection.setLocalDescription(await self.connection.createAnswer())
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


async def lend_camera(
    client: TestClient[Any, Any], guest: Browser, scene: dict[str, object] | None = None
) -> str:
    body = {"type": "offer", "sdp": await guest.offer(), "scene": scene or {}}
    answer = await (await client.post("/offer", json=body)).json()
    assert "x-google-start-bitrate=2500" in answer["sdp"]
    await guest.accept(answer["sdp"])
    return str(answer["session"])


async def watch(client: TestClient[Any, Any], guest: Browser) -> Any:
    response = await post_sdp(client, await guest.offer())
    assert response.status == 201
    await guest.accept(await response.text())
    return response


async def post_sdp(client: TestClient[Any, Any], sdp: str, path: str = "/whep") -> Any:
    return await client.post(path, data=sdp, headers={"Content-Type": "application/sdp"})
