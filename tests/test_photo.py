"""Photographs on order: clear, before a colour, cut as identity photographs."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest

from realtime.build import load_model
from realtime.config import Config
from realtime.errors import BadPicture
from realtime.photo import Cut, Order, develop
from realtime.pipeline import Pipeline
from realtime.scene.portrait import CUTS, portrait_box, portrait_size
from realtime.still import still_pipeline

RED, GREEN, BLUE = (0, 0, 200), (0, 200, 0), (200, 0, 0)


@pytest.fixture
def line(toy_ir: Path) -> Pipeline:
    scene = {"backdrop": "#0000c8"}
    config = Config().with_values({"matting": {"model": str(toy_ir)}, "scene": scene})
    return still_pipeline(config, load_model(config.matting))


def portrait(size: tuple[int, int] = (601, 801), person: tuple[int, int, int] = GREEN) -> bytes:
    """A person with head and shoulders before a red room; an odd size."""
    width, height = size
    bgr = np.full((height, width, 3), RED, np.uint8)
    cv2.ellipse(bgr, (300, 330), (90, 125), 0, 0, 360, person, -1)
    cv2.ellipse(bgr, (300, 760), (260, 260), 0, 0, 360, person, -1)
    return cv2.imencode(".png", bgr)[1].tobytes()


def opened(photo: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return picture


def near(bgr: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(bgr[:3].astype(int) - colour).max() < 40)


def test_a_clear_photograph_keeps_the_size_and_has_alpha(line: Pipeline) -> None:
    photo = opened(develop(portrait(), Order("png", "none", True), line))
    assert photo.shape == (801, 601, 4)
    assert photo[330, 300, 3] > 250 and near(photo[330, 300], GREEN)
    assert photo[10, 10, 3] < 5


def test_before_a_backdrop_there_is_no_room(line: Pipeline) -> None:
    photo = opened(develop(portrait(), Order("jpeg"), line))
    assert near(photo[330, 300], GREEN) and near(photo[10, 10], BLUE)
    assert (np.abs(photo.astype(int) - RED).max(axis=2) < 60).mean() < 0.005


@pytest.mark.parametrize("name", CUTS)
def test_the_head_has_its_share_of_an_identity_photograph(line: Pipeline, name: Cut) -> None:
    photo = opened(develop(portrait(), Order("png", name), line))
    width, height = portrait_size(CUTS[name])
    assert photo.shape == (height, width, 3)
    person = np.abs(photo.astype(int) - GREEN).max(axis=2) < 60
    rows = np.flatnonzero(person.sum(axis=1) > 4)
    assert abs(rows[0] / height - CUTS[name].above) < 0.05
    head = person[: rows[0] + height // 4].nonzero()[1]
    assert abs(head.mean() / width - 0.5) < 0.04
    scale = person[: rows[0] + height // 4].sum(axis=1).max() / (2 * 90)
    assert abs(2 * 125 * scale / height - CUTS[name].head) < 0.08


def test_every_cut_can_be_ordered() -> None:
    assert set(get_args(Cut)) == {"none", *CUTS}


@pytest.mark.parametrize("shape", [(40, 400), (400, 40), (2, 2), (1, 3)])
def test_a_cut_stays_within_the_picture(shape: tuple[int, int]) -> None:
    for alpha in (np.full(shape, 255, np.uint8), np.eye(*shape, dtype=np.uint8) * 255):
        box = portrait_box(alpha, CUTS["35x45"])
        if box:
            left, top, width, height = box
            assert left >= 0 and top >= 0 and width > 0 and height > 0
            assert left + width <= shape[1] + 1 and top + height <= shape[0] + 1


def test_nobody_and_nothing_are_told(line: Pipeline) -> None:
    empty = portrait(person=RED)
    with pytest.raises(BadPicture, match="nobody"):
        develop(empty, Order("png", "35x45"), line)
    with pytest.raises(BadPicture, match="this is no picture"):
        develop(b"hello", Order(), line)
