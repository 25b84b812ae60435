"""A whole local line at a camera's rate: what share of one core it takes, how old pictures are."""

from __future__ import annotations

import threading
import time
from typing import Annotated

import numpy as np
import typer

from benchmarks.meter import peak_mb, tell
from realtime import config as cfg
from realtime.bench import FPS, draw, replay
from realtime.build import load_model, make_pipeline
from realtime.contract import Size
from realtime.delivery import Outlet
from realtime.door import enter
from realtime.errors import EndOfStream
from realtime.frame import Bytes, Frame
from realtime.pixels import blank
from realtime.runner import Runner
from realtime.stats import Stats

SIZE: Size = (1280, 720)

WARM_UP_S = 2.0


class Camera:
    """A source of drawn pictures at `FPS`; they are drawn before it opens."""

    fps = FPS

    def __init__(self) -> None:
        self._frames = replay(draw(SIZE))
        self._closed = threading.Event()
        self._due_s = time.monotonic()

    def read(self) -> Frame:
        """Return the next picture at its time."""
        self._closed.wait(self._due_s - time.monotonic())
        if self._closed.is_set():
            raise EndOfStream
        self._due_s += 1 / FPS
        frame = next(self._frames)
        return Frame(frame.i420, frame.number, time.monotonic())

    def close(self) -> None:
        """End the stream."""
        self._closed.set()


class Copier:
    """A sink that does in memory what writing to a virtual camera does: it copies all bytes."""

    def __init__(self) -> None:
        self._held: Bytes = blank(SIZE)

    def write(self, frame: Frame) -> None:
        """Take a picture."""
        np.copyto(self._held, frame.i420)

    def close(self) -> None:
        """Nothing is open."""


def measure(model: str, backdrop: str, seconds: float) -> dict[str, float]:
    """Return CPU as a share of one core, ages in ms, rate, drops and peak memory in MB."""
    tables = {"matting": {"model": model}, "scene": {"backdrop": backdrop}}
    config = cfg.Config().with_values(tables)
    stats = Stats(window=int(seconds * FPS))
    pipeline = make_pipeline(config, load_model(config.matting), stats)
    line = Runner(Camera, pipeline, [Outlet("copy", Copier, FPS)], SIZE, stats)
    line.start()
    _run(line, WARM_UP_S)
    before, cpu_s, wall_s = stats.snapshot(), time.process_time(), time.perf_counter()
    _run(line, seconds)
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    after = stats.snapshot()
    line.stop()
    return {
        "cpu_share": cpu_s / wall_s,
        "age_p50_ms": after["age_ms"]["p50"],
        "age_p95_ms": after["age_ms"]["p95"],
        "fps": (after["frames"] - before["frames"]) / wall_s,
        "drops": after["counts"].get("drops", 0) - before["counts"].get("drops", 0),
        "peak_mb": peak_mb(),
    }


def _run(line: Runner, seconds: float) -> None:
    if line.wait(seconds) and line.error:
        raise line.error


def main(
    model: Annotated[str, typer.Option(help="a name of `scrim models` or a path")] = "default",
    backdrop: Annotated[str, typer.Option(help='"blur", "#rrggbb", a picture, a video')] = "blur",
    seconds: Annotated[float, typer.Option(min=1)] = 20.0,
) -> None:
    """Measure a local line and print the figures as JSON."""
    tell(measure(model, backdrop, seconds))


if __name__ == "__main__":
    enter(lambda: typer.run(main))
