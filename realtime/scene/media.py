"""Pictures and clips from files, as frames, for the backdrops that show them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from realtime import pixels
from realtime.errors import ConfigError
from realtime.frame import MAX_SIDE, Bytes, Frame

MAX_BYTES = 200 * 2**20
"""Largest picture file."""

MAX_PIXELS = 100_000_000
"""Most pixels of a picture; a file of a few kilobytes can claim more than memory holds."""

KEPT_SIDE = 3840
"""Longest side in pixels that is kept of a picture: no camera shows more of it."""

USUAL_FPS = 25.0
"""Frame rate of a clip that does not tell its own."""

MAX_BEHIND_S = 1.0
"""A clip that is further behind goes on where it stands instead of running after the clock."""


def read_picture(path: Path) -> Frame:
    """Read a picture of any depth, upright by its EXIF tag, over black where it is transparent.

    The tag is not honoured in pictures with transparency. Raises `ConfigError`.
    """
    data = _read(path)
    _refuse_giants(path, data)
    try:
        bgr = _decode(data)
    except cv2.error as error:
        raise _broken(path, "picture") from error
    if bgr is None:
        raise _broken(path, "picture")
    if bgr.shape[0] * bgr.shape[1] > MAX_PIXELS:
        raise _too_large(path)
    scale = KEPT_SIDE / max(bgr.shape[:2])
    if scale < 1:
        size = max(1, round(bgr.shape[1] * scale)), max(1, round(bgr.shape[0] * scale))
        bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    return pixels.from_bgr(bgr)


class Clip:
    """A clip that loops and is asked for its picture by the clock. Raises `ConfigError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.is_file() or path.stat().st_size == 0:
            raise _broken(path, "clip")
        self._capture = self._open()
        if not self._capture.grab():
            raise _broken(path, "clip")
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self._fps = fps if 1 <= fps <= 240 else USUAL_FPS
        self._began_at = 0.0
        self._index = 0
        self._shown = self._retrieve()

    def at(self, seconds: float) -> Frame:
        """Return the picture due at a time of the frames' clock; the first call starts it."""
        due = round((seconds - self._began_at) * self._fps)
        if not 0 <= due - self._index <= MAX_BEHIND_S * self._fps:
            self._began_at = seconds - self._index / self._fps
            return self._shown
        grabbed = [self._grab() for _ in range(due - self._index)]
        self._index = due
        if any(grabbed[-1:]):
            self._shown = self._retrieve()
        return self._shown

    def _open(self) -> Any:
        return cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)

    def _grab(self) -> bool:
        """Step to the next picture, at the end to the first."""
        if self._capture.grab():
            return True
        self._capture.release()
        self._capture = self._open()
        return bool(self._capture.grab())

    def _retrieve(self) -> Frame:
        read, bgr = self._capture.retrieve()
        if not read:
            raise _broken(self._path, "clip")
        if max(bgr.shape[:2]) > MAX_SIDE:
            raise _too_large(self._path)
        return pixels.from_bgr(bgr)


def _read(path: Path) -> Bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _too_large(path)
        return np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise ConfigError(f"backdrop {path}: {reason}", "is the path right?") from error


def _refuse_giants(path: Path, data: Bytes) -> None:
    """Find the size of the two commonest kinds without decoding them whole."""
    start = data[:24].tobytes()
    if start.startswith(b"\x89PNG"):
        width, height = int.from_bytes(start[16:20]), int.from_bytes(start[20:24])
        claimed = width * height
    elif start.startswith(b"\xff\xd8"):
        eighth = cv2.imdecode(data, cv2.IMREAD_REDUCED_GRAYSCALE_8)
        claimed = 0 if eighth is None else 64 * eighth.size
    else:
        claimed = 0
    if claimed > MAX_PIXELS:
        raise _too_large(path)


def _decode(data: Bytes) -> Bytes | None:
    """Return a picture as BGR, uint8 (height, width, 3), or None when it is broken."""
    if data.size == 0:
        return None
    stored: Any = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if stored is None or stored.ndim != 3 or stored.shape[2] != 4:
        upright: Bytes | None = cv2.imdecode(data, cv2.IMREAD_COLOR)
        return upright
    if stored.dtype != np.uint8:
        stored = cv2.convertScaleAbs(stored, alpha=255 / np.iinfo(stored.dtype).max)
    opaque = cv2.merge([stored[..., 3]] * 3)
    over_black: Bytes = cv2.multiply(
        cv2.cvtColor(stored, cv2.COLOR_BGRA2BGR), opaque, scale=1 / 255
    )
    return over_black


def _broken(path: Path, kind: str) -> ConfigError:
    return ConfigError(f"backdrop {path} is no {kind} that can be read", "is the file whole?")


def _too_large(path: Path) -> ConfigError:
    return ConfigError(
        f"backdrop {path} is too large",
        f"make it smaller than {MAX_PIXELS // 1_000_000} megapixels",
    )
