"""One sink of a line, kept at its rate. Floor 3.

It shows the last picture for up to `HOLD_S` when nothing new comes, whatever hangs before it, and
then what the line shows where there is nothing new.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from realtime.frame import Frame
from realtime.pipeline import HOLD_S
from realtime.rests import UNWATCHED, Rests
from realtime.slot import Slot
from realtime.stats import Stats

log = logging.getLogger(__name__)

FIRST_RETRY_S, LAST_RETRY_S = 0.25, 5.0
"""Pause before a lost source or sink is opened again; doubles from the first to the last. A sink's
begins anew after one that lasted longer than that: a full disk opens a file and takes nothing."""


class Sink(Protocol):
    """Takes composed pictures."""

    def write(self, frame: Frame) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Outlet:
    """A sink of the line: its name, how it is opened (again), and the rate it is kept at.

    `device` is the path of a video device whose viewers can be counted, if it has one.
    """

    name: str
    open: Callable[[], Sink]
    fps: float
    device: str = ""
    slot: Slot[Frame] = field(default_factory=Slot)


class Delivery:
    """Delivers an outlet's pictures until `stopping` is set; what is lost is opened again.

    `still` returns what is shown where there is nothing new: never the room.
    """

    def __init__(
        self,
        outlet: Outlet,
        still: Callable[[], Frame],
        rests: Rests,
        stopping: threading.Event,
        stats: Stats,
    ) -> None:
        self._outlet = outlet
        self._still = still
        self._rests = rests
        self._stopping = stopping
        self._stats = stats
        self._pause_s = FIRST_RETRY_S
        self._told = ""

    def run(self, sink: Sink | None) -> None:
        """Keep a sink, and the ones that come after it, supplied; close the last."""
        outlet = self._outlet
        shown, fresh_at = self._still(), float("-inf")
        opened_at = time.monotonic()
        while sink and not self._stopping.is_set():
            picture = outlet.slot.take(None if UNWATCHED in self._rests else 1.5 / outlet.fps)
            now = time.monotonic()
            if self._rests:  # asked here, so that nothing composed before gets past
                picture, fresh_at = None, float("-inf")
            if picture:
                shown, fresh_at = picture, now
            else:  # the sink keeps its rate, and its clock goes on
                still = shown if now - fresh_at <= HOLD_S else self._still()
                shown = replace(still, captured_at=now)
            try:
                sink.write(shown)
            except Exception as error:  # anything may be in an encoder or a device
                self._close(sink)
                if now - opened_at > LAST_RETRY_S:
                    self._pause_s, self._told = FIRST_RETRY_S, ""
                sink, opened_at = self._reopen(error), time.monotonic()
                continue
            if picture:
                self._stats.delivered(picture.captured_at)
        if sink:
            self._close(sink)

    def _close(self, sink: Sink) -> None:
        try:
            sink.close()
        except Exception as error:  # the disk is full, say
            log.error("%s: %s", self._outlet.name, error)

    def _reopen(self, error: Exception) -> Sink | None:
        self._stats.count(f"{self._outlet.name} lost")
        self._tell(error)
        while not self._stopping.wait(self._pause_s):
            self._pause_s = min(2 * self._pause_s, LAST_RETRY_S)
            try:
                return self._outlet.open()
            except Exception as again:
                log.warning("%s: %s", self._outlet.name, again)
        return None

    def _tell(self, error: Exception) -> None:
        """Say once what is lost, however often it is tried in vain."""
        if str(error) != self._told:
            log.error("%s: %s; it is tried again until it works", self._outlet.name, error)
        self._told = str(error)
