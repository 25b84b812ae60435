"""Step 2 of 9 with the picture's mirror image: what the network takes for a person by mistake it
seldom takes so both ways, and the mean of both mattes has truer edges (test-time augmentation, as
in Krizhevsky et al., NIPS 2012). Each way has a memory of its own.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2

from realtime.contract import Size
from realtime.frame import Alpha, Bytes
from realtime.matting.session import MattingSession


class BothWays:
    """One stream's inference at the picture and at its mirror image, in twice the time."""

    def __init__(self, begin: Callable[[], MattingSession]) -> None:
        self._straight, self._mirrored = begin(), begin()
        self.size_for: Callable[[int, int], Size] = self._straight.size_for

    def reset(self) -> None:
        """Forget the stream."""
        self._straight.reset()
        self._mirrored.reset()

    def infer(self, bgr: Bytes) -> Alpha:
        """Return the mean of both mattes; takes and raises what a `MattingSession` does."""
        straight, mirrored = self._straight.infer(bgr), _at_mirror(self._mirrored, bgr)
        mean: Alpha = cv2.addWeighted(straight, 0.5, mirrored, 0.5, 0)
        return mean


class InTurn(BothWays):
    """The same at the picture, then at the next one's mirror image, and so on: in the time of one.

    Mattes differ from one to the next: for a smoother that takes the mean.
    """

    _turned = False

    def reset(self) -> None:
        """Forget the stream."""
        super().reset()
        self._turned = False

    def infer(self, bgr: Bytes) -> Alpha:
        """Return the matte of one way; takes and raises what a `MattingSession` does."""
        turned, self._turned = self._turned, not self._turned
        return _at_mirror(self._mirrored, bgr) if turned else self._straight.infer(bgr)


def _at_mirror(session: MattingSession, bgr: Bytes) -> Alpha:
    matte: Alpha = cv2.flip(session.infer(cv2.flip(bgr, 1)), 1)
    return matte
