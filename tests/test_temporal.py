"""Step 3: what is still is held, what moves is followed, and a new beginning is seen as one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pytest

from realtime.frame import Alpha, Bytes
from realtime.matting.temporal import GatedSmoother, OneEuroSmoother

SHAPE = (72, 128)
FRAME_S = 1 / 30

Smoother = GatedSmoother | OneEuroSmoother
both = pytest.mark.parametrize("make", [GatedSmoother, OneEuroSmoother])


def level(value: float) -> Alpha:
    return np.full(SHAPE, value, np.float32)


def grey(value: int) -> Bytes:
    return np.full((*SHAPE, 3), value, np.uint8)


def hand(x: int) -> tuple[Alpha, Bytes]:
    """Return the matte and the picture of a bright disc before a dark room."""
    mask = cv2.circle(np.zeros(SHAPE, np.uint8), (x, 36), 10, 255, -1)
    return (mask / np.float32(255)), cv2.merge([mask // 2 + 60] * 3)


def flicker(mattes: list[Alpha]) -> float:
    return float(np.mean([np.abs(b - a).mean() for a, b in pairwise(mattes)]))


def run(smoother: Smoother, mattes: list[Alpha], guides: list[Bytes]) -> list[Alpha]:
    return [
        smoother.smooth(alpha, guide, n * FRAME_S)
        for n, (alpha, guide) in enumerate(zip(mattes, guides, strict=True))
    ]


@both
def test_no_strength_is_off(make: Callable[[float], Smoother]) -> None:
    smoother, alpha = make(0.0), level(0.3)
    smoother.smooth(level(1.0), grey(90), 0.0)
    assert smoother.smooth(alpha, grey(90), FRAME_S) is alpha


@both
@pytest.mark.parametrize("strength", [0.3, 0.8])
def test_strength_is_the_share_of_the_old_matte(
    make: Callable[[float], Smoother], strength: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.matting.temporal.BETA", 0.0)
    smoother = make(strength)
    smoother.smooth(level(0.0), grey(90), 0.0)
    second = smoother.smooth(level(1.0), grey(90), FRAME_S)
    np.testing.assert_allclose(second, 1 - strength, atol=1e-4)


@both
def test_a_flickering_matte_of_a_still_picture_is_steadied(
    make: Callable[[float], Smoother],
) -> None:
    random = np.random.default_rng(1)
    raw = [np.clip(0.5 + random.normal(0, 0.1, SHAPE), 0, 1).astype(np.float32) for _ in range(30)]
    guides = [(90 + random.normal(0, 2, (*SHAPE, 3))).astype(np.uint8) for _ in raw]
    steady = run(make(0.8), raw, guides)
    assert flicker(steady[5:]) < 0.5 * flicker(raw[5:])
    assert abs(float(np.mean(steady[-1])) - 0.5) < 0.02


def test_the_gate_holds_harder_than_the_plain_average_where_the_matte_is_undecided() -> None:
    smoother = GatedSmoother(0.8)
    smoother.smooth(level(0.6), grey(90), 0.0)
    assert smoother.smooth(level(0.45), grey(90), FRAME_S).min() > 0.59, "still person"
    for n in range(2, 12):
        steady = smoother.smooth(level(0.0), grey(90), n * FRAME_S)
    assert steady.max() < 0.1, "a decided matte is believed in the end"


def test_nothing_is_left_behind_a_fast_hand_and_nothing_lags() -> None:
    mattes, guides = zip(*(hand(20 + 8 * n) for n in range(10)), strict=True)
    steady = run(GatedSmoother(0.95), list(mattes), list(guides))
    for raw, smooth in zip(mattes[1:], steady[1:], strict=True):
        assert np.abs(raw - smooth).max() < 0.02


def test_slow_motion_is_not_left_behind() -> None:
    """A quarter of a pixel a frame: a plain average of this strength would be five pixels late."""
    smoother = GatedSmoother(0.95)
    pictures = [hand(20 + n // 4) for n in range(80)]
    steady = run(smoother, [a for a, _ in pictures], [g for _, g in pictures])
    assert np.abs(steady[-1] - pictures[-1][0]).mean() < 0.01


def test_one_euro_follows_a_leap_sooner_than_a_drift() -> None:
    leap, drift = OneEuroSmoother(0.8), OneEuroSmoother(0.8)
    for smoother, step in ((leap, 1.0), (drift, 0.02)):
        smoother.smooth(level(0.0), grey(90), 0.0)
        for n in range(1, 4):
            last = smoother.smooth(level(step), grey(90), n * FRAME_S)
        caught_up = float(last.mean()) / step
        assert caught_up > 0.9 if smoother is leap else caught_up < 0.75


@both
@pytest.mark.parametrize(("first_at", "then_at"), [(0.0, 0.6), (5.0, 1.0)])
def test_a_gap_and_a_clock_going_back_are_new_beginnings(
    make: Callable[[float], Smoother], first_at: float, then_at: float
) -> None:
    smoother = make(0.8)
    smoother.smooth(level(0.0), grey(90), first_at)
    assert (smoother.smooth(level(1.0), grey(90), then_at) == 1).all()


@both
def test_a_new_size_is_a_new_beginning(make: Callable[[float], Smoother]) -> None:
    smoother = make(0.8)
    smoother.smooth(level(0.0), grey(90), 0.0)
    tall = np.ones((128, 72), np.float32)
    assert (smoother.smooth(tall, np.zeros((128, 72, 3), np.uint8), FRAME_S) == 1).all()


@both
def test_reset_forgets(make: Callable[[float], Smoother]) -> None:
    smoother = make(0.8)
    smoother.smooth(level(0.0), grey(90), 0.0)
    smoother.reset()
    assert (smoother.smooth(level(1.0), grey(90), FRAME_S) == 1).all()


def test_a_cut_to_another_scene_is_a_new_beginning() -> None:
    """Most of the picture changed; the matte starts again even where it did not."""
    smoother = GatedSmoother(0.8)
    before, after = grey(90), grey(90)
    after[:, 30:] = 200
    smoother.smooth(level(0.0), before, 0.0)
    assert (smoother.smooth(level(1.0), after, FRAME_S) == 1).all()


@both
def test_what_was_given_and_what_was_returned_is_never_written_to(
    make: Callable[[float], Smoother],
) -> None:
    smoother = make(0.8)
    first, guide = level(0.0), grey(90)
    returned = smoother.smooth(first, guide, 0.0)
    smoother.smooth(level(1.0), grey(120), FRAME_S)
    smoother.smooth(level(1.0), grey(120), 2 * FRAME_S)
    assert (first == 0).all() and (returned == 0).all() and (guide == 90).all()
