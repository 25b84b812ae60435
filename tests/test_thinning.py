"""Which frames are left out: as many as asked for, also when others are missed."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from realtime.thinning import Thinning


def taken(every: float, numbers: Iterable[int]) -> list[int]:
    thinning, found = Thinning(), []
    thinning.every = every
    for number in numbers:
        if not thinning.leaves_out(number):
            thinning.take(number)
            found.append(number)
    return found


@pytest.mark.parametrize(
    ("every", "expected"),
    [(1, list(range(8))), (1.5, [0, 2, 3, 5, 6]), (2, [0, 2, 4, 6])],
)
def test_takes_its_share(every: float, expected: list[int]) -> None:
    assert taken(every, range(8)) == expected


def test_makes_good_what_was_missed() -> None:
    assert taken(2, [0, 1, 3, 4, 5, 6, 7]) == [0, 3, 4, 6]


def test_saves_nothing_up_while_nothing_comes() -> None:
    assert taken(2, [0, 100, 101, 102, 103]) == [0, 100, 102]


def test_begins_again_with_another_source() -> None:
    assert taken(2, [0, 1, 2, 3, 100, 101, 0, 1, 2]) == [0, 2, 100, 0, 2]
