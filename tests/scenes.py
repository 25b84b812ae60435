"""Frames before which a backdrop stands, and pictures that tell every orientation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from realtime import pixels
from realtime.frame import Bytes, Frame

SIZE = (320, 180)


def frame_at(captured_at: float = 0.0, size: tuple[int, int] = SIZE) -> Frame:
    return pixels.from_bgr(np.full((size[1], size[0], 3), 128, np.uint8), 5, captured_at)


def nobody(size: tuple[int, int] = SIZE) -> Bytes:
    return np.zeros(size[::-1], np.uint8)


def seen(backdrop: Any, size: tuple[int, int] = SIZE) -> Bytes:
    """Return what stands behind a person, as BGR."""
    picture = backdrop.picture(frame_at(0.0, size), nobody(size))
    assert picture.size == size
    return pixels.to_bgr(picture)


def save(path: Path, image: Bytes) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def quarters(width: int = 320, height: int = 180) -> Bytes:
    """Red, green / blue, white: tells every orientation from every other."""
    image = np.array([[(0, 0, 255), (0, 255, 0)], [(255, 0, 0), (255, 255, 255)]], np.uint8)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST)


def corners(image: Bytes) -> list[list[int]]:
    """Return the colours of the quarters' middles, 1 for a channel that is on."""
    height, width = image.shape[:2]
    rows, columns = (height // 4, height * 3 // 4), (width // 4, width * 3 // 4)
    return [(image[y, x] > 128).astype(int).tolist() for y in rows for x in columns]


UPRIGHT = [[0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1]]
