"""A layer with transparency before everything, and nothing of its transparent colours."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime import pixels
from realtime.build import make_pipeline
from realtime.config import Config
from realtime.errors import ConfigError
from realtime.frame import Frame
from realtime.matting.engine import MattingModel
from realtime.scene.overlay import Overlay
from realtime.stats import Stats

SIZE = (320, 180)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A white desk in the lower third; above it nothing, which has the colour of a warning."""
    layer = np.zeros((360, 640, 4), np.uint8)
    layer[..., :3] = (255, 0, 255)
    layer[240:] = 255
    path = tmp_path / "desk.png"
    assert cv2.imwrite(str(path), layer)
    return path


def test_a_desk_stands_before_the_picture_and_bleeds_nothing(desk: Path) -> None:
    behind = Frame(pixels.colour(SIZE, (200, 120, 40)).i420, 7, 1.5)
    laid = Overlay(desk).lay(behind)
    shown = pixels.to_bgr(laid).astype(int)
    assert (laid.number, laid.captured_at) == (7, 1.5)
    assert (np.abs(shown[:116] - (200, 120, 40)) <= 3).all() and (shown[124:] >= 252).all()
    edge = shown[116:124, 160]
    assert (edge[:, 1] >= 117).all(), "magenta would have no green"


def test_it_is_there_without_anybody_too(desk: Path, toy_ir: Path) -> None:
    config = Config().with_values({"scene": {"overlay": str(desk), "backdrop": "#202020"}})
    pipeline = make_pipeline(config, MattingModel(toy_ir), Stats())
    for picture in (pipeline.alone(SIZE), pipeline.step(pixels.colour(SIZE, (0, 0, 200)))):
        assert picture.y[150].min() > 225 and picture.y[50].max() < 60


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_one_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "logo.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"logo\.png"):
        Overlay(path)


@pytest.mark.parametrize("shape", [(35, 63), (35, 63, 3), (35, 63, 4)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_odd_sizes_grey_and_depth(tmp_path: Path, shape: tuple[int, ...], kind: type) -> None:
    path = tmp_path / "layer.png"
    assert cv2.imwrite(str(path), np.full(shape, np.iinfo(kind).max, kind))
    assert Overlay(path, "stretch").lay(pixels.colour(SIZE, (9, 9, 9))).y.min() >= 234
