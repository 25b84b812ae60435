"""Step 5 of 9: the picture that stands where the room was.

Every backdrop has `picture(frame, alpha)`, a frame of the same size to stand behind the person,
and `alone(size)`, a frame without any pixel of the room for when nobody could be matted.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from realtime import pixels
from realtime.contract import Size
from realtime.errors import ConfigError
from realtime.frame import Bytes, Frame
from realtime.pixels import Fit
from realtime.scene.clip import Clip
from realtime.scene.media import read_picture

log = logging.getLogger(__name__)

BORDER = 0.02
"""Width of the red border around the developer's view of the room, as a share of the height."""

RED = (0, 0, 255)


class ColourBackdrop:
    """One colour, given as (blue, green, red) of 0..255."""

    def __init__(self, bgr: tuple[int, int, int]) -> None:
        self._bgr = bgr
        self._shown = pixels.colour((2, 2), bgr)

    def picture(self, frame: Frame, alpha: Bytes) -> Frame:
        """Return the colour at the frame's size."""
        return self.alone(frame.size)

    def alone(self, size: Size) -> Frame:
        """Return the colour."""
        if self._shown.size != pixels.even(size):
            self._shown = pixels.colour(size, self._bgr)
        return self._shown


class Played(Protocol):
    """What a file shows at a time, in seconds of the frames' clock."""

    def at(self, seconds: float) -> Frame: ...


class FileBackdrop:
    """What a file shows at the frame's time, kept at the size that was asked for last."""

    def __init__(self, played: Played, fit: Fit) -> None:
        self._played = played
        self._fit = fit
        self._whole = self._fitted = played.at(0.0)

    def picture(self, frame: Frame, alpha: Bytes) -> Frame:
        """Return what is shown at the frame's time at the frame's size."""
        current = self._played.at(frame.captured_at)
        if current is not self._whole:
            self._whole = self._fitted = current
        return self.alone(frame.size)

    def alone(self, size: Size) -> Frame:
        """Return what was shown last."""
        size = pixels.even(size)
        if self._fitted.size != size:
            self._fitted = pixels.fit(self._whole, size, self._fit)
        return self._fitted


def picture_backdrop(path: Path, fit: Fit = "crop") -> FileBackdrop:
    """Return a picture, upright, over black where it is transparent; one that moves, moves.

    Raises `ConfigError` when the file is missing, broken or too large.
    """
    return FileBackdrop(read_picture(path), fit)


def video_backdrop(path: Path, fit: Fit = "crop") -> FileBackdrop:
    """Return a clip, looped. It advances by the frames' clock, and skips rather than slows.

    Raises `ConfigError` when the file is missing, broken or too large.
    """
    return FileBackdrop(Clip(path), fit)


class SlideBackdrop:
    """Pictures in turns, each for so many seconds of the frames' clock.

    The next one is read meanwhile, by a thread: a photograph would hold up several frames. One
    that cannot be read is passed over, and the one before stays while none can be. Raises
    `ConfigError` when none can be read at the start.
    """

    def __init__(self, paths: list[Path], seconds: float, fit: Fit = "crop") -> None:
        self._paths = list(paths)
        self._seconds = seconds
        self._fit = fit
        self._began_at: float | None = None
        self._shown = self._next()
        self._reader = ThreadPoolExecutor(1, "slides")
        self._coming = self._reader.submit(self._next)

    def picture(self, frame: Frame, alpha: Bytes) -> Frame:
        """Return the picture whose turn it is, at the frame's size."""
        if self._began_at is None:
            self._began_at = frame.captured_at
        if not 0 <= frame.captured_at - self._began_at < self._seconds:
            self._began_at = frame.captured_at
            come, self._coming = self._coming, self._reader.submit(self._next)
            try:
                self._shown = come.result()
            except Exception as error:  # whatever it was, the picture before is still good
                log.warning("no next picture: %s", error)
        return self._shown.picture(frame, alpha)

    def alone(self, size: Size) -> Frame:
        """Return the picture that was shown last."""
        return self._shown.alone(size)

    def _next(self) -> FileBackdrop:
        """Read the next picture that can be read; the row begins behind it then."""
        problem = ConfigError("no picture")
        for _ in self._paths:
            self._paths.append(path := self._paths.pop(0))
            try:
                return picture_backdrop(path, self._fit)
            except ConfigError as error:
                problem = error
        raise problem


class RoomBackdrop:
    """The room as it is, in a red border: only for developers, and nobody can overlook it."""

    def picture(self, frame: Frame, alpha: Bytes) -> Frame:
        """Return the frame itself in a red border."""
        marked = frame.i420.copy()
        border = max(1, round(frame.height * BORDER / 2))
        red = pixels.planes_of(pixels.colour((2, 2), RED))
        for plane, level, width in zip(
            pixels.writable_planes(marked), red, (2 * border, border, border), strict=True
        ):
            for edge in (plane[:width], plane[-width:], plane[:, :width], plane[:, -width:]):
                edge.fill(level[0, 0])
        return Frame(marked, frame.number, frame.captured_at)

    def alone(self, size: Size) -> Frame:
        """Return the slate: the room is shown only with a matte that worked."""
        return pixels.slate(size)
