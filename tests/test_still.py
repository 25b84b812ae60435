"""Stills of every kind come out as upright frames, or say why they do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from realtime.errors import EndOfStream, SourceUnavailable
from realtime.pixels import from_bgr, to_bgr
from realtime.sources.picture import PictureSource

RED = (200, 60, 30)


def still(path: Path, picture: Any) -> PictureSource:
    ok, coded = cv2.imencode(path.suffix, picture)
    assert ok
    path.write_bytes(coded.tobytes())
    return PictureSource(path)


@pytest.mark.parametrize(
    ("picture", "rgb"),
    [
        (np.full((9, 7, 3), (30, 60, 200), np.uint8), RED),
        (np.full((9, 7, 3), (30 * 257, 60 * 257, 200 * 257), np.uint16), RED),
        (np.full((9, 7), 77, np.uint8), (77, 77, 77)),
        (np.full((9, 7), 77 * 257, np.uint16), (77, 77, 77)),
        (np.full((9, 7, 4), (30, 60, 200, 255), np.uint8), RED),
        (np.full((9, 7, 4), (30, 60, 200, 0), np.uint8), (255, 255, 255)),
        (np.full((9, 7, 4), (0, 0, 0, 128 * 257), np.uint16), (127, 127, 127)),
    ],
)
def test_a_still_is_one_frame(tmp_path: Path, picture: Any, rgb: tuple[int, int, int]) -> None:
    source = still(tmp_path / "a.png", picture)
    frame = source.read()
    assert source.shape == (7, 9)
    assert frame.size == (8, 10)
    middle = to_bgr(frame)[5, 4, ::-1].astype(int)
    assert np.abs(middle - rgb).max() <= 2
    with pytest.raises(EndOfStream):
        source.read()


def test_a_still_stands_upright_as_its_exif_says(tmp_path: Path) -> None:
    picture = np.zeros((16, 32, 3), np.uint8)
    picture[:, :16] = 255
    ok, coded = cv2.imencode(".jpg", picture)
    assert ok
    turn = bytes.fromhex("ffe100224578696600004d4d002a00000008000101120003000000010006000000000000")
    (tmp_path / "a.jpg").write_bytes(coded.tobytes()[:2] + turn + coded.tobytes()[2:])
    source = PictureSource(tmp_path / "a.jpg")
    upright = to_bgr(source.read())
    assert source.shape == (16, 32)
    assert upright[4].min() > 200
    assert upright[28].max() < 50


@pytest.mark.parametrize("keep", [None, 0, 30])
def test_a_broken_still_is_refused(tmp_path: Path, keep: int | None) -> None:
    path = tmp_path / "a.png"
    if keep is not None:
        still(path, np.zeros((32, 32, 3), np.uint8))
        path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(SourceUnavailable, match=r"a\.png"):
        PictureSource(path)


def test_a_closed_still_has_ended(tmp_path: Path) -> None:
    source = still(tmp_path / "a.png", to_bgr(from_bgr(np.zeros((4, 4, 3), np.uint8))))
    source.close()
    with pytest.raises(EndOfStream):
        source.read()
