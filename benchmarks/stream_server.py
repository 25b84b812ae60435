"""The two servers that `benchmarks.stream` compares, each in a process of its own.

`scrim` is Scrim's own server. `aiortc` is aiortc's example server doing the same job the textbook
way: a transform track whose `recv` mattes and composes in bgr24, one encoder a viewer.

Both film the same drawn person at 1280x720 and 30 frames a second with the default network. Every
frame carries the time when it was made as a row of black and white blocks, which composition is
not allowed to cover: that is what latency is read from.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from fractions import Fraction
from typing import Annotated, Any

import typer
from aiohttp import web
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay
from av import VideoFrame

from realtime import config as cfg
from realtime import pixels
from realtime.build import load_model, make_pipeline
from realtime.control import Control
from realtime.delivery import Outlet
from realtime.frame import Bytes, Frame
from realtime.pipeline import Pipeline
from realtime.runner import Runner
from realtime.sources.pattern import PatternSource
from realtime.stats import Stats
from realtime.web import line as browser_line
from realtime.web.broadcast import Broadcast
from realtime.web.publish import publish
from realtime.web.server import serve
from realtime.web.studio import Studio

SIZE, FPS = (1280, 720), 30.0
BITS, BLOCK = 24, 32
"""Blocks in the upper left corner; each is as many pixels wide and high at 1280x720."""

TOKEN = "bench"


def stamp(frame: Frame) -> Frame:
    """Return the frame with the time of day, in ms, in its blocks."""
    i420 = frame.i420.copy()
    now_ms = int(time.time() * 1000)
    for bit in range(BITS):
        i420[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 235 if now_ms >> bit & 1 else 16
    return replace(frame, i420=i420)


class Stamped:
    """A source whose frames carry the time when they were made."""

    fps = FPS

    def __init__(self) -> None:
        self._source = PatternSource(SIZE, FPS)
        self.close = self._source.close

    def read(self) -> Frame:
        return stamp(self._source.read())


def keep_stamp(pipeline: Pipeline) -> Pipeline:
    """Let a pipeline hand the blocks of the frame on: they are in no room and on no person."""
    step = pipeline.step

    def step_and_keep(frame: Frame) -> Frame:
        i420 = step(frame).i420.copy()
        height = max(2, BLOCK * frame.height // SIZE[1])
        width = BITS * BLOCK * frame.width // SIZE[0]
        i420[:height, :width] = frame.i420[:height, :width]
        return replace(frame, i420=i420)

    pipeline.step = step_and_keep  # type: ignore[method-assign]
    return pipeline


def ready(url: str) -> None:
    """Say that the server can be asked."""
    print(url, flush=True)


def settings(host: str, cameras: int) -> cfg.Config:
    tables = {"width": SIZE[0], "height": SIZE[1], "fps": FPS}
    places = {"max_peers": 64, "max_cameras": max(1, cameras)}
    return cfg.Config().with_values(
        {"camera": tables, "web": {"host": host, "token": TOKEN, **places}}
    )


async def serve_scrim(host: str, port: int, cameras: int, publish_to: str) -> None:
    """Run Scrim's server: its local line, or places for browsers' cameras."""
    config = settings(host, cameras)
    model, stats, watch = load_model(config.matting), Stats(), Broadcast(FPS)
    make = browser_line.make_pipeline
    browser_line.make_pipeline = lambda *args: keep_stamp(make(*args))
    if cameras:
        return await serve(Studio(Control(config, model, stats, None), watch), host, port, ready)
    pipeline = keep_stamp(make_pipeline(config, model, stats))
    outlet = Outlet("watchers", lambda: watch, FPS)
    line = Runner(Stamped, pipeline, [outlet], SIZE, stats)
    line.start()
    jobs = [serve(Studio(Control(config, model, stats, line), watch), host, port, ready)]
    if publish_to:
        jobs.append(publish(watch, publish_to, TOKEN, [], lambda said: None))
    await asyncio.gather(*jobs)


class Transform(MediaStreamTrack):  # type: ignore[misc]
    """The textbook's track: what it is given is worked on inside `recv`."""

    kind = "video"

    def __init__(self, track: Any, pipeline: Pipeline) -> None:
        super().__init__()
        self._track, self._pipeline = track, pipeline
        self.frames = 0

    async def recv(self) -> VideoFrame:
        frame = await self._track.recv()
        bgr = self._composed(frame.to_ndarray(format="bgr24"))
        new = VideoFrame.from_ndarray(bgr, format="bgr24")
        new.pts, new.time_base = frame.pts, frame.time_base
        self.frames += 1
        return new

    def _composed(self, bgr: Bytes) -> Bytes:
        return pixels.to_bgr(self._pipeline.step(pixels.from_bgr(bgr, 0, time.monotonic())))


class Camera(MediaStreamTrack):  # type: ignore[misc]
    """A camera as aiortc's `MediaPlayer` gives one."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._source = Stamped()

    async def recv(self) -> VideoFrame:
        frame = await asyncio.to_thread(self._source.read)
        picture = VideoFrame.from_ndarray(pixels.to_bgr(frame), format="bgr24")
        picture.pts, picture.time_base = frame.number * 3000, Fraction(1, 90_000)
        return picture


async def serve_aiortc(host: str, port: int) -> None:
    """Run the example: /offer for a browser's camera, /whep for the local one."""
    config = settings(host, 1)
    model, relay = load_model(config.matting), MediaRelay()
    local = Transform(Camera(), keep_stamp(make_pipeline(config, model, Stats())))
    peers: set[RTCPeerConnection] = set()

    async def answer(sdp: str) -> str:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        peers.add(peer)

        @peer.on("track")
        def on_track(track: Any) -> None:
            pipeline = keep_stamp(make_pipeline(config, model, Stats()))
            peer.addTrack(Transform(relay.subscribe(track), pipeline))

        await peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        if not peer.getSenders() or not peer.getSenders()[0].track:
            peer.addTrack(relay.subscribe(local))
        await peer.setLocalDescription(await peer.createAnswer())
        return str(peer.localDescription.sdp)

    async def offer(request: web.Request) -> web.Response:
        sdp = await answer((await request.json())["sdp"])
        return web.json_response({"sdp": sdp, "type": "answer"})

    async def whep(request: web.Request) -> web.Response:
        text = await answer(await request.text())
        return web.Response(status=201, text=text, content_type="application/sdp")

    async def state(request: web.Request) -> web.Response:
        return web.json_response({"figures": {"frames": local.frames}})

    app = web.Application()
    app.add_routes([web.post("/offer", offer), web.post("/whep", whep)])
    app.add_routes([web.get("/healthz", state), web.get("/api/v1/state", state)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    ready(f"http://{host}:{port}/")
    await asyncio.Event().wait()


def main(
    kind: Annotated[str, typer.Argument(help="scrim or aiortc")],
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option()] = 8080,
    cameras: Annotated[int, typer.Option(help="places for browsers', instead of a line")] = 0,
    publish_to: Annotated[str, typer.Option(help="a WHIP endpoint")] = "",
) -> None:
    """Serve until the process is ended."""
    if kind == "aiortc":
        asyncio.run(serve_aiortc(host, port))
    else:
        asyncio.run(serve_scrim(host, port, cameras, publish_to))


if __name__ == "__main__":
    typer.run(main)
