"""GrabCut for stills: it finds an outline by colour, votes, and spoils nothing that is sure."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime import pixels
from realtime.frame import Alpha, Bytes, Frame
from realtime.matting.grabcut import GrabCutRefiner, band_around, cut, inside, vote
from realtime.matting.refine import GuidedRefiner

SIZE = (240, 180)
COARSE = (48, 36)
BOX = (70, 50, 100, 130)


def person() -> Bytes:
    """Return a mask, 0 or 255: a head on shoulders that reach the lower border."""
    mask = np.zeros(SIZE[::-1], np.uint8)
    cv2.circle(mask, (120, 80), 26, 255, -1)
    cv2.ellipse(mask, (120, 180), (46, 70), 0, 0, 360, 255, -1)
    return mask


def picture(mask: Bytes, bgr: tuple[int, int, int] = (60, 90, 200)) -> Bytes:
    """Return a person of one colour before a noisy green room."""
    random = np.random.default_rng(0)
    room = random.normal((90, 140, 60), 12, (*mask.shape, 3))
    shown = np.where(mask[..., None] > 0, random.normal(bgr, 12, room.shape), room)
    return np.clip(shown, 0, 255).astype(np.uint8)


def refined(refiner: GrabCutRefiner | GuidedRefiner, alpha: Alpha, frame: Frame) -> Bytes:
    guide = pixels.thumbnail(frame, (alpha.shape[1], alpha.shape[0]))
    fine = refiner.refine(alpha, guide, frame)
    assert fine.dtype == np.uint8 and fine.shape == (frame.height, frame.width)
    return fine


def share_wrong(mask: Bytes, true: Bytes) -> float:
    return float(np.count_nonzero((mask > 127) != (true > 127)) / mask.size)


def small(mask: Bytes) -> Alpha:
    return cv2.resize(mask, COARSE, interpolation=cv2.INTER_AREA) / np.float32(255)


def test_a_rectangle_is_enough_where_colours_differ() -> None:
    true = person()
    bgr = picture(true)
    before = bgr.copy()
    found = cut(bgr, inside(BOX, SIZE), rounds=3)
    assert set(np.unique(found)) <= {0, 255}
    assert share_wrong(found, true) < 0.01
    assert np.array_equal(bgr, before)


def test_a_wrong_mask_is_mended_within_the_band_and_nowhere_else() -> None:
    true = person()
    grown = cv2.dilate(true, np.ones((7, 7), np.uint8))
    cv2.rectangle(grown, (2, 2), (30, 30), 255, -1)  # a false person, far from the band's reach
    trimap = band_around(grown)
    found = cut(picture(true), trimap)
    assert share_wrong(found[40:], true[40:]) < 0.2 * share_wrong(grown[40:], true[40:])
    assert (found[10:20, 10:20] == 255).all()
    assert (found[trimap == cv2.GC_BGD] == 0).all() and (found[trimap == cv2.GC_FGD] == 255).all()


def test_the_band_is_as_wide_as_the_picture_says() -> None:
    widths = []
    for scale in (1, 2):
        mask = cv2.resize(person(), None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
        row = band_around(mask, band=0.05)[150 * scale]
        widths.append(np.count_nonzero((row == cv2.GC_PR_FGD) | (row == cv2.GC_PR_BGD)))
    assert widths[0] == pytest.approx(2 * 2 * 0.05 * SIZE[0], rel=0.15), "two edges, both sides"
    assert widths[1] == pytest.approx(2 * widths[0], rel=0.05)


@pytest.mark.parametrize("level", [0, 255])
def test_an_empty_and_a_full_matte_are_kept(level: int) -> None:
    matte = np.full(SIZE[::-1], level, np.uint8)
    assert (cut(picture(person()), band_around(matte)) == level).all()
    frame = pixels.from_bgr(picture(person()))
    fine = refined(GrabCutRefiner(), np.full(COARSE[::-1], level / 255, np.float32), frame)
    assert (fine == level).all()


def test_a_single_pixel_of_person_is_no_error() -> None:
    matte = np.zeros(SIZE[::-1], np.uint8)
    matte[90, 120] = 255
    assert cut(picture(person()), band_around(matte)).shape == matte.shape


def test_a_vote_leaves_what_is_sure_and_decides_what_is_not() -> None:
    matte = np.array([[0, 0, 64, 64, 102, 102, 192, 192, 255, 255]], np.uint8)
    outline = np.array([[0, 255] * 5], np.uint8)
    alpha = vote(matte, outline, 0.3)[0]
    assert alpha[:2] == pytest.approx(0, abs=1e-6) and alpha[-2:] == pytest.approx(1, abs=1e-6)
    assert list(alpha[2:8] > 0.5) == [False, False, False, True, True, True]
    assert (np.diff(alpha.reshape(5, 2), axis=1) >= 0).all(), "its say is never against the person"


def test_an_unsure_edge_finds_the_outline_of_the_colours() -> None:
    true = person()
    frame = pixels.from_bgr(picture(true))
    alpha = cv2.blur(small(true), (5, 5))
    plain = refined(GuidedRefiner(), alpha, frame)
    voted = refined(GrabCutRefiner(), alpha, frame)
    assert share_wrong(voted, true) < 0.7 * share_wrong(plain, true)


def test_a_failed_cut_is_outvoted() -> None:
    """Person and room of the same colours: nothing can be cut, the network's matte stays."""
    true = person()
    frame = pixels.from_bgr(picture(np.zeros_like(true)))
    alpha = small(true)
    plain = refined(GuidedRefiner(), alpha, frame)
    voted = refined(GrabCutRefiner(), alpha, frame)
    assert share_wrong(voted, plain) < 0.01


def test_a_large_picture_is_cut_small_and_comes_back_whole() -> None:
    true = cv2.resize(person(), (1400, 1050), interpolation=cv2.INTER_LINEAR)
    frame = pixels.from_bgr(picture(true))
    fine = refined(GrabCutRefiner(), small(true), frame)
    assert share_wrong(fine, true) < 0.01
    assert np.array_equal(fine, refined(GrabCutRefiner(), small(true), frame)), "always the same"
