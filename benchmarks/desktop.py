"""What living with Scrim costs: how long it takes to start, idles at, works at, and keeps.

    python -m benchmarks.desktop                          # two minutes
    python -m benchmarks.desktop --frames 200000 --full   # only whether it lasts: one hour
    python -m benchmarks.desktop --frames 2600000         # as many as in a day, toy size: hours

Each program runs by itself, as `scrim run` does. Instead of a camera the drawn person is filmed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import psutil
import typer

from benchmarks.line import SIZE, Copier
from benchmarks.page import Target, put, targets
from benchmarks.process import ROOT, run
from realtime.bench import FPS
from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.contract import Size
from realtime.ctl import send, socket_path
from realtime.delivery import Outlet
from realtime.demand import serve_demand
from realtime.door import enter
from realtime.errors import ControlUnavailable
from realtime.rests import UNWATCHED
from realtime.runner import Runner
from realtime.sinks.recording import RecordingSink
from realtime.sources.pattern import PatternSource
from realtime.stats import Stats
from tests.toy import save_toy

PATIENCE_S = 60.0

CLIP = 300
"""Frames of the clip that an endurance run is fed with."""

FULL_FPS = 80.0
TOY_SIZE: Size = (160, 120)
TOY_FPS = 300.0
"""About as many as a line can compose at either size."""

ABOUT = """`python -m benchmarks.desktop`: `scrim run` in processes of its own, with the studio
served, filming a drawn person."""


class Program:
    """A running `scrim run` with cache, state and socket in a folder of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.began = time.monotonic()
        here = {f"XDG_{kind}": str(folder) for kind in ("RUNTIME_DIR", "CACHE_HOME", "STATE_HOME")}
        self._socket = socket_path(here)
        command = [sys.executable, "-m", "realtime", "run", "--no-virtualcam", *words]
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **here, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.usage = psutil.Process(self._process.pid)

    def figures(self) -> dict[str, Any]:
        """Return the live figures, or nothing while it does not answer yet."""
        if self._process.poll() is not None:
            sys.exit("error: scrim run has ended")
        try:
            return dict(send(self._socket, [])["figures"])
        except ControlUnavailable:
            return {}

    def wait_for(self, frames: int) -> None:
        """Wait until so many pictures have been composed."""
        until = time.monotonic() + PATIENCE_S + frames / 5
        while self.figures().get("frames", 0) < frames:
            if time.monotonic() > until:
                sys.exit(f"error: {frames} frames do not come")
            time.sleep(0.02 if frames == 1 else 0.5)

    def share(self, seconds: float) -> float:
        """Return the share of one core over some seconds, in percent."""
        before, began = sum(self.usage.cpu_times()[:2]), time.monotonic()
        time.sleep(seconds)
        spent = sum(self.usage.cpu_times()[:2]) - before
        return round(100 * spent / (time.monotonic() - began), 2)

    def keeps(self) -> dict[str, float]:
        """Return resident memory in MB, descriptors and threads."""
        return {
            "memory_mb": round(self.usage.memory_info().rss / 2**20, 1),
            "descriptors": self.usage.num_fds(),
            "threads": self.usage.num_threads(),
        }

    def stop(self, how: int = signal.SIGTERM) -> float:
        """Stop it as a user does; return how many seconds that took."""
        began = time.monotonic()
        self._process.send_signal(how)
        self._process.wait()
        return time.monotonic() - began


@contextmanager
def program(folder: Path, *words: str) -> Iterator[Program]:
    """Run a program as long as the context lasts."""
    running = Program(folder, *words)
    try:
        yield running
    finally:
        running.stop()


def starts(folder: Path, runs: int) -> Iterator[Target]:
    """From the command to the first composed picture, without and with OpenVINO's cache, and the
    end, by either signal."""
    seconds: dict[str, list[float]] = {"cold": [], "warm": [], "stop": []}
    for number in range(runs):
        empty = folder / f"start-{number}"
        empty.mkdir()
        for kind, how in (("cold", signal.SIGTERM), ("warm", signal.SIGINT)):
            running = Program(empty, "-i", "pattern", "--port", "0")
            running.wait_for(1)
            seconds[kind].append(time.monotonic() - running.began)
            seconds["stop"].append(running.stop(how))
    yield Target("start to first picture, cold, s", None, median(seconds["cold"]), 4.0)
    yield Target("the same, warm, s", None, median(seconds["warm"]), 2.5)
    yield Target("stopped after a signal, longest, s", None, max(seconds["stop"]), 2.0)


def wakes(folder: Path, runs: int) -> Iterator[Target]:
    """From a reader's opening of the device to the first composed picture.

    A file stands in for the device: inotify tells of its readers as of those of v4l2loopback 0.12.
    """
    device = folder / "video10"
    device.touch()
    config, stats = Config(), Stats()
    pipeline = make_pipeline(config, load_model(config.matting), stats)
    outlet = Outlet("device", Copier, FPS, str(device))
    line = Runner(lambda: PatternSource(SIZE, FPS), pipeline, [outlet], SIZE, stats)
    line.rest(UNWATCHED)
    line.start()
    seconds = asyncio.run(_watch(line, device, runs))
    line.stop()
    yield Target("live after a reader came, longest, s", None, max(seconds), 1.0)


async def _watch(line: Runner, device: Path, runs: int) -> list[float]:
    serving = asyncio.create_task(serve_demand(line, [str(device)], lambda: 0, linger_s=0.1))
    seconds = []
    for _ in range(runs):
        while line.stats.state != UNWATCHED:
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)  # until it is listened to
        before, began = line.stats.snapshot()["frames"], time.monotonic()
        with device.open():
            while line.stats.snapshot()["frames"] == before:
                await asyncio.sleep(0.005)
            seconds.append(time.monotonic() - began)
    serving.cancel()
    return seconds


def idles(folder: Path, seconds: float) -> Iterator[Target]:
    """On demand while nobody watches, with the studio served."""
    demand = ("--set", "camera.on_demand=true", "--port", "0")
    with program(folder, "-i", "pattern", *demand) as running:
        while running.figures().get("state") != "nobody watches":
            time.sleep(0.2)
        time.sleep(2)
        yield Target("idle on demand, % of a core", None, running.share(seconds), 0.5)


def works(seconds: float) -> Iterator[Target]:
    """The local line at a camera's rate."""
    live = run("benchmarks.line", "--seconds", str(seconds))
    yield Target("live 1280x720 at 30, % of a core", None, 100 * live["cpu_share"], 35)
    yield Target("age p50, ms", None, live["age_p50_ms"], 1000 / 30)


def lasts(folder: Path, frames: int, full: bool) -> Iterator[Target]:
    """Memory and descriptors of a program after a tenth of the frames and after all of them.

    It is given as many frames as it can compose: a short clip, over and over.
    """
    clip = folder / "clip.mp4"
    size = SIZE if full else TOY_SIZE
    shoot(clip, size, FULL_FPS if full else TOY_FPS)
    words = [f"camera.width={size[0]}", f"camera.height={size[1]}", "governor.enabled=false"]
    if not full:
        words.append(f"matting.model={save_toy(folder / 'toy.xml')}")
    sets = [part for word in words for part in ("--set", word)]
    with program(folder, "-i", str(clip), "--port", "0", *sets) as running:
        running.wait_for(max(1, frames // 10))
        early = running.keeps()
        running.wait_for(frames)
        late = running.keeps()
    growth = late["memory_mb"] / early["memory_mb"]
    yield Target(f"memory after {frames:,} frames over a tenth of them", None, growth, 1.05)
    for what in ("descriptors", "threads"):
        yield Target(f"{what} more", None, late[what] - early[what], 0)


def shoot(path: Path, size: Size, fps: float) -> None:
    """Write a clip of the drawn person."""
    source, sink = PatternSource(size, 30.0, CLIP, realtime=False), RecordingSink(path, fps)
    for number in range(CLIP):
        sink.write(replace(source.read(), captured_at=number / fps))
    sink.close()


def main(
    runs: Annotated[int, typer.Option(min=1, help="starts of each kind")] = 3,
    seconds: Annotated[float, typer.Option(min=1, help="of idling, and of working")] = 20.0,
    frames: Annotated[
        int | None, typer.Option(min=100, help="only last for so many; a day has 2,600,000")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="last at 1280x720")] = False,
) -> None:
    """Measure starts, idling and work, or endurance; print each figure and write the page."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        living = chain(starts(folder, runs), wakes(folder, runs), idles(folder, seconds))
        for target in lasts(folder, frames, full) if frames else chain(living, works(seconds)):
            print(f"{target.what}: {target.found:.2f} (<= {target.limit:g})", flush=True)
            found.append(target)
    if frames:
        words = f"--frames {frames}{' --full' if full else ''}"
        kind = "at 1280x720" if full else f"of {TOY_SIZE[0]}x{TOY_SIZE[1]}, with a toy network"
        about = f"`python -m benchmarks.desktop {words}`: as many frames as it can compose, {kind}."
        put("lasting", f"## A program that lasts\n\n{about}\n\n{targets(found)}")
    else:
        put("desktop", f"## A program to live with\n\n{ABOUT}\n\n{targets(found)}")


if __name__ == "__main__":
    enter(lambda: typer.run(main))
