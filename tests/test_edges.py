"""Step 7: the person's own colours, in the unknown band and nowhere else."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime import pixels
from realtime.build import make_pipeline
from realtime.config import Config
from realtime.frame import Alpha, Bytes, Frame
from realtime.matting.engine import MattingModel
from realtime.scene.composite import over
from realtime.scene.edges import Edges
from realtime.stats import Stats

SIZE = (640, 360)
SKIN, GREEN, WHITE = (120, 150, 210), (40, 200, 60), (240, 240, 240)


def soft_person(size: tuple[int, int] = SIZE) -> Bytes:
    """Return the matte of a disc with an edge that is 20 pixels wide."""
    sharp = np.zeros(size[::-1], np.uint8)
    cv2.circle(sharp, (size[0] // 2, size[1] // 2), size[1] // 3, 255, -1)
    return cv2.blur(sharp, (20, 20))


def mixed(front: tuple[int, int, int], behind: tuple[int, int, int], alpha: Bytes) -> Frame:
    """Return the frame that a camera sees, with some texture on the person."""
    share: Alpha = alpha[..., None].astype(np.float32) / 255
    texture = np.random.default_rng(0).normal(0, 6, (*alpha.shape, 1)).astype(np.float32)
    picture = share * (np.array(front) + texture) + (1 - share) * np.array(behind)
    return pixels.from_bgr(np.clip(np.rint(picture), 0, 255).astype(np.uint8), 3, 0.5)


def error(picture: Frame, truth: Frame, where: Bytes) -> float:
    difference = pixels.to_bgr(picture).astype(float) - pixels.to_bgr(truth)
    return float(np.abs(difference)[where > 0].mean())


def test_the_room_is_taken_out_of_the_edge() -> None:
    alpha = soft_person()
    seen, truth = mixed(SKIN, GREEN, alpha), mixed(SKIN, WHITE, alpha)
    backdrop = pixels.colour(SIZE, WHITE)
    band = cv2.inRange(alpha, 5, 250)
    cleaned = Edges(1.0, 0.0).clean(seen, backdrop, alpha)
    half = Edges(0.5, 0.0).clean(seen, backdrop, alpha)
    errors = [error(over(at, backdrop, alpha), truth, band) for at in (seen, half, cleaned)]
    assert errors[2] < 0.3 * errors[0] and errors[2] < errors[1] < errors[0]
    assert (cleaned.number, cleaned.captured_at) == (3, 0.5)


def test_what_is_surely_person_keeps_its_bytes() -> None:
    alpha = soft_person()
    seen = mixed(SKIN, GREEN, alpha)
    before = seen.i420.copy()
    cleaned = Edges(1.0, 1.0).clean(seen, pixels.colour(SIZE, WHITE), alpha)
    assert (cleaned.y[alpha == 255] == seen.y[alpha == 255]).all()
    assert (seen.i420 == before).all(), "the frame is not ours to write into"


def test_the_backdrop_shines_around_the_edge() -> None:
    alpha = soft_person()
    seen, backdrop = mixed(SKIN, SKIN, alpha), pixels.colour(SIZE, WHITE)
    plain, wrapped = (Edges(1.0, wrap).clean(seen, backdrop, alpha) for wrap in (0.0, 0.6))
    edge, inside = cv2.inRange(alpha, 60, 150), cv2.inRange(alpha, 255, 255)
    gain = wrapped.y.astype(float) - plain.y
    assert gain[edge > 0].mean() > 10 and np.abs(gain[inside > 0]).max() == 0


@pytest.mark.parametrize("level", [20, 60, 235])
def test_where_nothing_is_sure_the_picture_keeps_its_colours(level: int) -> None:
    alpha = np.full(SIZE[::-1], level, np.uint8)
    seen = mixed(SKIN, SKIN, alpha)
    cleaned = Edges(1.0, 0.0).clean(seen, pixels.colour(SIZE, WHITE), alpha)
    assert error(cleaned, seen, alpha) < 6, "only the texture is smoothed away"


@pytest.mark.parametrize(("despill", "wrap", "level"), [(0.0, 0.0, 128), (1.0, 1.0, 255)])
def test_nothing_to_do_is_nothing_done(despill: float, wrap: float, level: int) -> None:
    frame = mixed(SKIN, GREEN, soft_person())
    alpha = np.full(SIZE[::-1], level, np.uint8)
    assert Edges(despill, wrap).clean(frame, frame, alpha) is frame


@pytest.mark.parametrize("size", [(2, 2), (4, 6), (66, 38), (242, 182), (854, 480), (160, 90)])
def test_every_size_and_no_sure_pixel_anywhere(size: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    picture = random.integers(0, 256, (size[1], size[0], 3), np.uint8)
    frame = pixels.from_bgr(picture)
    alpha = random.integers(60, 190, size[::-1], np.uint8)
    assert Edges(1.0, 0.5).clean(frame, pixels.colour(size, WHITE), alpha).size == size


def test_a_colour_to_key_out_does_not_shine(toy_ir: Path) -> None:
    """The green of OBS around a person's edge would be keyed out with it, or stay."""
    config = Config().with_values({"scene": {"backdrop": "green"}, "edges": {"wrap": 1.0}})
    plain = config.with_values({"edges": {"wrap": 0.0}})
    bgr = np.full((180, 320, 3), (0, 0, 200), np.uint8)
    cv2.circle(bgr, (160, 90), 60, (0, 200, 0), -1)
    frame, model = pixels.from_bgr(cv2.blur(bgr, (15, 15))), MattingModel(toy_ir)
    shown = [make_pipeline(at, model, Stats()).step(frame).i420 for at in (config, plain)]
    assert np.array_equal(*shown)
