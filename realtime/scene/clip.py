"""Clips from files, as frames, for the backdrop that shows them."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import cv2

from realtime import pixels
from realtime.errors import ConfigError
from realtime.frame import MAX_SIDE, Frame

USUAL_FPS = 25.0
"""Frame rate of a clip that does not tell its own."""

SLOWEST = 0.001
"""Frames a second that are believed: a show of slides may have one in minutes."""

MAX_BEHIND_S = 1.0
"""A clip that is further behind, and by more than a picture, goes on where it stands instead of
running after the clock."""


class Clip:
    """A clip that loops and is asked for its picture by the clock. Raises `ConfigError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        _expect_file(path)
        self._capture = self._open()
        if not self._capture.grab():
            raise _broken(path)
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self._fps = fps if SLOWEST <= fps <= 240 else USUAL_FPS
        self._began_at = 0.0
        self._index = 0
        self._shown = self._retrieve()

    def at(self, seconds: float) -> Frame:
        """Return the picture due at a time of the frames' clock; the first call starts it."""
        due = round((seconds - self._began_at) * self._fps)
        if not 0 <= due - self._index <= max(1, MAX_BEHIND_S * self._fps):
            self._began_at = seconds - self._index / self._fps
            return self._shown
        grabbed = [self._grab() for _ in range(due - self._index)]
        self._index = due
        if any(grabbed[-1:]):
            self._shown = self._retrieve()
        return self._shown

    def _open(self) -> Any:
        # A whole path: FFmpeg takes what stands before a colon in a name for a protocol.
        return cv2.VideoCapture(str(self._path.absolute()), cv2.CAP_FFMPEG)

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
            raise _broken(self._path)
        if max(bgr.shape[:2]) > MAX_SIDE:
            raise ConfigError(f"{self._path} is too large", f"at most {MAX_SIDE} pixels a side")
        return pixels.from_bgr(bgr)


def _expect_file(path: Path) -> None:
    """Raise `ConfigError` unless a file can be read; OpenCV does not say why it cannot read one."""
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
        if regular:
            path.open("rb").close()
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise ConfigError(f"{path}: {reason}", "is the path right?") from error
    if not regular:
        raise _broken(path)


def _broken(path: Path) -> ConfigError:
    return ConfigError(f"{path} is no clip that can be read", "is the file whole?")
