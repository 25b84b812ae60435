"""Haze in the middle of a person is filled; edges, hair and what is seen past an arm stay."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime.frame import Alpha
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


@pytest.mark.parametrize("size", [(144, 256), (224, 160), (288, 288)])
def test_haze_far_inside_is_filled(size: tuple[int, int]) -> None:
    found = filled(person(size))
    middle = found[round(0.72 * size[0]) :, size[1] // 2 - 4 : size[1] // 2 + 4]
    assert middle.min() > 0.999 and found.max() <= 1


def test_what_is_seen_past_an_arm_stays() -> None:
    alpha = person(haze=0.0)
    hole = np.s_[105:125, 118:138]
    assert alpha[hole].min() < 0.01
    np.testing.assert_array_equal(filled(alpha)[hole], alpha[hole])


def test_edges_stay_and_nothing_becomes_less_person() -> None:
    alpha = person()
    found = filled(alpha)
    edge = cv2.dilate((alpha < 0.2).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    np.testing.assert_array_equal(found[edge], alpha[edge])
    assert (found >= alpha).all()


def test_a_person_beyond_the_edge_of_the_picture_is_inside_there_too() -> None:
    assert (filled(np.full((144, 256), 0.6, np.float32)) == 1).all()
