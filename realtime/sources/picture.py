"""Step 1 of 9: a still picture as a stream of one frame."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from realtime.errors import EndOfStream, FrameError, SourceUnavailable
from realtime.frame import MAX_SIDE, Bytes, Frame
from realtime.pixels import from_still
from realtime.stored import decode, flatten

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
        bgr = _read(source)
        self.shape = bgr.shape[1], bgr.shape[0]
        self._bgr: Bytes | None = bgr

    def read(self) -> Frame:
        """Return the picture the first time; raises `EndOfStream` after that."""
        bgr, self._bgr = self._bgr, None
        if bgr is None:
            raise EndOfStream
        return from_still(bgr, 0, time.monotonic())

    def close(self) -> None:
        """Forget the picture."""
        self._bgr = None


def _read(source: Path | bytes) -> Bytes:
    """Return BGR, uint8 (height, width, 3)."""
    named = "" if isinstance(source, bytes) else f"{source}: "
    try:
        coded = source if isinstance(source, bytes) else source.read_bytes()
        bgr = flatten(decode(np.frombuffer(coded, np.uint8)), PAPER)
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise SourceUnavailable(f"{named}{reason}", "is the path right?") from error
    except FrameError as error:
        raise SourceUnavailable(f"{named}{error.message}", error.hint) from error
    height, width = bgr.shape[:2]
    if max(width, height) > MAX_SIDE:
        size = f"{width}x{height} is too large"
        raise SourceUnavailable(f"{named}{size}", f"at most {MAX_SIDE} pixels a side")
    return bgr
