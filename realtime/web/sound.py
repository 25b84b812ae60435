"""A microphone's sound: as late as its camera's picture, and otherwise as it came.

The received track is always drained, as a camera's is: aiortc's own line of it has no end.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

LONGEST_S = 1.0
"""Longest delay; a picture that is older has stopped."""

MAX_WAITING = 128
"""Frames that wait for one listener: `LONGEST_S` of 10 ms each, the shortest that come."""


class Sound:
    """Hands what it receives to any number of listeners, `delay_s()` later.

    While `hidden()`, nobody hears anything: who has hidden the room speaks in it.
    """

    def __init__(self, delay_s: Callable[[], float], hidden: Callable[[], bool]) -> None:
        self._delay_s, self._hidden = delay_s, hidden
        self._listeners: frozenset[DelayedSound] = frozenset()

    def listen(self) -> DelayedSound:
        """Return a track for one more listener; it ends with what is drained."""
        listener = DelayedSound(self._delay_s, self._hidden)
        self._listeners |= {listener}
        listener.on("ended", lambda: self._forget(listener))
        return listener

    def _forget(self, listener: DelayedSound) -> None:
        self._listeners -= {listener}

    async def drain(self, track: MediaStreamTrack) -> None:
        """Hand on a received track until it ends."""
        try:
            while True:
                frame = await track.recv()
                for listener in self._listeners:
                    listener.take(frame)
        except MediaStreamError:
            for listener in self._listeners:
                listener.stop()


class DelayedSound(MediaStreamTrack):  # type: ignore[misc]  # aiortc's tracks are to be inherited
    """One listener's track. Made and read in the event loop.

    Nothing but a frame that comes wakes it: sound comes every 20 ms, which is fine enough.
    """

    kind = "audio"

    def __init__(self, delay_s: Callable[[], float], hidden: Callable[[], bool]) -> None:
        super().__init__()
        self._delay_s, self._hidden = delay_s, hidden
        self._waiting: deque[tuple[float, AudioFrame]] = deque(maxlen=MAX_WAITING)
        self._came = asyncio.Event()

    def take(self, frame: AudioFrame) -> None:
        """Take a frame that has just come; while hidden it is forgotten, with all that wait."""
        if self._hidden():
            self._waiting.clear()
            return
        self._waiting.append((time.monotonic(), frame))
        self._came.set()

    async def recv(self) -> AudioFrame:
        """Return the next frame that is due. Raises `MediaStreamError` at the end."""
        while self.readyState == "live":
            if self._is_due():
                return self._waiting.popleft()[1]
            self._came.clear()
            await self._came.wait()
        raise MediaStreamError

    def stop(self) -> None:
        """End the track."""
        super().stop()
        self._came.set()

    def _is_due(self) -> bool:
        if not self._waiting or self._hidden():
            return False
        return time.monotonic() - self._waiting[0][0] >= min(self._delay_s(), LONGEST_S)
