"""Frames and pixels: right pictures pass unharmed, everything else is a clear error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime import pixels
from realtime.contract import Size
from realtime.errors import FrameError
from realtime.frame import Frame

SIDES = st.integers(1, 70)


def blocks(width: int, height: int) -> np.ndarray:
    """A picture whose left half is orange and whose right half is blue."""
    picture = np.full((height, width, 3), (30, 120, 220), np.uint8)
    picture[:, width // 2 :] = (200, 90, 20)
    return picture


@given(width=SIDES, height=SIDES)
@settings(max_examples=60, deadline=None)
def test_any_size_becomes_an_even_frame_and_comes_back(width: int, height: int) -> None:
    picture = np.full((height, width, 3), (30, 120, 220), np.uint8)
    frame = pixels.from_bgr(picture, number=7, captured_at=1.5)
    assert frame.size == pixels.even((width, height))
    assert (frame.number, frame.captured_at) == (7, 1.5)
    back = pixels.to_bgr(frame)[:height, :width].astype(int)
    assert np.abs(back - picture).max() <= 4


def test_a_still_has_the_mean_colour_of_four_pixels() -> None:
    blue_red = np.full((4, 8, 3), (255, 0, 0), np.uint8)
    blue_red[:, 1::2] = (0, 0, 255)
    violet = pixels.from_bgr(np.full((4, 8, 3), (128, 0, 128), np.uint8))
    plain, still = pixels.from_bgr(blue_red, 3, 0.5), pixels.from_still(blue_red, 3, 0.5)
    assert (still.y == plain.y).all() and (still.number, still.captured_at) == (3, 0.5)
    for plane in ("u", "v"):
        mean, one, wanted = (getattr(of, plane).astype(int) for of in (still, plain, violet))
        assert np.abs(mean - wanted).max() <= 1 < np.abs(one - wanted).min()
    even = np.random.default_rng(0).integers(0, 256, (9, 6, 3), np.uint8).repeat(2, 0).repeat(2, 1)
    both = pixels.from_still(even).i420.astype(int), pixels.from_bgr(even).i420
    assert np.abs(both[0] - both[1]).max() <= 1


@given(width=SIDES, height=SIDES, to_width=st.integers(1, 40), to_height=st.integers(1, 40))
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("how", ["crop", "pad", "stretch"])
def test_fit_gives_the_size_asked_for(
    how: pixels.Fit, width: int, height: int, to_width: int, to_height: int
) -> None:
    frame = pixels.from_bgr(np.full((height, width, 3), 200, np.uint8))
    fitted = pixels.fit(frame, (2 * to_width, 2 * to_height), how)
    assert fitted.size == (2 * to_width, 2 * to_height)
    if how != "pad":
        assert int(fitted.y.min()) == int(fitted.y.max()) == int(frame.y[0, 0])


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((6, 4), np.float32),
        np.zeros((6, 4, 1), np.uint8),
        np.zeros((5, 4), np.uint8),
        np.zeros((6, 5), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros((12, 8), np.uint8)[:, ::2],
        np.zeros((3, 8194), np.uint8),
        None,
        b"frame",
    ],
)
def test_what_is_no_i420_picture_is_refused(array: object) -> None:
    with pytest.raises(FrameError):
        Frame(array)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.uint16),
        np.zeros((4, 8193, 3), np.uint8),
        None,
    ],
)
def test_what_is_no_bgr_picture_is_refused(array: object) -> None:
    with pytest.raises(FrameError):
        pixels.from_bgr(array)  # type: ignore[arg-type]


def test_a_frame_is_read_only() -> None:
    frame = pixels.from_bgr(blocks(8, 8))
    with pytest.raises(ValueError, match="read-only"):
        frame.y[0, 0] = 0


def test_planes_cover_the_array() -> None:
    array = np.arange(8 * 6 * 3 // 2, dtype=np.uint8).reshape(9, 8)
    frame = Frame(array.copy())
    joined = np.concatenate([plane.reshape(-1) for plane in (frame.y, frame.u, frame.v)])
    assert np.array_equal(joined, array.reshape(-1))
    assert (frame.y.shape, frame.u.shape, frame.v.shape) == ((6, 8), (3, 4), (3, 4))


def test_thumbnail_averages_areas() -> None:
    checker = np.indices((64, 64)).sum(0) % 2 * 255
    frame = pixels.from_bgr(np.repeat(checker[..., None], 3, 2).astype(np.uint8))
    small = pixels.thumbnail(frame, (16, 16))
    assert small.shape == (16, 16, 3)
    assert np.abs(small.astype(int) - 128).max() <= 4


def test_thumbnail_keeps_colours() -> None:
    small = pixels.thumbnail(pixels.from_bgr(blocks(640, 360)), (64, 36)).astype(int)
    assert np.abs(small[18, 5] - (30, 120, 220)).max() <= 4
    assert np.abs(small[18, 60] - (200, 90, 20)).max() <= 4


def test_kept_halves_are_those_of_each_plane() -> None:
    frame = pixels.from_bgr(blocks(640, 360))
    for size in ((64, 36), (160, 90), (64, 36), (250, 140)):
        alone = [pixels.shrink(plane, size) for plane in pixels.planes_of(frame)]
        for plane, kept in zip(alone, pixels.shrunk(frame, size), strict=True):
            assert np.array_equal(plane, kept)
            kept.fill(0)  # it is the caller's


def test_mirror_exchanges_left_and_right() -> None:
    frame = pixels.from_bgr(blocks(16, 8), number=3)
    mirrored = pixels.mirror(frame)
    assert np.array_equal(mirrored.y, frame.y[:, ::-1])
    assert np.array_equal(mirrored.v, frame.v[:, ::-1])
    assert mirrored.number == 3


def test_pad_shows_the_whole_picture_between_black_bars() -> None:
    padded = pixels.fit(pixels.from_bgr(np.full((40, 40, 3), 255, np.uint8)), (80, 40), "pad")
    assert int(padded.y[20, 2]) == 16 and int(padded.y[20, 40]) == 235


@pytest.mark.parametrize("how", ["crop", "pad"])
@pytest.mark.parametrize("size", [(322, 240), (240, 322), (1000, 562), (66, 50), (186, 242)])
def test_edges_of_luma_and_chroma_lie_in_the_same_place(size: Size, how: pixels.Fit) -> None:
    """Or the frame has a coloured seam where what is taken of it, or put, has an odd side."""
    ramps = [np.add.outer(*(np.arange(side // 2) for side in reversed(size))) // 4] * 2
    ramps.insert(0, ramps[0].repeat(2, 0).repeat(2, 1))
    i420 = np.concatenate([ramp.astype(np.uint8).ravel() for ramp in ramps])
    fitted = pixels.fit(Frame(i420.reshape(-1, size[0])), (128, 72), how)
    luma = fitted.y.reshape(36, 2, 64, 2).mean((1, 3))
    inside = np.s_[2:-2, 26:38]
    assert np.abs(luma - fitted.u)[inside].max() <= 1.5
    bars = [(plane == level).all(0) for plane, level in ((fitted.y, 16), (fitted.u, 128))]
    assert how == "crop" or (bars[0] == bars[1].repeat(2)).all()
