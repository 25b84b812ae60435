"""What living with Scrim costs: how long it takes to start, idles at, works at, and keeps.

    python -m benchmarks.desktop                     # a few minutes; --frames for a long run

Each program runs by itself, as `scrim run` does. Without a camera the drawn person is filmed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import psutil
import typer

from benchmarks.page import Target, put, targets
from benchmarks.process import ROOT, run
from realtime.ctl import send, socket_path
from realtime.errors import ControlUnavailable, enter

PATIENCE_S = 60.0


class Program:
    """A running `scrim run` with a cache and a socket in a folder of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.began = time.monotonic()
        here = {"XDG_RUNTIME_DIR": str(folder), "XDG_CACHE_HOME": str(folder)}
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
        until = time.monotonic() + PATIENCE_S + frames / 2
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

    def stop(self) -> None:
        """Stop it as a user does."""
        self._process.terminate()
        self._process.wait()


@contextmanager
def program(folder: Path, *words: str) -> Iterator[Program]:
    """Run a program as long as the context lasts."""
    running = Program(folder, *words)
    try:
        yield running
    finally:
        running.stop()


def starts(folder: Path, runs: int) -> dict[str, list[float]]:
    """Seconds from the command to the first composed picture, without and with OpenVINO's cache."""
    found: dict[str, list[float]] = {"cold": [], "warm": []}
    for number in range(runs):
        empty = folder / f"start-{number}"
        empty.mkdir()
        for times in found.values():
            with program(empty, "-i", "pattern", "--no-web") as running:
                running.wait_for(1)
                times.append(round(time.monotonic() - running.began, 2))
    return found


def idle(folder: Path, seconds: float) -> float:
    """Percent of a core on demand while nobody watches, with the studio served."""
    demand = ("--set", "camera.on_demand=true", "--port", "0")
    with program(folder, "-i", "pattern", *demand) as running:
        while running.figures().get("state") != "nobody watches":
            time.sleep(0.2)
        time.sleep(2)
        return running.share(seconds)


def endurance(folder: Path, frames: int, size: tuple[int, int]) -> dict[str, Any]:
    """Memory and descriptors after a tenth of the frames and after all of them."""
    width, height = size
    words = [f"camera.width={width}", f"camera.height={height}", "camera.fps=120"]
    words += ["governor.enabled=false"]
    sets = [part for word in words for part in ("--set", word)]
    with program(folder, "-i", "pattern", "--no-web", *sets) as running:
        running.wait_for(max(1, frames // 10))
        early = running.keeps()
        running.wait_for(frames)
        return {"frames": frames, "early": early, "late": running.keeps()}


def part(found: dict[str, Any]) -> str:
    """Return the page's part: each figure beside what it is to reach."""
    start, live, long = found["start_s"], found["live"], found["endurance"]
    early, late = long["early"], long["late"]
    rows = [
        Target("start to first picture, cold, s", None, median(start["cold"]), 4.0),
        Target("the same, warm, s", None, median(start["warm"]), 2.5),
        Target("idle on demand, % of a core", None, found["idle_percent"], 0.5),
        Target("live 1280x720 at 30, % of a core", None, 100 * live["cpu_share"], 35),
        Target("age p50, ms", None, live["age_p50_ms"], 1000 / 30),
        Target("memory, last over first tenth", None, late["memory_mb"] / early["memory_mb"], 1.05),
        Target("descriptors more", None, late["descriptors"] - early["descriptors"], 0),
    ]
    return f"## A program to live with\n\n{long['frames']} frames.\n\n{targets(rows)}"


def main(
    runs: Annotated[int, typer.Option(min=1, help="starts of each kind")] = 3,
    seconds: Annotated[float, typer.Option(min=1, help="of idling, and of working")] = 20.0,
    frames: Annotated[int, typer.Option(min=100, help="of the endurance run")] = 6000,
    size: Annotated[tuple[int, int], typer.Option(help="of its pictures")] = (320, 180),
) -> None:
    """Measure starts, idling, work and endurance, print the figures and write them on the page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {
            "start_s": starts(folder, runs),
            "idle_percent": idle(folder, seconds),
            "live": run("benchmarks.line", "--seconds", str(seconds)),
            "endurance": endurance(folder, frames, size),
        }
    print(json.dumps(found, indent=2))
    put("desktop", part(found))


if __name__ == "__main__":
    enter(lambda: typer.run(main))
