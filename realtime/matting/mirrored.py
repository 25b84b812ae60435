"""Step 2 of 9, taken twice: the network also looks at the picture's mirror image.

What it takes for a person by mistake it seldom takes so both ways, and the mean of both mattes has
truer edges (test-time augmentation, as in Krizhevsky et al., NIPS 2012). It costs twice the time.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2

from realtime.contract import Size
from realtime.frame import Alpha, Bytes
from realtime.matting.session import MattingSession


class BothWays:
    """One stream's inference at the picture and at its mirror image, each with its own memory."""

    def __init__(self, begin: Callable[[], MattingSession]) -> None:
        self._straight, self._mirrored = begin(), begin()
        self.size_for: Callable[[int, int], Size] = self._straight.size_for

    def reset(self) -> None:
        """Forget the stream."""
        self._straight.reset()
        self._mirrored.reset()

    def infer(self, bgr: Bytes) -> Alpha:
        """Return the mean of both mattes; takes and raises what a `MattingSession` does."""
        straight = self._straight.infer(bgr)
        mirrored = cv2.flip(self._mirrored.infer(cv2.flip(bgr, 1)), 1)
        mean: Alpha = cv2.addWeighted(straight, 0.5, mirrored, 0.5, 0)
        return mean
