"""Step 5 of 9: the picture that stands where the room was.

Every backdrop has `picture(frame, alpha)`, a frame of the same size to stand behind the person,
and `alone(size)`, a frame without any pixel of the room for when nobody could be matted.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from realtime import pixels
from realtime.contract import Size
from realtime.errors import ConfigError
from realtime.frame import Alpha, Bytes, Frame
from realtime.pixels import Fit
from realtime.scene.clip import Clip
from realtime.scene.media import read_picture

LEAST_BLUR, MOST_BLUR = 0.025, 0.08
"""Standard deviation of the blur at strength 0 and 1, as a share of the height. Even the least
one hides a line of text of a tenth of the height."""

DEVIATION = 2.0
"""The same in pixels of the size at which the room is blurred: no larger one keeps more of it."""

WINDOW = (5, 5)
"""Blurring twice with this box, a triangle near enough to a Gaussian, has that deviation."""

FAINT = 0.01
"""Weight of the room's mean among its pixels: it decides only where none of them is near."""

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


class PictureBackdrop:
    """A picture from a file, upright, over black where it is transparent; one that moves, moves.

    Raises `ConfigError` when the file is missing, broken or too large.
    """

    def __init__(self, path: Path, fit: Fit = "crop") -> None:
        self._picture = read_picture(path)
        self._fit = fit
        self._shown = _Fitted(self._picture.at(0.0), fit)

    def picture(self, frame: Frame, alpha: Bytes) -> Frame:
        """Return the picture of the frame's time at the frame's size."""
        current = self._picture.at(frame.captured_at)
        if current is not self._shown.whole:
            self._shown = _Fitted(current, self._fit)
        return self._shown.at(frame.size)

    def alone(self, size: Size) -> Frame:
        """Return the picture."""
        return self._shown.at(size)


class SlideBackdrop:
    """Pictures in turns, each for so many seconds of the frames' clock.

    One that cannot be read is passed over, and the one before stays while none can be. Raises
    `ConfigError` when none can be read at the start.
    """

    def __init__(self, paths: list[Path], seconds: float, fit: Fit = "crop") -> None:
        self._paths = list(paths)
        self._seconds = seconds
        self._fit = fit
        self._began_at: float | None = None
        self._shown = self._next()

    def picture(self, frame: Frame, alpha: Bytes) -> Frame:
        """Return the picture whose turn it is, at the frame's size."""
        began_at = frame.captured_at if self._began_at is None else self._began_at
        if not 0 <= frame.captured_at - began_at < self._seconds:
            began_at = frame.captured_at
            with suppress(ConfigError):
                self._shown = self._next()
        self._began_at = began_at
        return self._shown.picture(frame, alpha)

    def alone(self, size: Size) -> Frame:
        """Return the picture that was shown last."""
        return self._shown.alone(size)

    def _next(self) -> PictureBackdrop:
        """Read the next picture that can be read; the row begins behind it then."""
        problem = ConfigError("no picture")
        for _ in self._paths:
            self._paths.append(path := self._paths.pop(0))
            try:
                return PictureBackdrop(path, self._fit)
            except ConfigError as error:
                problem = error
        raise problem


class VideoBackdrop:
    """A clip from a file, looped. It advances by the frames' clock, and skips rather than slows.

    Raises `ConfigError` when the file is missing, broken or too large.
    """

    def __init__(self, path: Path, fit: Fit = "crop") -> None:
        self._clip = Clip(path)
        self._fit = fit
        self._shown = _Fitted(self._clip.at(0.0), fit)

    def picture(self, frame: Frame, alpha: Bytes) -> Frame:
        """Return the clip's picture of the frame's time at the frame's size."""
        current = self._clip.at(frame.captured_at)
        if current is not self._shown.whole:
            self._shown = _Fitted(current, self._fit)
        return self._shown.at(frame.size)

    def alone(self, size: Size) -> Frame:
        """Return the clip's picture that was shown last."""
        return self._shown.at(size)


class _Fitted:
    """A picture, kept at the size that was asked for last."""

    def __init__(self, whole: Frame, fit: Fit) -> None:
        self.whole = self._fitted = whole
        self._fit = fit

    def at(self, size: Size) -> Frame:
        size = pixels.even(size)
        if self._fitted.size != size:
            self._fitted = pixels.fit(self.whole, size, self._fit)
        return self._fitted


class BlurBackdrop:
    """The room itself, out of focus. `strength` is 0..1; even 0 hides what could be read.

    A normalised blur, blur(B * (1 - alpha)) / blur(1 - alpha): the person does not bleed into
    the room, so there is no halo. Where no room is near, the mean of the room stands in.
    """

    def __init__(self, strength: float) -> None:
        self._rows = round(DEVIATION / (LEAST_BLUR + strength * (MOST_BLUR - LEAST_BLUR)))

    def picture(self, frame: Frame, alpha: Bytes) -> Frame:
        """Return the blurred room of a frame; `alpha` is of the frame's size."""
        small = (max(2, round(frame.width * self._rows / frame.height)), self._rows)
        room = _room_share(alpha, small)
        planes = [pixels.shrink(plane, small) for plane in pixels.planes_of(frame)]
        blurred = pixels.blank(frame.size)
        for level, target in zip(
            self._levels(planes, room), pixels.writable_planes(blurred), strict=True
        ):
            size = target.shape[1], target.shape[0]
            cv2.resize(level, size, dst=target, interpolation=cv2.INTER_CUBIC)
        return Frame(blurred, frame.number, frame.captured_at)

    def alone(self, size: Size) -> Frame:
        """Return the slate: without a matte a blurred room would still show the person."""
        return pixels.slate(size)

    @staticmethod
    def _levels(planes: list[Bytes], room: Alpha) -> list[Bytes]:
        """Return the planes, blurred, each pixel weighted by its share of the room."""
        means = _mean_of_room(planes, room)
        weighted = [cv2.multiply(room, plane, dtype=cv2.CV_32F) for plane in planes]
        stack = cv2.merge([*weighted, room])
        *light, share = cv2.split(cv2.blur(cv2.blur(stack, WINDOW), WINDOW))
        return [
            cv2.convertScaleAbs((level + FAINT * mean) / (share + FAINT))
            for level, mean in zip(light, means, strict=True)
        ]


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
        return Frame(marked, frame.number, frame.captured_at, frame.pts)

    def alone(self, size: Size) -> Frame:
        """Return the slate: the room is shown only with a matte that worked."""
        return pixels.slate(size)


def _room_share(alpha: Bytes, size: Size) -> Alpha:
    """Return 1 - alpha at a small size, float32 in 0..1, without the person's fringe."""
    person = cv2.dilate(
        cv2.compare(pixels.shrink(alpha, size), 0, cv2.CMP_GT), np.ones((3, 3), np.uint8)
    )
    share: Alpha = cv2.bitwise_not(person).astype(np.float32) / np.float32(255)
    return share


def _mean_of_room(planes: list[Bytes], room: Alpha) -> list[float]:
    """Return the mean level of each plane where the room is seen, grey where it is nowhere."""
    seen = cv2.compare(room, 0.9, cv2.CMP_GT)
    if cv2.countNonZero(seen) == 0:
        return [pixels.NEUTRAL] * 3
    return list(cv2.mean(cv2.merge(planes), mask=seen)[:3])
