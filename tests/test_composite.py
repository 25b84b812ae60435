"""Step 8: over, exact where the matte is sure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime import pixels
from realtime.errors import FrameError
from realtime.frame import Bytes, Frame
from realtime.scene.composite import over

SIZE = (66, 38)


def noise(seed: int, size: tuple[int, int] = SIZE) -> Frame:
    random = np.random.default_rng(seed)
    i420 = random.integers(0, 256, (size[1] * 3 // 2, size[0]), np.uint8)
    return Frame(i420, number=7, captured_at=1.5)


def level(value: float, size: tuple[int, int] = SIZE) -> Bytes:
    return np.full(size[::-1], round(value * 255), np.uint8)


def test_no_person_gives_the_bytes_of_the_backdrop() -> None:
    assert (over(noise(1), noise(2), level(0)).i420 == noise(2).i420).all()


def test_nothing_but_person_gives_the_bytes_of_the_frame() -> None:
    assert (over(noise(1), noise(2), level(1)).i420 == noise(1).i420).all()


def test_number_and_times_are_the_frames() -> None:
    composed = over(noise(1), pixels.colour(SIZE, (1, 2, 3)), level(0.5))
    assert (composed.number, composed.captured_at) == (7, 1.5)


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 40).map(lambda n: 2 * n),
    height=st.integers(1, 40).map(lambda n: 2 * n),
    seed=st.integers(0, 999),
    share=st.sampled_from([0.02, 0.3, 1.0]),
)
def test_every_plane_is_alpha_f_and_one_minus_alpha_b(
    width: int, height: int, seed: int, share: float
) -> None:
    random = np.random.default_rng(seed)
    frame, backdrop = noise(seed, (width, height)), noise(seed + 1, (width, height))
    alpha = random.random((height, width), np.float32)
    alpha *= random.random((height, width)) < share
    composed = over(frame, backdrop, np.rint(alpha * 255).astype(np.uint8))
    half = alpha.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    for f, b, c, a in zip(
        pixels.planes_of(frame),
        pixels.planes_of(backdrop),
        pixels.planes_of(composed),
        (alpha, half, half),
        strict=True,
    ):
        np.testing.assert_allclose(c, a * f + (1 - a) * b, atol=2.5)


def test_sure_pixels_are_exact_beside_unsure_ones() -> None:
    alpha = level(0)
    alpha[10:30, 20:40] = 128
    alpha[14:26, 24:36] = 255
    composed, frame, backdrop = over(noise(1), noise(2), alpha), noise(1), noise(2)
    assert (composed.y[alpha == 255] == frame.y[alpha == 255]).all()
    assert (composed.y[alpha == 0] == backdrop.y[alpha == 0]).all()
    assert (composed.u[7:13, 12:18] == frame.u[7:13, 12:18]).all()
    assert (composed.v[:5] == backdrop.v[:5]).all()


def test_neither_picture_is_written_to() -> None:
    frame, backdrop = noise(1), noise(2)
    over(frame, backdrop, level(0.4))
    assert (frame.i420 == noise(1).i420).all() and (backdrop.i420 == noise(2).i420).all()


@pytest.mark.parametrize(
    ("backdrop", "alpha"),
    [
        (noise(2, (64, 38)), level(1)),
        (noise(2), level(1, (38, 66))),
        (noise(2), level(1, (33, 19))),
        (noise(2), level(1).astype(np.float64)),
        (noise(2), np.ones(SIZE[::-1], np.float32)),
        (noise(2), None),
    ],
)
def test_what_does_not_fit_is_a_frame_error(backdrop: Frame, alpha: Bytes) -> None:
    with pytest.raises(FrameError, match=r"fit|uint8"):
        over(noise(1), backdrop, alpha)
