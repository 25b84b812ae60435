"""Fail closed: whatever happens to a frame, what leaves is a composed picture. Floor 3.

A frame that could not be matted shows the last composed picture for up to `HOLD_S`, then the
backdrop alone.
"""

from __future__ import annotations

import logging
import time

from realtime import pixels
from realtime.contract import Size
from realtime.errors import ModelError
from realtime.frame import Frame
from realtime.pipeline import HOLD_S, Pipeline
from realtime.stats import Stats

log = logging.getLogger(__name__)

MAX_FAILURES, LOST_S = 30, 1.0
"""Frames in a row, and seconds, that may fail before the model counts as lost: a camera of 120
pictures a second has that many while somebody closes its shutter."""


class Guard:
    """Steps a pipeline without ever letting the room or a foreign exception through."""

    def __init__(self, pipeline: Pipeline, stats: Stats) -> None:
        self.pipeline = pipeline
        self._stats = stats
        self._last: Frame | None = None
        self._last_at = 0.0
        self._failures, self._failing_since = 0, 0.0

    def step(self, frame: Frame) -> Frame:
        """Return a picture to show.

        Raises `ModelError` after `MAX_FAILURES` failures in a row, if they took `LOST_S` at least.
        """
        try:
            picture = self.pipeline.step(frame)
        except Exception as error:  # the work loop's one broad net: anything may be in a model
            return self._stand_in(frame, error)
        self._last, self._last_at, self._failures = picture, time.monotonic(), 0
        self._stats.composed()
        return picture

    def _stand_in(self, frame: Frame, error: Exception) -> Frame:
        now = time.monotonic()
        if not self._failures:
            self._failing_since = now
        self._failures += 1
        self._stats.count("frame errors")
        log.warning("frame %d could not be composed: %s", frame.number, error)
        if self._failures >= MAX_FAILURES and now - self._failing_since >= LOST_S:
            raise ModelError(
                f"{self._failures} frames in a row could not be composed: {error}",
                "choose another model or device",
            ) from error
        held = now - self._last_at <= HOLD_S
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
