"""The program at work: the local line, the studio beside it, and the status line. Floor 6."""

from __future__ import annotations

import asyncio

from rich.console import Console

from realtime import config as cfg
from realtime.build import make_outlets, make_pipeline, open_camera, open_input
from realtime.control import Control
from realtime.errors import SourceError
from realtime.matting.engine import MattingModel
from realtime.runner import Outlet, Runner, Source
from realtime.stats import Stats
from realtime.web.server import serve
from realtime.web.studio import Studio
from realtime.web.watch import WatchSink


def run_line(
    settings: cfg.Config, matting: MattingModel, source: str | None, room: bool, console: Console
) -> None:
    """Run until the source ends, the line fails or Ctrl-C; `room` is the developer's view.

    `source` is what stands in for the camera, see `build.open_input`; `console` is told what
    happens. Raises `ScrimError`.
    """
    stats = Stats()
    watch = WatchSink()
    line: Runner | None = None
    if source or settings.camera.device != "none":
        outlets: list[Outlet] = make_outlets(settings, console.print)
        if settings.web.enabled:
            outlets.append(Outlet("watchers", lambda: watch, settings.camera.fps))
        size = (settings.camera.width, settings.camera.height)
        pipeline = make_pipeline(settings, matting, stats, passthrough=room)
        line = Runner(
            lambda: _open_source(settings, source, console), pipeline, outlets, size, stats
        )
        line.hidden = settings.camera.hidden
        line = _start(line, settings, source, console)
    try:
        if settings.web.enabled:
            asyncio.run(_serve(settings, matting, stats, line, watch, console))
        elif line:
            while not line.wait(1.0):
                _status(stats, console)
    finally:
        if line:
            line.stop()
    if line and line.error:
        raise line.error


def _start(
    line: Runner, settings: cfg.Config, source: str | None, console: Console
) -> Runner | None:
    """Start the line. Without any camera the studio still works with the browsers' own."""
    try:
        line.start()
    except SourceError as error:
        if source or settings.camera.device != "auto" or not settings.web.enabled:
            raise
        console.print(f"no camera here: {error}")
        console.print("the studio asks for the browser's camera instead")
        return None
    return line


def _open_source(settings: cfg.Config, source: str | None, console: Console) -> Source:
    if source:
        return open_input(source, settings.camera)
    return open_camera(settings.camera, console.print)


async def _serve(
    settings: cfg.Config,
    matting: MattingModel,
    stats: Stats,
    line: Runner | None,
    watch: WatchSink,
    console: Console,
) -> None:
    studio = Studio(Control(settings, matting, stats, line), watch)
    server = asyncio.ensure_future(serve(studio, settings.web.host, settings.web.port))
    try:
        while not server.done() and not (line and line.wait(0)):
            await asyncio.wait([server], timeout=1.0)
            if line:
                _status(stats, console)
    finally:  # the server says good-bye to its browsers before the loop ends
        server.cancel()
        await asyncio.wait([server])
    if not server.cancelled():
        server.result()


def _status(stats: Stats, console: Console) -> None:
    """Rewrite the status line: every step's time, the age of what is shown, what was lost."""
    if not console.is_terminal:
        return
    now = stats.snapshot()
    steps = "  ".join(f"{name} {ms:.1f}" for name, ms in now["steps_ms"].items())
    counts = "  ".join(f"{name} {n}" for name, n in now["counts"].items() if n)
    line = f"{now['state']}  {now['fps']:.0f} fps  age {now['age_ms']['p50']:.0f} ms  {steps}"
    console.print(f"\r{line}  {counts}"[: console.width - 1].ljust(console.width - 1), end="")
