"""What `scrim bench` measures: each step of the path of a frame, on this machine. Floor 4.

Pictures are drawn before the clock starts; what is measured is `Pipeline.step`, one thread calling
it as fast as it can.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, cycle, islice

import psutil
from rich.table import Table

from realtime import config as cfg
from realtime.build import make_pipeline
from realtime.contract import Size
from realtime.frame import Frame
from realtime.matting.engine import MattingModel
from realtime.sources.pattern import PatternSource
from realtime.stats import Stats

SIZES: tuple[Size, ...] = ((640, 360), (1280, 720), (1920, 1080))

WHOLE = "Pipeline.step"
"""Name of the row that holds all steps together."""

FPS = 30.0
DRAWN = 16
"""Pictures held in memory; they are shown forth and back, so that motion has no jumps."""

WARM_UP = 20
"""Frames before the clock starts: the first compiles the network and fills caches."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Middle and nearly worst of many times, in milliseconds."""

    median_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Row:
    """One size's figures. `steps` has one entry a step, in their order, and `WHOLE`.

    `cpu_ms` is the time of all threads a frame; `resident_mb` is the most memory the process
    held after any frame, in 10^6 bytes, with the `DRAWN` pictures.
    """

    size: Size
    steps: dict[str, Spread]
    fps: float
    cpu_ms: float
    resident_mb: float


def measure(
    config: cfg.Config, model: MattingModel, frames: int, sizes: Sequence[Size] = SIZES
) -> list[Row]:
    """Return a row a size, of `frames` frames each. Raises `ModelError`, `ConfigError`."""
    return [_measure(config, model, size, frames) for size in sizes]


def _measure(config: cfg.Config, model: MattingModel, size: Size, frames: int) -> Row:
    stats = Stats(window=frames)  # so short a memory has forgotten the warm-up at the end
    pipeline = make_pipeline(config, model, stats)
    shown = replay(draw(size))
    for frame in islice(shown, WARM_UP):
        pipeline.step(frame)
    process, resident = psutil.Process(), 0
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    for frame in islice(shown, frames):
        with stats.timed(WHOLE):
            pipeline.step(frame)
        resident = max(resident, process.memory_info().rss)
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    return Row(
        size=size,
        steps={name: spread(times) for name, times in stats.times_ms().items()},
        fps=round(frames / wall_s, 1),
        cpu_ms=round(cpu_s / frames * 1e3, 2),
        resident_mb=round(resident / 1e6, 1),
    )


def draw(size: Size) -> list[Frame]:
    """Return `DRAWN` consecutive pictures of a drawn person."""
    source = PatternSource(size, FPS, DRAWN, realtime=False)
    return [source.read() for _ in range(DRAWN)]


def replay(frames: Sequence[Frame]) -> Iterator[Frame]:
    """Show pictures forth and back without end, numbered and stamped as by a camera at `FPS`."""
    for number, frame in enumerate(cycle(chain(frames, frames[-2:0:-1]))):
        yield Frame(frame.i420, number, number / FPS)


def spread(times_ms: Iterable[float]) -> Spread:
    """Return median and 95th percentile (nearest rank) of at least one time."""
    ordered = sorted(times_ms)
    at = [ordered[math.ceil(len(ordered) * share) - 1] for share in (0.5, 0.95)]
    return Spread(round(at[0], 2), round(at[1], 2))


def table(rows: Sequence[Row]) -> Table:
    """Lay rows out for a terminal: a column a size, the times as median / 95th percentile."""
    shown = Table("ms a frame, median / p95", box=None)
    for row in rows:
        shown.add_column(f"{row.size[0]}x{row.size[1]}", justify="right")
    for step in rows[0].steps:
        spreads = (row.steps[step] for row in rows)
        shown.add_row(step, *(f"{at.median_ms:.2f} / {at.p95_ms:.2f}" for at in spreads))
    shown.add_section()
    shown.add_row("frames a second", *(f"{row.fps:.0f}" for row in rows))
    shown.add_row("CPU ms a frame", *(f"{row.cpu_ms:.2f}" for row in rows))
    shown.add_row("resident MB", *(f"{row.resident_mb:.0f}" for row in rows))
    return shown
