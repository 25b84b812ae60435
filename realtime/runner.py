"""The line at work: one thread reads, one composes, one per sink delivers. Floor 3.

    capture --[slot]--> work --[slot]--> deliver (one a sink)

Threads live here and nowhere else. Between them there are only slots, so a slow part makes
drops, never delay. Where nothing new comes there is the stand-by picture: the backdrop without
anybody. A line that rests has closed its source.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from realtime import pixels
from realtime.contract import Size
from realtime.delivery import FIRST_RETRY_S, LAST_RETRY_S, Delivery, Outlet
from realtime.errors import EndOfStream, ScrimError, SourceError
from realtime.frame import Frame, Source
from realtime.guard import Guard, alone
from realtime.pipeline import Pipeline
from realtime.rests import HIDDEN, Rests
from realtime.slot import Slot
from realtime.stats import Stats
from realtime.thinning import Thinning

log = logging.getLogger(__name__)

STOP_S = 20.0
"""Longest wait for threads to end: the process must not die while a network is being compiled, nor
while a long recording is finished."""

HANGS_S = 1.0
"""Longest wait for a frame that is being composed: a network that hangs can still be replaced."""

NO_TURNS = nullcontext()
"""Of a line that waits for no other."""


def nothing(before: Pipeline) -> None:
    """Keep nothing of what a pipeline remembers."""


class Runner:
    """Runs one line from a source to its sinks until it is stopped, ends or fails.

    It composes the frames that `thinning` chooses, each in its turn where several lines share
    `turns`.

    While `hidden` is set, from any thread and at any time, the camera is off and every sink shows
    the slate. `searching` is set while the source has never been there. `room`, if there is one,
    gets what the camera gives: see `web.room`.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        pipeline: Pipeline,
        outlets: Sequence[Outlet],
        size: Size,
        stats: Stats,
        turns: AbstractContextManager[None] = NO_TURNS,
    ) -> None:
        self.stats = stats
        self.error: ScrimError | None = None
        self.thinning = Thinning()
        self.searching = False
        self.room: Slot[Frame] | None = None
        self._open_source = open_source
        self._guard = Guard(pipeline, stats)
        self.outlets = outlets
        self._size = size
        self._turns = turns
        self._standby = alone(pipeline, size)
        self._frames: Slot[Frame] = Slot()
        self._source: Source | None = None
        self._renewals = 0
        self._stepping = threading.Lock()
        self._rests = Rests()
        self._telling = threading.Lock()
        self._wakes = threading.Event()
        self._stopping = threading.Event()
        self._finished = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, patient: bool = False) -> None:
        """Open sinks, then the source, and let frames run. Raises what could not be opened.

        A line that rests does not open its source; a patient one waits for a source to come.
        """
        try:
            for outlet in self.outlets:
                if self._rests:  # a device is listed from its first picture on
                    outlet.slot.put(self._still())
                self._spawn(f"deliver {outlet.name}", self._delivery(outlet).run, outlet.open())
            if not self._rests:
                self._open_first(patient)
        except ScrimError:
            self.stop()
            raise
        self._spawn("work", self._work)
        self._spawn("capture", self._capture)

    def _delivery(self, outlet: Outlet) -> Delivery:
        return Delivery(outlet, self._still, self._rests, self._stopping, self.stats)

    def _open_first(self, patient: bool) -> None:
        try:
            self._source = self._open_source()
        except SourceError as error:
            if not patient:
                raise
            self.searching = True
            self._tell_lost(error)

    def end(self) -> None:
        """Close the source, and let all that is under way end by itself."""
        self._stopping.set()
        self._wakes.set()
        self._frames.close()
        self._close_source()
        for outlet in self.outlets:
            outlet.slot.close()

    def stop(self, timeout_s: float = STOP_S) -> None:
        """End all threads and close every part, when what is under way is done.

        Safe to call twice.
        """
        self.end()
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._finished.set()
        self.stats.state = "stopped"

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the source has ended or the line has failed; say whether it has."""
        return self._finished.wait(timeout_s)

    @property
    def pipeline(self) -> Pipeline:
        """What composes now."""
        return self._guard.pipeline

    @property
    def hidden(self) -> bool:
        """Whether the line rests for privacy."""
        return HIDDEN in self._rests

    @hidden.setter
    def hidden(self, hidden: bool) -> None:
        (self.rest if hidden else self.go_on)(HIDDEN)

    def rest(self, why: str) -> None:
        """Close the source, and show nothing of it, until `go_on` is told the same reason."""
        self._rests.add(why)
        self._tell(self.stats.state)
        self._show_still()  # a sink may be writing a person just now, and would keep that
        self._close_source()

    def go_on(self, why: str) -> None:
        """Take back a reason to rest; without any left the source is opened again."""
        if not self._rests.remove(why):
            return
        self._wakes.set()
        self._show_still()

    def renew_source(self) -> None:
        """Open the source again: what it is to be has changed."""
        self._renewals += 1
        self._close_source()

    def swap(self, pipeline: Pipeline, keep: Callable[[Pipeline], None] = nothing) -> None:
        """Compose with another pipeline from the next frame on.

        `keep` is told the one before, between two frames, to take over what that remembers. Where
        a frame hangs in it the new one begins with nothing.
        """
        self._standby = alone(pipeline, self._size)
        between = self._stepping.acquire(timeout=HANGS_S)
        try:
            if between:
                keep(self.pipeline)
            self._guard = Guard(pipeline, self.stats)
        finally:
            if between:
                self._stepping.release()

    def _spawn(self, name: str, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _capture(self) -> None:
        while not self._stopping.is_set():
            if self._rests:
                self._sleep()
                continue
            source = self._source or self._open_again()
            if source is None:
                continue
            try:
                self._frames.put(source.read())
            except EndOfStream:
                if self._source is source and not self._stopping.is_set():
                    break
            except Exception as error:  # anything may be in a driver, a file or a browser's stream
                self.stats.count("source lost")
                self._close_source()
                self._tell_lost(error)
                self._stopping.wait(FIRST_RETRY_S)
        self._close_source()
        self._frames.close()

    def _sleep(self) -> None:
        self._close_source()
        self._wakes.clear()
        self._tell(self.stats.state)
        if self._rests and not self._stopping.is_set():
            self._wakes.wait()

    def _close_source(self) -> None:
        source, self._source = self._source, None
        if source:
            source.close()

    def _open_again(self) -> Source | None:
        """Open the source, as often as it takes; None when the line stops or rests meanwhile."""
        pause_s = FIRST_RETRY_S
        while not self._stopping.is_set() and not self._rests:
            renewals = self._renewals
            try:
                self._source = source = self._open_source()
                if renewals != self._renewals:  # it was to be another while this was being opened
                    self._close_source()
                    continue
                self.searching = False
                return source
            except Exception as error:  # as in `_capture`
                self._tell_lost(error)
                self._stopping.wait(pause_s)
                pause_s = min(2 * pause_s, LAST_RETRY_S)
        return None

    def _tell(self, state: str) -> None:
        """Say how it goes on: it rests, whatever a thread that has not heard of it would say."""
        with self._telling:
            self.stats.state = str(self._rests) or state

    def _tell_lost(self, error: Exception) -> None:
        said = error.message if isinstance(error, ScrimError) else repr(error)
        state = f"{'waiting' if self.searching else 'source lost'}: {said}"
        if state != self.stats.state:  # once, however long it lasts
            log.warning("%s; it is looked for until it comes", state)
        self._tell(state)

    def _work(self) -> None:
        drops = 0
        try:
            while frame := self._frames.take():
                if self.thinning.leaves_out(frame.number):
                    continue
                with self._turns:
                    frame = self._frames.take(0) or frame  # the newest by now
                    self.thinning.take(frame.number)
                    with self._stepping:
                        picture = self._guard.step(frame)
                    self._stand_by(picture.size)
                if not self._rests:
                    for outlet in self.outlets:
                        outlet.slot.put(picture)
                    if room := self.room:
                        room.put(frame)
                    self._tell("live")
                self.stats.count("drops", self._frames.drops - drops)
                drops = self._frames.drops
        except ScrimError as error:
            log.error("%s", error)
            self.error, self.stats.state = error, f"failed: {error.message}"
        self._finished.set()

    def _stand_by(self, size: Size) -> None:
        """Have what stands in as large as what is shown: encoders begin anew at another size."""
        if size != self._size:
            self._size = size
            self._standby = alone(self.pipeline, size)

    def _show_still(self) -> None:
        for outlet in self.outlets:
            outlet.slot.put(replace(self._still(), captured_at=time.monotonic()))

    def _still(self) -> Frame:
        """Return what is shown where there is nothing new: never the room."""
        return pixels.slate(self._size) if HIDDEN in self._rests else self._standby
