"""Many cheap viewers or cameras for `benchmarks.stream`, which count the pictures they are sent.

Their packets are thrown away still encrypted, and cameras share one encoder: a browser would work
elsewhere, so that what they cost must stay small beside the server. A line on stdin is answered by
the time, in seconds, and the pictures that each has been sent so far.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Annotated

import aiohttp
import typer
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from benchmarks.stream_server import TOKEN, stamp
from realtime.sources.pattern import PatternSource
from realtime.web.broadcast import Broadcast
from realtime.web.connection import open_connection, preferred, send
from realtime.web.offer import codec_of

SIZE, FPS = (640, 360), 30.0

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


class Counted:
    """A connection whose pictures are counted, by the marker of each one's last packet.

    RTCP is handed on (RFC 5761, section 4), and what opens the connection.
    """

    def __init__(self, connection: RTCPeerConnection) -> None:
        self.connection, self.pictures = connection, 0
        ice = connection.getReceivers()[0].transport.transport._connection
        self._hand_on = ice.data_received
        ice.data_received = self._take

    def _take(self, data: bytes, component: int) -> None:
        if 127 < data[0] < 192 and not 64 <= data[1] & 127 < 96:
            self.pictures += data[1] >> 7
        else:
            self._hand_on(data, component)


async def watch(http: aiohttp.ClientSession, url: str) -> Counted:
    """Open a viewer."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTransceiver("video", direction="recvonly")
    counted = Counted(connection)
    await connection.setLocalDescription(await connection.createOffer())
    kind = {"Content-Type": "application/sdp"}
    async with http.post(f"{url}/whep", data=connection.localDescription.sdp, headers=kind) as said:
        answer = RTCSessionDescription(await said.text(), "answer")
    await connection.setRemoteDescription(answer)
    return counted


async def lend(http: aiohttp.ClientSession, url: str, broadcast: Broadcast) -> Counted | None:
    """Open a camera whose composed picture comes back; None where it is refused."""
    connection = open_connection()
    video = connection.addTransceiver("video", direction="sendrecv")
    video.setCodecPreferences(preferred())
    counted = Counted(connection)
    await connection.setLocalDescription(await connection.createOffer())
    body = {"type": "offer", "sdp": connection.localDescription.sdp}
    async with http.post(f"{url}/offer", json=body) as said:
        answer = await said.json()
    if "sdp" not in answer:
        return None
    viewer = broadcast.viewer(codec_of(answer["sdp"]))
    viewer.estimate = lambda rate: None  # the camera stays at its size
    send(video.sender, viewer)
    await connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
    return counted


async def film(broadcast: Broadcast) -> None:
    """Draw what the cameras see."""
    source = PatternSource(SIZE, FPS)
    while True:
        await asyncio.to_thread(lambda: broadcast.write(stamp(source.read())))


async def answer(found: list[Counted]) -> None:
    """Tell the counts as often as they are asked for."""
    while await asyncio.to_thread(sys.stdin.readline):
        counts = [counted.pictures for counted in found]
        print(json.dumps([time.monotonic(), *counts]), flush=True)


async def run(url: str, viewers: int, cameras: int) -> None:
    """Open all, say how many were let in, and stay."""
    broadcast = Broadcast(FPS)
    async with aiohttp.ClientSession(headers=HEADERS) as http:
        asked: list[Counted | None] = [await watch(http, url) for _ in range(viewers)]
        asked += [await lend(http, url, broadcast) for _ in range(cameras)]
        found = [counted for counted in asked if counted]
        print(len(found), flush=True)
        await asyncio.gather(answer(found), *([film(broadcast)] if cameras else []))


def main(
    url: Annotated[str, typer.Argument()],
    viewers: Annotated[int, typer.Option()] = 0,
    cameras: Annotated[int, typer.Option()] = 0,
) -> None:
    """Watch, or lend cameras."""
    asyncio.run(run(url, viewers, cameras))


if __name__ == "__main__":
    typer.run(main)
