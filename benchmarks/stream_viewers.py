"""Many cheap viewers or cameras for `benchmarks.stream`: packets are taken and thrown away.

Cameras share one encoder, so that what they cost stays small beside the server.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

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


async def watch(http: aiohttp.ClientSession, url: str) -> RTCPeerConnection:
    """Open a viewer that decodes nothing."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    video = connection.addTransceiver("video", direction="recvonly")
    video.receiver._enabled = False
    await connection.setLocalDescription(await connection.createOffer())
    kind = {"Content-Type": "application/sdp"}
    async with http.post(f"{url}/whep", data=connection.localDescription.sdp, headers=kind) as said:
        answer = RTCSessionDescription(await said.text(), "answer")
    await connection.setRemoteDescription(answer)
    return connection


async def lend(http: aiohttp.ClientSession, url: str, broadcast: Broadcast) -> Any:
    """Open a camera whose composed picture is not decoded; returns the answer's JSON."""
    connection = open_connection()
    video = connection.addTransceiver("video", direction="sendrecv")
    video.setCodecPreferences(preferred())
    video.receiver._enabled = False
    await connection.setLocalDescription(await connection.createOffer())
    body = {"type": "offer", "sdp": connection.localDescription.sdp}
    async with http.post(f"{url}/offer", json=body) as said:
        answer = await said.json()
    if "sdp" not in answer:
        return connection, answer
    viewer = broadcast.viewer(codec_of(answer["sdp"]))
    viewer.estimate = lambda rate: None  # the camera stays at its size
    send(video.sender, viewer)
    await connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
    return connection, answer


async def run(url: str, viewers: int, cameras: int) -> None:
    """Open all, tell each camera's session, and stay."""
    broadcast, source = Broadcast(FPS), PatternSource(SIZE, FPS)
    async with aiohttp.ClientSession(headers=HEADERS) as http:
        kept: list[Any] = [await watch(http, url) for _ in range(viewers)]
        sessions = []
        for _ in range(cameras):
            kept.append(await lend(http, url, broadcast))
            sessions.append(kept[-1][1].get("session", "refused"))
        print(" ".join(sessions), flush=True)
        while True:
            if cameras:
                await asyncio.to_thread(lambda: broadcast.write(stamp(source.read())))
            else:
                await asyncio.sleep(1)


def main(
    url: Annotated[str, typer.Argument()],
    viewers: Annotated[int, typer.Option()] = 0,
    cameras: Annotated[int, typer.Option()] = 0,
) -> None:
    """Watch, or lend cameras, until the process is ended."""
    asyncio.run(run(url, viewers, cameras))


if __name__ == "__main__":
    typer.run(main)
