"""Step 5 of 9: the backdrop that is the room itself, out of focus."""

from __future__ import annotations

import cv2
import numpy as np

from realtime import pixels
from realtime.contract import Size
from realtime.frame import Alpha, Bytes, Frame

LEAST_BLUR, MOST_BLUR = 0.025, 0.08
"""Standard deviation of the blur at strength 0 and 1, as a share of the height. Even the least
one hides a line of text of a tenth of the height."""

DEVIATION = 2.0
"""The same in pixels of the size at which the room is blurred: no larger one keeps more of it."""

WINDOW = (5, 5)
"""Blurring twice with this box, a triangle near enough to a Gaussian, has that deviation."""

COARSE = 4
"""Pixels of a plane to one from which on lines between neighbours are as good as curves: what is
blurred so much bends by less than a level on the way."""

FAINT = 0.01
"""Weight of the room's mean among its pixels: it decides only where none of them is near."""


class BlurBackdrop:
    """The room itself, out of focus. `strength` is 0..1; even 0 hides what could be read.

    A normalised blur, blur(B * (1 - alpha)) / blur(1 - alpha): the person does not bleed into
    the room, so there is no halo. Where no room is near, the mean of the room stands in.
    """

    def __init__(self, strength: float) -> None:
        self._rows = round(DEVIATION / (LEAST_BLUR + strength * (MOST_BLUR - LEAST_BLUR)))

    def picture(self, frame: Frame, alpha: Bytes) -> Frame:
        """Return the blurred room of a frame; `alpha` is of the frame's size."""
        columns = round(frame.width * self._rows / frame.height)
        small = (min(max(2, columns), frame.width), self._rows)  # of a strip of a picture too
        room = _room_share(alpha, small)
        planes = pixels.shrunk(frame, small)
        blurred = pixels.blank(frame.size)
        for level, target in zip(
            self._levels(planes, room), pixels.writable_planes(blurred), strict=True
        ):
            enlarge(level, target)
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


def enlarge(level: Bytes, target: Bytes) -> None:
    """Write a blurred plane into a larger one: by curves to a size near it, by lines from there.

    Curves all the way take four times as long and differ by a level, hardly ever by two.
    """
    height, width = target.shape
    coarse = max(width // COARSE, level.shape[1]), max(height // COARSE, level.shape[0])
    curved = cv2.resize(level, coarse, interpolation=cv2.INTER_CUBIC)
    cv2.resize(curved, (width, height), dst=target, interpolation=cv2.INTER_LINEAR)


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
