"""Step 1 of 9: a still picture as a stream of one frame."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import EndOfStream, SourceUnavailable
from realtime.frame import MAX_SIDE, Bytes, Frame
from realtime.pixels import from_bgr

PAPER = 255
"""What shows through a transparent picture: white, as in a browser."""


class PictureSource:
    """Gives one frame of a file or of its content, upright as its EXIF says; 16-bit, grey and
    transparent pictures too.

    `shape` is (width, height) of the picture in pixels, before odd sizes are made even. Raises
    `SourceUnavailable` when the file is no picture.
    """

    fps = 1.0

    def __init__(self, source: Path | bytes) -> None:
        bgr = _checked(*_read(source))
        self.shape = bgr.shape[1], bgr.shape[0]
        self._bgr: Bytes | None = bgr

    def read(self) -> Frame:
        """Return the picture the first time; raises `EndOfStream` after that."""
        bgr, self._bgr = self._bgr, None
        if bgr is None:
            raise EndOfStream
        return from_bgr(bgr, 0, time.monotonic())

    def close(self) -> None:
        """Forget the picture."""
        self._bgr = None


def _read(source: Path | bytes) -> tuple[bytes, str]:
    """Return what is to be decoded, and how to speak of it."""
    if isinstance(source, bytes):
        return source, "this"
    try:
        return source.read_bytes(), str(source)
    except OSError as error:
        raise SourceUnavailable(f"{source}: {(error.strerror or 'unreadable').lower()}") from error


def _checked(coded: bytes, what: str) -> Bytes:
    bgr = _decode(np.frombuffer(coded, np.uint8))
    if bgr is None:
        raise SourceUnavailable(f"{what} is not a picture, or a broken one", "open it in a viewer")
    height, width = bgr.shape[:2]
    if max(width, height) > MAX_SIDE:
        raise SourceUnavailable(f"{what}: {width}x{height} is larger than {MAX_SIDE} a side")
    return bgr


def _decode(coded: Bytes) -> Bytes | None:
    """Decode to BGR, uint8 (height, width, 3), or None."""
    if not coded.size:
        return None
    try:
        raw = cv2.imdecode(coded, cv2.IMREAD_UNCHANGED)
        if raw is not None and raw.ndim == 3 and raw.shape[2] == 4:
            return _on_paper(raw)
        bgr: Bytes | None = cv2.imdecode(coded, cv2.IMREAD_COLOR)  # this one heeds EXIF
        return bgr
    except cv2.error:
        return None


def _on_paper(bgra: Bytes) -> Bytes:
    """Lay a transparent picture, uint8 or uint16, over white."""
    scale = 1 / 257 if bgra.dtype == np.uint16 else 1.0
    bgra = cv2.convertScaleAbs(bgra, alpha=scale)
    alpha = cv2.merge([cv2.extractChannel(bgra, 3)] * 3)
    paper = cv2.multiply(cv2.bitwise_not(alpha), PAPER, scale=1 / 255)
    over: Bytes = cv2.add(cv2.multiply(bgra[:, :, :3], alpha, scale=1 / 255), paper)
    return over
