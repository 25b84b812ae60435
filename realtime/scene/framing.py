"""Before step 5, where it is wanted: the picture follows head and shoulders.

Frame and matte are cut and enlarged alike. The cut keeps still while the person merely sways, and
moves like a camera that is turned by hand: it starts and stops softly.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from realtime import pixels
from realtime.frame import Bytes, Frame

ROWS = 45
"""Height in pixels of the matte that is looked at."""

TALL = 1.6
"""Head and shoulders are at most so many times higher than the person is wide."""

AIR = 1.3
"""Height of the cut as a multiple of head and shoulders."""

ABOVE = 0.12
"""Part of the cut's height that is free above the head."""

CLOSEST = 0.5
"""Smallest cut, as a share of the frame: nearer a camera's picture is blurred."""

SWAY = 0.06
"""Change, as a share of the cut, that moves nothing."""

SETTLE_S = 0.5
"""Time constant of each of the two low passes behind each other through which the cut moves."""

LEAST = 0.02
"""Share of the frame below which there is nobody to follow."""


AGAIN_S = 5.0
"""Seconds without a picture after which the cut begins anew: nobody sees the step."""


class Cut(NamedTuple):
    """What is shown of a frame: middle and height in parts of the frame's width and height."""

    x: float
    y: float
    height: float

    def towards(self, other: Cut, share: float) -> Cut:
        """Return the cut that is a share of the way to another."""
        return Cut(*(a + share * (b - a) for a, b in zip(self, other, strict=True)))


WHOLE = Cut(0.5, 0.5, 1.0)


class Framing:
    """Follows one stream's person."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew: the next frame is cut at once as is best."""
        self._aim: Cut | None = None
        self._followed = self._shown = WHOLE
        self._at_s = -math.inf

    def follow(self, frame: Frame, alpha: Bytes) -> tuple[Frame, Bytes]:
        """Return frame and alpha, cut and enlarged to their own size."""
        if not 0 <= frame.captured_at - self._at_s <= AGAIN_S:
            self.reset()
        best = best_cut(alpha)
        if self._aim is None:
            self._aim = self._followed = self._shown = best or WHOLE
        elif best and _differ(best, self._aim):
            self._aim = best
        share = 1 - math.exp(-min(frame.captured_at - self._at_s, 1.0) / SETTLE_S)
        self._at_s = frame.captured_at
        self._followed = self._followed.towards(self._aim, share)
        self._shown = self._shown.towards(self._followed, share)
        if self._shown.height > 0.9995:  # half a pixel of 1280: what is left is not seen to jump
            return frame, alpha
        cut = pixels.blank(frame.size)
        for plane, target in zip(pixels.planes_of(frame), pixels.writable_planes(cut), strict=True):
            enlarge(plane, self._shown, target)
        moved = np.empty_like(alpha)
        enlarge(alpha, self._shown, moved)
        return Frame(cut, frame.number, frame.captured_at), moved


def best_cut(alpha: Bytes) -> Cut | None:
    """Return the cut that shows head and shoulders well; None where nobody is."""
    rows, columns = alpha.shape
    small = pixels.shrink(alpha, (min(max(2, round(columns * ROWS / rows)), columns), ROWS))
    person = cv2.compare(small, 127, cv2.CMP_GT)
    if cv2.countNonZero(person) < LEAST * person.size:
        return None
    _, top, width, height = cv2.boundingRect(person)
    high = min(height, TALL * width)
    size = min(max(AIR * high / ROWS, CLOSEST), 1.0)
    head = person[top : top + max(1, round(high / 3))]
    moments = cv2.moments(head, binaryImage=True)
    x = (moments["m10"] / moments["m00"] + 0.5) / person.shape[1]
    y = top / ROWS + (0.5 - ABOVE) * size
    return Cut(_inside(x, size), _inside(y, size), size)


def _inside(middle: float, size: float) -> float:
    """Return the middle of a cut that does not leave the frame."""
    return min(max(middle, size / 2), 1 - size / 2)


def _differ(one: Cut, other: Cut) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) > SWAY * other.height


def enlarge(plane: Bytes, cut: Cut, target: Bytes) -> None:
    """Write what a cut shows of a plane into another of the same size, between pixels too."""
    rows, columns = plane.shape
    left = (cut.x - cut.height / 2) * columns + cut.height / 2 - 0.5
    top = (cut.y - cut.height / 2) * rows + cut.height / 2 - 0.5
    back = np.array([[cut.height, 0, left], [0, cut.height, top]], np.float32)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cv2.warpAffine(
        plane, back, (columns, rows), dst=target, flags=how, borderMode=cv2.BORDER_REPLICATE
    )
