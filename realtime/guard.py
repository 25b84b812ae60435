"""Fail closed: whatever happens to a frame, what leaves is a composed picture. Floor 3.

A frame that could not be matted shows the last composed picture for up to `HOLD_S`, then the
backdrop alone. A matte that is suddenly empty where a person was counts as one that failed, but
not for longer: people do leave.
"""

from __future__ import annotations

import logging
import time

import cv2

from realtime import pixels
from realtime.contract import Size
from realtime.errors import FrameError, ModelError
from realtime.frame import Frame, Matte
from realtime.pipeline import Pipeline
from realtime.stats import Stats

log = logging.getLogger(__name__)

HOLD_S = 0.25
"""Seconds for which the last composed picture may stand in for the present one."""

MAX_FAILURES = 30
"""Frames in a row that may fail before the model counts as lost."""

PRESENT, ABSENT = 0.02, 0.001
"""Mean alpha above which somebody is there, and below which nobody is."""


class Guard:
    """Steps a pipeline without ever letting the room or a foreign exception through."""

    def __init__(self, pipeline: Pipeline, stats: Stats) -> None:
        self.pipeline = pipeline
        self._stats = stats
        self._last: Frame | None = None
        self._last_at = 0.0
        self._present_at = float("-inf")
        self._failures = 0

    def step(self, frame: Frame) -> Frame:
        """Return a picture to show. Raises `ModelError` after `MAX_FAILURES` failures in a row."""
        try:
            picture = self._compose(frame)
        except Exception as error:  # the work loop's one broad net: anything may be in a model
            return self._stand_in(frame, error)
        self._last, self._last_at, self._failures = picture, time.monotonic(), 0
        self._stats.composed()
        return picture

    def _compose(self, frame: Frame) -> Frame:
        matte = self.pipeline.matte(frame)
        self._expect_person(frame, matte)
        return self.pipeline.finish(frame, matte)

    def _expect_person(self, frame: Frame, matte: Matte) -> None:
        coverage = cv2.mean(matte.alpha)[0]
        if coverage > PRESENT:
            self._present_at = frame.captured_at
        elif coverage < ABSENT and 0 <= frame.captured_at - self._present_at < HOLD_S:
            raise FrameError("the matte is empty where a person was")

    def _stand_in(self, frame: Frame, error: Exception) -> Frame:
        self._failures += 1
        self._stats.count("frame errors")
        log.warning("frame %d could not be composed: %s", frame.number, error)
        if self._failures >= MAX_FAILURES:
            raise ModelError(
                f"{self._failures} frames in a row could not be composed: {error}",
                "choose another model or device",
            ) from error
        held = time.monotonic() - self._last_at <= HOLD_S
        if held and self._last and self._last.size == frame.size:
            return self._last
        return alone(self.pipeline, frame.size)


def alone(pipeline: Pipeline, size: Size) -> Frame:
    """Return the backdrop alone, or the slate where even that fails."""
    try:
        return pipeline.alone(size)
    except Exception as error:
        log.warning("the backdrop cannot be shown: %s", error)
        return pixels.slate(size)
