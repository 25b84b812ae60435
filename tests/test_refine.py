"""Step 4: sure pixels stay sure, edges find their place in the frame, blocks leave no seam."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime import blocks, pixels
from realtime.frame import Alpha, Frame
from realtime.matting import refine
from realtime.matting.refine import GuidedRefiner, PlainUpsampler

COARSE = (256, 144)
FINE = (1280, 720)

both = pytest.mark.parametrize("make", [GuidedRefiner, PlainUpsampler])
Make = type[GuidedRefiner] | type[PlainUpsampler]


def person(size: tuple[int, int] = FINE) -> Alpha:
    """Return an exact matte: a tilted ellipse that reaches the lower border."""
    width, height = size
    mask = np.zeros((height, width), np.uint8)
    centre, axes = (width // 2, height), (width // 5, height * 3 // 4)
    cv2.ellipse(mask, centre, axes, 12, 0, 360, 255, -1, cv2.LINE_AA)
    return mask / np.float32(255)


def picture(alpha: Alpha, noise: float = 2.0) -> Frame:
    """Return a dark person before a bright, slightly noisy room."""
    random = np.random.default_rng(0)
    luma = 180 - 120 * alpha + random.normal(0, noise, alpha.shape)
    return pixels.from_bgr(cv2.merge([np.clip(luma, 0, 255).astype(np.uint8)] * 3))


def refined(refiner: GuidedRefiner | PlainUpsampler, alpha: Alpha, frame: Frame) -> Alpha:
    """Return the refined matte in 0..1, after a look at its kind."""
    guide = pixels.thumbnail(frame, (alpha.shape[1], alpha.shape[0]))
    fine = refiner.refine(alpha, guide, frame)
    assert fine.dtype == np.uint8 and fine.shape == (frame.height, frame.width)
    return fine / np.float32(255)


def small(alpha: Alpha, size: tuple[int, int] = COARSE) -> Alpha:
    return cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)


@both
@pytest.mark.parametrize("value", [0.0, 0.03, 0.97, 1.0])
@pytest.mark.parametrize("size", [FINE, (640, 480), (1366, 768), (130, 98)])
def test_a_sure_matte_is_exactly_0_or_1_whatever_the_picture(
    make: Make, value: float, size: tuple[int, int]
) -> None:
    random = np.random.default_rng(1)
    frame = Frame(random.integers(0, 255, (size[1] * 3 // 2, size[0]), np.uint8))
    fine = refined(make(), np.full(COARSE[::-1], value, np.float32), frame)
    assert (fine == round(value)).all()


@both
def test_far_from_the_edge_there_is_neither_haze_nor_hole(make: Make) -> None:
    exact = person()
    fine = refined(make(), small(exact), picture(exact, noise=6.0))
    around = np.ones((41, 41), np.uint8)
    room, body = cv2.dilate(exact, around) == 0, cv2.erode(exact, around) == 1
    assert room.any() and body.any()
    assert (fine[room] == 0).all() and (fine[body] == 1).all()
    assert fine.min() >= 0 and fine.max() <= 1


def test_the_guide_brings_back_what_upsampling_lost() -> None:
    exact = person()
    frame, coarse = picture(exact), small(exact)
    errors = [
        np.abs(refined(m(), coarse, frame) - exact).mean() for m in (GuidedRefiner, PlainUpsampler)
    ]
    assert errors[0] < 0.6 * errors[1]


@pytest.mark.parametrize("size", [FINE, (640, 480), (1366, 768), (640, 360)])
def test_blocks_leave_no_seam(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small blocks give what one block of the whole picture gives."""
    exact = person(size)
    frame, coarse = picture(exact), small(exact)
    pieces = refined(GuidedRefiner(), coarse, frame)
    monkeypatch.setattr(refine, "unsure", lambda matte: np.ones(matte.shape, np.uint8))
    monkeypatch.setattr(blocks, "STRIPS", 1)
    whole = refined(GuidedRefiner(), coarse, frame)
    unsure = (pieces > 0) & (pieces < 1)
    assert unsure.any()
    np.testing.assert_allclose(pieces[unsure], whole[unsure], atol=0.005)
    assert np.abs(pieces - whole).mean() < 2e-3


@both
def test_threshold_is_the_alpha_that_becomes_half(make: Make) -> None:
    ramp = np.tile(np.linspace(0, 1, COARSE[0], dtype=np.float32), (COARSE[1], 1))
    frame = pixels.colour(FINE, (90, 90, 90))
    for threshold in (0.2, 0.5, 0.8):
        row = refined(make(threshold=threshold), ramp, frame)[360]
        crossing = float(np.argmax(row >= 0.5)) / FINE[0]
        assert abs(crossing - threshold) < 0.01
        assert row[0] == 0 and row[-1] == 1
        assert (np.diff(row) >= -1e-5).all()


@both
def test_feather_widens_the_edge_and_keeps_its_middle(make: Make) -> None:
    edge = np.zeros(COARSE[::-1], np.float32)
    edge[:, 128:] = 1
    frame = pixels.colour(FINE, (90, 90, 90))
    rows = [refined(make(feather=feather), edge, frame)[360] for feather in (0.0, 0.5, 1.0)]
    widths = [int(((row > 0.02) & (row < 0.98)).sum()) for row in rows]
    assert widths[0] < widths[1] < widths[2]
    assert all(abs(int(np.argmax(row >= 0.5)) - 640) <= 3 for row in rows)
    assert all(row[0] == 0 and row[-1] == 1 for row in rows)


@both
def test_nothing_given_is_written_to(make: Make) -> None:
    exact = person()
    frame, coarse = picture(exact), small(exact)
    before, luma = coarse.copy(), frame.i420.copy()
    refined(make(), coarse, frame)
    assert (coarse == before).all() and (frame.i420 == luma).all()


@both
def test_an_earlier_result_is_left_alone(make: Make) -> None:
    refiner, frame = make(), pixels.colour(FINE, (90, 90, 90))
    first = refined(refiner, np.ones(COARSE[::-1], np.float32), frame)
    refined(refiner, np.zeros(COARSE[::-1], np.float32), frame)
    assert (first == 1).all()


def test_a_tall_frame_and_a_network_larger_than_the_frame_work() -> None:
    exact = person((90, 160))
    for refiner in (GuidedRefiner(), PlainUpsampler()):
        fine = refined(refiner, small(exact, (144, 256)), picture(exact))
        assert np.abs(fine - exact).mean() < 0.05
