"""What has changed since the picture before, once the light is taken out of it.

One look a frame: whether a new scene begins, and which pixels are believed still. The network
gets the picture as it is: it has learnt many lights, and pictures that were put back into an
older one cost it 0.3 points of IoU where that lamp had clipped them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from realtime.frame import Bytes
from realtime.matting.gain import Gain, gain_between, relit

MAX_GAP_S = 0.5
"""After a longer gap the past says nothing about the new picture."""

WINDOW = (5, 5)
"""Pixels over which change is averaged: single pixels of a camera are mostly noise."""

NOISE = 4
"""Mean change, in levels of 255, up to which a pixel is believed still."""

CUT, CUT_SHARE = 24, 0.6
"""A picture of which this share has changed by more than so many levels is another scene."""

STILL_SHARE = 0.999
"""Share of still pixels from which on nothing has moved."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What one look found. Pictures are uint8 (height, width, 3) in BGR.

    `before` is the picture before in the light of this one, None where a scene begins; `gain` is
    how that light has changed, if it has; `still` is a mask of the pixels believed still. `cut`
    says that another scene was seen to begin: after a gap it may well be the same.
    """

    picture: Bytes
    before: Bytes | None
    gain: Gain | None
    still: Bytes
    cut: bool = False

    @property
    def nothing_moved(self) -> bool:
        """Whether the picture is the one before but for noise and light."""
        return cv2.countNonZero(self.still) >= STILL_SHARE * self.still.size


class Watch:
    """Looks at the pictures of one stream. With `light`, changes of light are no motion."""

    def __init__(self, light: bool = True) -> None:
        self._light = light
        self._before: Bytes | None = None
        self._last_at = -math.inf

    def reset(self) -> None:
        """Forget the stream: the next picture begins one."""
        self._before = None

    def look(self, bgr: Bytes, captured_at: float) -> Look:
        """Compare a picture with the one before; `captured_at` is in seconds.

        A first picture, a gap, a clock that went back, another size and a cut begin a scene.
        """
        elapsed_s, self._last_at = captured_at - self._last_at, captured_at
        before, self._before = self._before, bgr
        nothing = Look(bgr, None, None, np.zeros(bgr.shape[:2], np.uint8))
        if before is None or before.shape != bgr.shape or not 0 <= elapsed_s <= MAX_GAP_S:
            return nothing
        gain = gain_between(before, bgr) if self._light else None
        before = relit(before, bgr, gain)
        change = changes(before, bgr)
        if np.count_nonzero(change > CUT) > CUT_SHARE * change.size:
            return replace(nothing, cut=True)
        return Look(bgr, before, gain, cv2.compare(change, NOISE, cv2.CMP_LE))


def changes(before: Bytes, bgr: Bytes) -> Bytes:
    """Return how far pictures differ around each pixel, uint8 (height, width), levels of 255."""
    change: Bytes = cv2.blur(cv2.cvtColor(cv2.absdiff(before, bgr), cv2.COLOR_BGR2GRAY), WINDOW)
    return change
