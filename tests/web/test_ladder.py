"""Which size a viewer's link can carry."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.web.ladder import MAX_RUNGS, Climber, Report, rungs

HD = rungs((1280, 720))


@given(st.integers(1, 2000), st.integers(1, 2000))
def test_rungs_are_even_and_become_smaller(half_width: int, half_height: int) -> None:
    found = rungs((2 * half_width, 2 * half_height))
    assert found[0].size == (2 * half_width, 2 * half_height)
    assert 1 <= len(found) <= MAX_RUNGS
    for one, below in pairwise(found):
        assert below.rate < one.rate
        assert not below.size[0] % 2 and not below.size[1] % 2 and min(below.size) >= 90


@given(st.lists(st.tuples(st.floats(0, 1e20), st.floats(0, 1e9), st.floats(0, 100)), max_size=50))
def test_no_estimate_leads_off_the_ladder(said: list[tuple[float, float, float]]) -> None:
    climber, now = Climber(), 0.0
    for estimate, sent, later in said:
        now += later
        assert 0 <= climber.judge(Report(estimate), sent, HD, now) < len(HD)
    assert 0 <= climber.judge(Report(1e6), 1e5, HD[:1], now) < 1


def walk(climber: Climber, link: float, seconds: int, began: int) -> list[int]:
    """Send over a link, and hear twice a second what a receiver would estimate."""
    seen = []
    for half in range(2 * seconds):
        sent = HD[climber.rung].rate
        estimate = 0.85 * link if sent > link else 1.4 * sent
        report, below = Report(estimate, lost=max(0.0, 1 - link / sent)), climber.rung
        seen.append(climber.judge(report, sent, HD, began + half / 2))
        if climber.rung < below and link < 1.5 * HD[climber.rung].rate:
            climber.fail(began + half / 2)
    return seen


def test_a_narrow_link_is_left_alone_and_a_wide_one_found_again() -> None:
    climber = Climber()
    assert set(walk(climber, 10e6, 20, began=100)) == {0}
    narrow = walk(climber, 500e3, 60, began=200)
    assert narrow[:2] == [2] * 2, "down at once, and as far as needed"
    tried = [half / 2 for half, rung in enumerate(narrow) if rung == 1]
    pauses = [later - sooner for sooner, later in pairwise(tried)]
    assert pauses == sorted(pauses) and pauses[0] <= 1.5 and pauses[-1] > 4, "ever more rarely"
    wide = walk(climber, 10e6, 8, began=260)
    assert wide[-1] == 0 and wide.count(1) == 2, "the second step follows a second on the first"


def test_a_link_that_was_narrow_for_ten_seconds_is_wide_again_within_three() -> None:
    climber = Climber()
    walk(climber, 500e3, 10, began=100)
    assert walk(climber, 10e6, 3, began=110)[-1] == 0


def test_a_still_picture_does_not_look_like_a_narrow_link() -> None:
    climber = Climber()
    for second in range(100, 160):  # far less is sent than the rung may have
        assert climber.judge(Report(90_000), 100_000, HD, second) == 0


@pytest.mark.parametrize("trouble", [Report(373e3, 0.2), Report(373e3, 0, 0.3), Report(350e3)])
def test_an_estimate_that_stands_still_does_not_hide_a_wide_link(trouble: Report) -> None:
    climber, still = Climber(), Report(373e3)
    climber.judge(still, HD[0].rate, HD, 100.0)
    assert climber.rung == 2
    for now in range(101, 106):
        climber.judge(still, HD[climber.rung].rate, HD, float(now))
    assert climber.rung == 0, "nothing is lost and nothing is late"
    climber.judge(trouble, HD[0].rate, HD, 107.0)
    assert climber.rung == 2
