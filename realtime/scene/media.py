"""Pictures from files, as frames, for the backdrops and layers that show them."""

from __future__ import annotations

import os
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from realtime import pixels
from realtime.errors import ConfigError
from realtime.frame import Bytes, Frame

MAX_PIXELS = int(os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"])
"""Most pixels of a picture: what `realtime` tells OpenCV."""

MAX_BYTES = 200 * 2**20
"""Largest picture file."""

KEPT_SIDE = 3840
"""Longest side in pixels that is kept of a picture: no camera shows more of it."""

SHORTEST_S = 0.02
"""Time that each picture of a moving one is shown at least."""


@dataclass(frozen=True)
class Picture:
    """A picture as frames and the time in seconds from which on each is shown.

    A still has one; one that moves (GIF, WebP, PNG) goes on from the first after `lasts_s`.
    """

    frames: list[Frame]
    starts_s: list[float]
    lasts_s: float

    def at(self, seconds: float) -> Frame:
        """Return what is shown at a time."""
        return self.frames[bisect_right(self.starts_s, seconds % self.lasts_s) - 1]


def read_picture(path: Path) -> Picture:
    """Read a picture of any depth, upright by its EXIF tag, over black where it is transparent.

    The tag is not honoured in pictures with transparency. Raises `ConfigError`.
    """
    data = _read(path)
    try:
        if _moves(data):
            return _animation(path, data)
        stored = decode(data)
    except cv2.error as error:
        raise too_large(path) if "IMAGE_PIXELS" in str(error) else broken(path) from error
    if stored is None:
        raise broken(path)
    return Picture([_kept(stored)], [0.0], 1.0)


def read_layer(path: Path) -> tuple[Frame, Bytes]:
    """Read a still: a frame, over black, and its alpha, uint8 (height, width), of an even size.

    Raises `ConfigError`.
    """
    try:
        stored = decode(_read(path))
    except cv2.error as error:
        raise too_large(path) if "IMAGE_PIXELS" in str(error) else broken(path) from error
    if stored is None:
        raise broken(path)
    stored = _smaller(stored)
    height, width = stored.shape[:2]
    stored = cv2.copyMakeBorder(stored, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    alpha = np.full(stored.shape[:2], 255, np.uint8)
    if stored.shape[2] == 4:
        alpha = cv2.extractChannel(stored, 3)
    return pixels.from_bgr(_flat(stored)), alpha


def _moves(data: Bytes) -> bool:
    """Say whether a picture may hold several, by the marks of the kinds that can."""
    head = data[:256].tobytes()
    return head.startswith(b"GIF8") or b"ANIM" in head[:64] or b"acTL" in head


def _animation(path: Path, data: Bytes) -> Picture:
    """Decode a picture that moves; all its frames together may have `MAX_PIXELS`."""
    read, first = cv2.imdecodeanimation(data, 0, 1)
    if not read or not first.frames:
        raise broken(path)
    most = MAX_PIXELS // (first.frames[0].shape[0] * first.frames[0].shape[1])
    _, whole = cv2.imdecodeanimation(data, 0, most + 1)
    if len(whole.frames) > most:
        raise too_large(path)
    lasting = [max(ms / 1000, SHORTEST_S) for ms in np.ravel(whole.durations).tolist()]
    starts = [0.0, *accumulate(lasting)]
    return Picture([_kept(_flat(at)) for at in whole.frames], starts[:-1], starts[-1])


def _kept(stored: Bytes) -> Frame:
    """Return a decoded picture as a frame of a size worth keeping, over black."""
    return pixels.from_bgr(_smaller(_flat(stored)))


def _smaller(picture: Bytes) -> Bytes:
    scale = KEPT_SIDE / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    small: Bytes = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return small


def _read(path: Path) -> Bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise too_large(path)
        return np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise ConfigError(f"backdrop {path}: {reason}", "is the path right?") from error


def decode(data: Bytes) -> Bytes | None:
    """Return a picture as BGR or BGRA, uint8 (height, width, 3 or 4), or None when it is broken.

    Raises `cv2.error` for one that is larger than `MAX_PIXELS`.
    """
    if data.size == 0:
        return None
    stored: Any = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if stored is None or stored.ndim != 3 or stored.shape[2] != 4:
        upright: Bytes | None = cv2.imdecode(data, cv2.IMREAD_COLOR)
        return upright
    if stored.dtype != np.uint8:
        stored = cv2.convertScaleAbs(stored, alpha=255 / np.iinfo(stored.dtype).max)
    return np.asarray(stored, np.uint8)


def _flat(stored: Bytes) -> Bytes:
    """Return a picture as BGR, over black where it is transparent."""
    if stored.shape[2] == 3:
        return stored
    opaque = cv2.merge([stored[..., 3]] * 3)
    over_black: Bytes = cv2.multiply(
        cv2.cvtColor(stored, cv2.COLOR_BGRA2BGR), opaque, scale=1 / 255
    )
    return over_black


def broken(path: Path, kind: str = "picture") -> ConfigError:
    return ConfigError(f"backdrop {path} is no {kind} that can be read", "is the file whole?")


def too_large(path: Path) -> ConfigError:
    return ConfigError(
        f"backdrop {path} is too large",
        f"make it smaller than {MAX_PIXELS // 1_000_000} megapixels",
    )
