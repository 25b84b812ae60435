"""Live figures of one line. Floor 1. Written by its threads, read by the status line and web."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from typing_extensions import TypedDict  # pydantic describes no other one before Python 3.12

WINDOW = 150
"""Frames that a median looks back: five seconds at 30 frames a second."""


class Snapshot(TypedDict):
    """Figures at one moment; milliseconds, frames a second, counts since the start.

    `eased` names what the governor has given up last, or is empty. `figures` are means of what
    parts measure, such as `flicker`: the mean change of alpha from frame to frame, x 1000, on
    pixels believed still.
    """

    state: str
    eased: str
    frames: int
    fps: float
    age_ms: dict[str, float]
    steps_ms: dict[str, float]
    figures: dict[str, float]
    counts: dict[str, int]
    light: dict[str, float | str]


class Stats:
    """Counts since the start; step times, ages and figures of the last `window` frames."""

    def __init__(self, window: int = WINDOW) -> None:
        self._lock = threading.Lock()
        self._steps: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=window))
        self._figures: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=window))
        self._ages: deque[float] = deque(maxlen=window)
        self._composed: deque[float] = deque(maxlen=window)
        self._frames = 0
        self._worked: dict[str, int] = {}
        self._counts: Counter[str] = Counter()
        self._light: dict[str, float | str] = {}
        self.state = "starting"
        self.eased = ""

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Measure one step of the path of a frame."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._record(step, (time.perf_counter() - began) * 1e3)

    def _record(self, step: str, duration_ms: float) -> None:
        with self._lock:
            self._steps[step].append(duration_ms)
            self._worked[step] = self._frames

    def composed(self) -> None:
        """One more picture has been composed."""
        with self._lock:
            self._frames += 1
            self._composed.append(time.monotonic())

    def delivered(self, captured_at: float) -> None:
        """A picture reached a sink; its age counts from the moment of capture."""
        with self._lock:
            self._ages.append((time.monotonic() - captured_at) * 1e3)

    def count(self, what: str, by: int = 1) -> None:
        """Count an event such as `drops` or `frame errors`."""
        with self._lock:
            self._counts[what] += by

    def measure(self, name: str, value: float) -> None:
        """One frame's value of a figure of the picture."""
        with self._lock:
            self._figures[name].append(value)

    def tell_light(self, verdict: dict[str, float | str]) -> None:
        """Take what was found about the person's light (`scene.lighting`)."""
        with self._lock:
            self._light = verdict

    def times_ms(self) -> dict[str, list[float]]:
        """Return each step's times in milliseconds, steps and times in their order."""
        with self._lock:
            return {name: list(times) for name, times in self._steps.items()}

    def picture_s(self, frames: int) -> float:
        """Return the seconds of work in one of the last so many pictures, by each step's median."""
        with self._lock:
            lately = [list(times)[-frames:] for times in self._at_work().values()]
        return sum(median(times) for times in lately) / 1e3

    def _at_work(self) -> dict[str, deque[float]]:
        """Return the times of the steps that the last picture went through: some can be turned
        off. Call it with the lock."""
        last = self._frames - 1
        return {name: times for name, times in self._steps.items() if self._worked[name] >= last}

    def snapshot(self) -> Snapshot:
        """Return the figures of the last seconds."""
        with self._lock:
            ages = sorted(self._ages)
            return Snapshot(
                state=self.state,
                eased=self.eased,
                frames=self._frames,
                fps=_rate(self._composed),
                age_ms={"p50": _percentile(ages, 0.5), "p95": _percentile(ages, 0.95)},
                steps_ms={
                    name: _percentile(sorted(times), 0.5) for name, times in self._at_work().items()
                },
                figures={name: round(sum(of) / len(of), 3) for name, of in self._figures.items()},
                counts=dict(self._counts),
                light=self._light,
            )


def _percentile(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2) if ordered else 0.0


def _rate(moments: deque[float]) -> float:
    recent = [moment for moment in moments if moment > time.monotonic() - 2.0]
    if len(recent) < 2:
        return 0.0
    return round((len(recent) - 1) / (recent[-1] - recent[0]), 1)
