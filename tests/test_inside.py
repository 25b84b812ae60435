"""Haze in the middle of a person is filled; edges, hair and what is seen past an arm stay."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime.frame import Alpha, Bytes
from realtime.matting.inside import filled


def person(size: tuple[int, int] = (144, 256), haze: float = 0.4) -> Alpha:
    """A soft-edged body whose chest is a haze."""
    height, width = size
    body = np.zeros(size, np.float32)
    cv2.circle(body, (width // 2, height), round(0.6 * height), 1.0, -1)
    chest = np.zeros(size, np.float32)
    cv2.circle(chest, (width // 2, round(0.8 * height)), round(0.12 * height), 1.0, -1)
    soft = cv2.GaussianBlur(body - (1 - haze) * chest, (0, 0), 2)
    return np.clip(soft, 0, 1)


def grey(size: tuple[int, ...]) -> Bytes:
    """A picture in which all have one colour."""
    return np.full((*size[:2], 3), 90, np.uint8)


def dressed(alpha: Alpha) -> Bytes:
    """A picture of somebody in grey before a light wall."""
    return np.where(alpha[..., np.newaxis] > 0.5, np.uint8(90), np.uint8(200)).repeat(3, axis=2)


@pytest.mark.parametrize("size", [(144, 256), (224, 160), (288, 288)])
def test_haze_far_inside_is_filled(size: tuple[int, int]) -> None:
    found = filled(person(size), grey(size))
    middle = found[round(0.72 * size[0]) :, size[1] // 2 - 4 : size[1] // 2 + 4]
    assert middle.min() > 0.999 and found.max() <= 1


def test_what_is_seen_past_an_arm_stays() -> None:
    alpha = person(haze=0.0)
    hole = np.s_[105:125, 118:138]
    seen = dressed(alpha)
    assert alpha[hole].min() < 0.01
    np.testing.assert_array_equal(filled(alpha, seen)[hole], alpha[hole])


def test_a_hole_in_the_colours_around_it_is_closed() -> None:
    alpha = person(haze=0.0)
    found = filled(alpha, grey(alpha.shape))
    assert found[105:125, 118:138].min() > 0.999
    assert (filled(alpha, dressed(alpha)) <= alpha + 1e-6)[105:125, 118:138].all()


def test_room_around_the_person_is_no_hole() -> None:
    alpha = person(haze=1.0)
    room = alpha < 0.1
    assert room[0].all() and (filled(alpha, grey(alpha.shape))[room] == alpha[room]).all()


def test_edges_stay_and_nothing_becomes_less_person() -> None:
    alpha = person()
    found = filled(alpha, grey(alpha.shape))
    edge = cv2.dilate((alpha < 0.2).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    np.testing.assert_array_equal(found[edge], alpha[edge])
    assert (found >= alpha).all()


def test_a_person_beyond_the_edge_of_the_picture_is_inside_there_too() -> None:
    assert (filled(np.full((144, 256), 0.6, np.float32), grey((144, 256))) == 1).all()


def test_noise_is_not_searched_for_holes() -> None:
    alpha = np.random.default_rng(3).random((144, 256), np.float32)
    np.testing.assert_array_equal(filled(alpha, grey(alpha.shape)), alpha)
