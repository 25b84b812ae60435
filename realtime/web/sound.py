"""A lent microphone's sound on its way back: as late as the picture, and otherwise as it came."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from aiortc import MediaStreamTrack
from av import AudioFrame

LONGEST_S = 1.0
"""Longest delay; a picture that is older has stopped."""


class DelayedSound(MediaStreamTrack):  # type: ignore[misc]  # aiortc's tracks are to be inherited
    """Gives what `track` receives `delay_s()` later. Made and read in the event loop.

    Nothing but a received frame wakes it: sound comes every 20 ms, which is fine enough.
    """

    kind = "audio"

    def __init__(self, track: MediaStreamTrack, delay_s: Callable[[], float]) -> None:
        super().__init__()
        self._track, self._delay_s = track, delay_s
        self._waiting: deque[tuple[float, AudioFrame]] = deque()

    async def recv(self) -> AudioFrame:
        """Return the next frame that is due. Raises `MediaStreamError` at the end."""
        while not self._waiting or self._is_early(self._waiting[0][0]):
            self._waiting.append((time.monotonic(), await self._track.recv()))
        return self._waiting.popleft()[1]

    def _is_early(self, came_at: float) -> bool:
        return time.monotonic() - came_at < min(self._delay_s(), LONGEST_S)
