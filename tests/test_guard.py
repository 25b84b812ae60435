"""What is shown for a frame that could not be composed, on a clock of its own."""

from __future__ import annotations

import numpy as np
import pytest

from realtime import guard as guard_of
from realtime.contract import Size
from realtime.errors import ModelError
from realtime.frame import Frame
from realtime.guard import LOST_S, MAX_FAILURES, Guard
from realtime.pipeline import HOLD_S
from realtime.pixels import colour, slate
from realtime.stats import Stats

SIZE, OTHER = (64, 36), (48, 64)
RED, BLUE = (0, 0, 200), (200, 0, 0)


class Clock:
    """Stands in for the module `time`."""

    now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


class Line:
    """A pipeline that composes what it is given, or breaks; its backdrop is blue, or broken."""

    works = True
    shows = True

    def step(self, frame: Frame) -> Frame:
        if not self.works:
            raise RuntimeError("inference failed")
        return frame

    def alone(self, size: Size) -> Frame:
        if not self.shows:
            raise OSError("the clip is gone")
        return colour(size, BLUE)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(guard_of, "time", clock)
    return clock


def is_blue(frame: Frame, size: Size) -> bool:
    return np.array_equal(frame.i420, colour(size, BLUE).i420)


def test_the_last_picture_is_held_for_a_moment_and_then_there_is_nobody(clock: Clock) -> None:
    line = Line()
    guard, frame = Guard(line, Stats()), colour(SIZE, RED)  # type: ignore[arg-type]
    line.works = False
    assert is_blue(guard.step(frame), SIZE), "before the first picture"
    line.works = True
    good = guard.step(frame)
    line.works = False
    clock.now_s += 0.9 * HOLD_S
    assert guard.step(frame) is good
    assert is_blue(guard.step(colour(OTHER, RED)), OTHER), "it would be of another size"
    clock.now_s += 0.2 * HOLD_S
    assert is_blue(guard.step(frame), SIZE)
    line.shows = False
    assert np.array_equal(guard.step(frame).i420, slate(SIZE).i420)


def test_only_failures_in_a_row_are_the_end(clock: Clock) -> None:
    line, stats = Line(), Stats()
    guard, frame = Guard(line, stats), colour(SIZE, RED)  # type: ignore[arg-type]
    for _ in range(2):
        line.works = False
        for _ in range(MAX_FAILURES - 1):
            guard.step(frame)
        line.works = True
        guard.step(frame)
    line.works = False
    with pytest.raises(ModelError, match=f"{MAX_FAILURES} frames in a row"):
        for number in range(MAX_FAILURES):
            clock.now_s += LOST_S * (number == MAX_FAILURES - 1)
            guard.step(frame)
    counts = stats.snapshot()["counts"]
    assert counts == {"frame errors": 3 * MAX_FAILURES - 2}


def test_many_failures_of_a_fast_camera_within_an_instant_are_not_the_end(clock: Clock) -> None:
    line = Line()
    guard, frame = Guard(line, Stats()), colour(SIZE, RED)  # type: ignore[arg-type]
    line.works = False
    for _ in range(MAX_FAILURES + 5):
        clock.now_s += LOST_S / 120
        guard.step(frame)
    line.works = True
    assert guard.step(frame) is frame
