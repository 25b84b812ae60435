"""Step 3: what is still is held, what moves is followed, and a new beginning is seen as one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pytest

from realtime.frame import Alpha, Bytes
from realtime.matting.change import Look, Watch
from realtime.matting.patches import people
from realtime.matting.temporal import FlowSmoother, GatedSmoother

SHAPE = (72, 128)

Smoother = GatedSmoother | FlowSmoother
Make = Callable[[float], Smoother]
both = pytest.mark.parametrize("make", [GatedSmoother, FlowSmoother])


def level(value: float) -> Alpha:
    return np.full(SHAPE, value, np.float32)


def grey(value: int) -> Bytes:
    return np.full((*SHAPE, 3), value, np.uint8)


def room() -> Bytes:
    """A room with something to see in it."""
    spots = np.random.default_rng(4).integers(40, 120, (9, 16, 3), np.uint8)
    return cv2.resize(spots, SHAPE[::-1], interpolation=cv2.INTER_CUBIC)


def hand(x: int) -> tuple[Alpha, Bytes]:
    """Return the matte and the picture of a bright disc before a room."""
    mask = cv2.circle(np.zeros(SHAPE, np.uint8), (x, 36), 10, 255, -1)
    picture = room()
    picture[mask > 0] = 190
    return mask / np.float32(255), picture


def flicker(mattes: list[Alpha]) -> float:
    return float(np.mean([np.abs(b - a).mean() for a, b in pairwise(mattes)]))


def looks(pictures: list[Bytes]) -> list[Look]:
    watch = Watch()
    return [watch.look(picture, n / 30) for n, picture in enumerate(pictures)]


def run(smoother: Smoother, mattes: list[Alpha], pictures: list[Bytes]) -> list[Alpha]:
    return [smoother.smooth(*both) for both in zip(mattes, looks(pictures), strict=True)]


@both
@pytest.mark.parametrize("strength", [0.3, 0.8])
def test_strength_is_the_share_of_the_old_matte(make: Make, strength: float) -> None:
    steady = run(make(strength), [level(1.0), level(0.95), level(0.95)], [room()] * 3)
    first = 0.05 if make is GatedSmoother else 0.025  # the mean of the last two
    np.testing.assert_allclose(steady[1], 1 - first * (1 - strength), atol=1e-4)
    np.testing.assert_allclose(steady[2], 0.95 + strength * (steady[1] - 0.95), atol=1e-4)


def test_what_two_looks_in_turn_see_differently_is_no_flicker() -> None:
    """And neither is it while the person moves: the look before is carried along."""
    shifts = [0] * 6 + list(range(6))
    scene = [hand(40 + 2 * shift) for shift in shifts]
    mattes = [(0.8 + 0.2 * (n % 2)) * alpha for n, (alpha, _) in enumerate(scene)]
    steady = run(FlowSmoother(0.0001), mattes, [picture for _, picture in scene])
    inside = [
        alpha[33:40, 2 * s + 37 : 2 * s + 44] for alpha, s in zip(steady, shifts, strict=True)
    ]
    assert all(np.abs(part - 0.9).max() < 0.02 for part in inside[1:])


@both
def test_a_flickering_matte_of_a_still_picture_is_steadied(make: Make) -> None:
    random = np.random.default_rng(1)
    raw = [np.clip(0.5 + random.normal(0, 0.1, SHAPE), 0, 1).astype(np.float32) for _ in range(30)]
    guides = [(room() + random.normal(0, 2, (*SHAPE, 3))).astype(np.uint8) for _ in raw]
    steady = run(make(0.8), raw, guides)
    assert flicker(steady[5:]) < 0.5 * flicker(raw[5:])
    assert abs(float(np.mean(steady[-1])) - 0.5) < 0.02


@both
def test_a_static_scene_gives_a_static_matte(make: Make) -> None:
    alpha, picture = hand(60)
    assert all((steady == alpha).all() for steady in run(make(0.8), [alpha] * 5, [picture] * 5))


@both
def test_an_undecided_matte_has_less_say(make: Make) -> None:
    steady = run(make(0.8), [level(0.6), level(0.45), *[level(0.2)] * 20], [room()] * 22)
    assert steady[1].min() > 0.58, "still person"
    assert steady[-1].max() < 0.25, "a decided matte is believed in the end"


@both
def test_a_leap_of_the_light_is_no_motion(make: Make) -> None:
    pictures = [room(), (room() * 1.4).astype(np.uint8), room()]
    steady = run(make(0.8), [level(0.9), level(0.4), level(0.9)], pictures)
    assert min(float(alpha.min()) for alpha in steady) > 0.75


@both
def test_nothing_is_left_behind_a_fast_hand_and_nothing_lags(make: Make) -> None:
    mattes, guides = zip(*(hand(20 + 8 * n) for n in range(10)), strict=True)
    steady = run(make(0.95), list(mattes), list(guides))
    for raw, smooth in zip(mattes[1:], steady[1:], strict=True):
        wrong = np.abs(raw - smooth) > 0.1
        ring = cv2.morphologyEx(raw, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8)) > 0
        assert not (wrong & ~ring).any(), "a ghost"
        assert np.abs(raw - smooth).mean() < 0.004, "a lag"


@both
def test_slow_motion_is_not_left_behind(make: Make) -> None:
    """A quarter of a pixel a frame: a plain average of this strength would be five pixels late."""
    mattes, guides = zip(*(hand(20 + n // 4) for n in range(80)), strict=True)
    steady = run(make(0.95), list(mattes), list(guides))
    assert np.abs(steady[-1] - mattes[-1]).mean() < 0.01


def test_the_old_matte_moves_with_what_it_shows() -> None:
    """The network loses a moving hand for one frame: the gate lets go of it, the flow does not."""
    mattes, guides = zip(*(hand(40 + 2 * n) for n in range(7)), strict=True)
    person = mattes[-1] > 0
    lost = [
        1 - float(run(make(0.9), [*mattes[:-1], 0.3 * mattes[-1]], list(guides))[-1][person].mean())
        for make in (GatedSmoother, FlowSmoother)
    ]
    assert lost[1] < 0.75 * lost[0]


def test_the_matte_stays_where_it_is_far_from_all_motion() -> None:
    first, second = looks([hand(20)[1], hand(22)[1]])
    matte = np.random.default_rng(8).random(SHAPE, np.float32)
    smoother = FlowSmoother(0.9)
    smoother.smooth(matte, first)
    carried = smoother.carry(second)
    assert carried is not None
    assert (carried[:, 64:] == matte[:, 64:]).all() and (carried[:, :32] != matte[:, :32]).any()


@both
@pytest.mark.parametrize(("before", "after"), [(0.0, 0.4), (0.4, 0.0)])
def test_a_person_who_enters_or_leaves_is_believed_at_once(
    make: Make, before: float, after: float
) -> None:
    steady = run(make(0.9), [level(before), level(after)], [room()] * 2)
    assert (steady[1] == np.float32(after)).all()


@both
def test_a_new_scene_is_a_new_beginning(make: Make) -> None:
    tall = np.ones((128, 72), np.float32)
    mattes = [level(0.5), tall, level(0.5), level(0.9)]
    cut = np.ascontiguousarray(255 - room())
    steady = run(make(0.8), mattes, [room(), np.zeros((128, 72, 3), np.uint8), room(), cut])
    assert all((after is given) for after, given in zip(steady, mattes, strict=True))


@both
def test_reset_means_reset(make: Make) -> None:
    used, fresh = make(0.8), make(0.8)
    run(used, [level(0.9)] * 3, [room()] * 3)
    used.reset()
    mattes, guides = zip(*(hand(30 + 3 * n) for n in range(3)), strict=True)
    for look, alpha in zip(looks(list(guides))[1:], mattes[1:], strict=True):
        assert (used.smooth(alpha, look) == fresh.smooth(alpha, look)).all()


@both
def test_a_matte_never_leaves_its_range_whatever_the_picture(make: Make) -> None:
    random = np.random.default_rng(2)
    pictures = [grey(0), grey(255), grey(90), room(), grey(0), grey(255)]
    pictures += [random.integers(0, 256, (*SHAPE, 3), np.uint8) for _ in range(4)]
    pictures *= 2
    mattes = [(random.random(SHAPE) > 0.5).astype(np.float32) for _ in pictures]
    for steady in run(make(0.8), mattes, pictures):
        assert steady.dtype == np.float32 and np.isfinite(steady).all()
        assert steady.min() >= 0 and steady.max() <= 1


@both
def test_what_was_given_and_what_was_returned_is_never_written_to(make: Make) -> None:
    mattes, pictures = [level(0.5), level(1.0), level(1.0)], [grey(90), grey(100), grey(110)]
    returned = run(make(0.8), mattes, pictures)
    assert (mattes[0] == 0.5).all() and (returned[0] == 0.5).all() and (pictures[0] == 90).all()


def patches() -> Alpha:
    """A person of 40 x 40 with a soft rim, one of 20 x 20 and a speck of 5 x 5."""
    alpha = np.zeros(SHAPE, np.float32)
    alpha[10:50, 10:50], alpha[10:50, 50] = 1.0, 0.4
    alpha[10:30, 80:100] = 0.9
    alpha[60:65, 120:125] = 0.8
    return alpha


def test_small_patches_vanish_with_their_rims_and_nothing_else_changes() -> None:
    alpha = patches()
    cleaned = people(alpha, 0.05)
    assert (cleaned[60:65, 120:125] == 0).all()
    assert (cleaned[:56] == alpha[:56]).all()
    assert (people(alpha, 1.0)[:, 60:] == 0).all(), "the main person only"
    assert (people(alpha, 1.0)[:, :60] == alpha[:, :60]).all()
    assert people(alpha, 0.0) is alpha
    assert (alpha == patches()).all()


def test_a_large_patch_that_is_nowhere_sure_is_no_person_beside_one() -> None:
    alpha = patches()
    alpha[55:72, :100] = 0.4
    assert (people(alpha, 0.05)[55:] == 0).all()
    alone = np.where(alpha == np.float32(0.4), alpha, 0)
    assert people(alone, 0.05) is alone, "without a person beside it there is no telling"


def test_a_patch_that_is_hardly_ever_certain_is_no_person() -> None:
    alpha = patches()  # the person alone goes beyond 0.95
    assert (people(alpha, 0.0, 0.3)[:, 60:] == 0).all()
    assert (people(alpha, 0.0, 0.3)[:, :60] == alpha[:, :60]).all()
    alone = np.where(alpha < 0.95, alpha, 0)
    assert (people(alone, 0.0, 0.3) == 0).all(), "nobody else need be there"
    assert people(alone, 0.0, 0.0) is alone
    assert (people(level(0.4), 0.0, 0.3) == 0).all()


@pytest.mark.parametrize(("certain_rows", "stays"), [(2, False), (4, True), (8, True)])
def test_a_patch_that_was_there_needs_half_the_certainty(certain_rows: int, stays: bool) -> None:
    alpha = np.zeros(SHAPE, np.float32)
    alpha[10:30, 10:30] = 0.9
    alpha[10 : 10 + certain_rows, 10:30] = 1.0
    assert people(alpha, 0.0, 0.3).any() == (certain_rows >= 6)
    assert people(alpha, 0.0, 0.3, before=alpha).any() == stays
    assert people(alpha, 0.0, 0.3, before=alpha[:, ::-1]).any() == (certain_rows >= 6)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_matte_of_one_patch_or_none_is_left_as_it_is(value: float) -> None:
    alpha = level(value)
    assert people(alpha, 1.0) is alpha
