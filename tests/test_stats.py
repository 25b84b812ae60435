"""Live figures: what they count, and how far they look back."""

from __future__ import annotations

import pytest

from realtime import stats as stats_of
from realtime.stats import Stats


class Clock:
    """Stands in for the module `time`: it goes on when it is told to."""

    now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s

    perf_counter = monotonic


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(stats_of, "time", clock)
    return clock


def test_the_frame_rate_is_that_of_the_last_two_seconds(clock: Clock) -> None:
    stats = Stats()
    assert stats.snapshot()["fps"] == 0.0
    for _ in range(30):
        clock.now_s += 1.0
        stats.composed()
    for _ in range(50):
        clock.now_s += 0.04
        stats.composed()
    assert (stats.snapshot()["fps"], stats.snapshot()["frames"]) == (25.0, 80)
    clock.now_s += 2.0
    assert stats.snapshot()["fps"] == 0.0, "nothing comes any more"


def test_ages_and_step_times_are_those_of_the_window(clock: Clock) -> None:
    stats = Stats(window=10)
    for number in range(30):
        stats.delivered(clock.now_s - (number % 10 + 1) / 100)
        with stats.timed("matte"):
            clock.now_s += 0.5 if number < 20 else number / 1000
    figures = stats.snapshot()
    assert figures["age_ms"] == {"p50": 60.0, "p95": 100.0}
    assert figures["steps_ms"] == {"matte": 25.0}
    assert stats.times_ms()["matte"] == pytest.approx([*range(20, 30)])
    assert stats.picture_s(3) == pytest.approx(0.028)


def test_counts_and_means_are_kept_apart() -> None:
    stats = Stats()
    stats.count("drops", 2)
    stats.count("drops")
    for value in (1.0, 2.0):
        stats.measure("flicker", value)
    figures = stats.snapshot()
    assert (figures["counts"], figures["figures"]) == ({"drops": 3}, {"flicker": 1.5})
    assert figures["state"] == "starting"


def test_a_step_that_is_turned_off_counts_no_more(clock: Clock) -> None:
    stats = Stats()
    for steps in (("matte", "framing"), ("matte",)):
        for step in steps:
            with stats.timed(step):
                clock.now_s += 0.01
        stats.composed()
    assert list(stats.snapshot()["steps_ms"]) == ["matte"]
    assert stats.picture_s(2) == pytest.approx(0.01)
