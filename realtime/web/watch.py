"""Step 9 of 9: the newest picture of a line, to any number of browsers.

A thread delivers, asyncio sends, and between them stands one slot a track: a slow browser drops
pictures and never holds up the line or its neighbours. A picture is copied once into PyAV's
yuv420p and shared: several encoders converting one frame at once crash (aiortc #767).
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from fractions import Fraction

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from realtime.frame import Frame
from realtime.slot import Slot

CLOCK_HZ = 90_000
"""RTP clock of every video codec (RFC 3551, section 5)."""


class PictureTrack(MediaStreamTrack):  # type: ignore[misc]  # aiortc's tracks are to be inherited
    """What one browser is sent. Made in the event loop, filled from any thread."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._came = asyncio.Event()
        self._slot: Slot[VideoFrame] = Slot()

    def put(self, picture: VideoFrame) -> None:
        """Leave the newest picture; one that was not sent in time is dropped."""
        self._slot.put(picture)
        with suppress(RuntimeError):  # the loop has ended, and its browsers with it
            self._loop.call_soon_threadsafe(self._came.set)

    def end(self) -> None:
        """End the track from any thread."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.stop)

    async def recv(self) -> VideoFrame:
        """Return the next picture, without any work. Raises `MediaStreamError` at the end."""
        while self.readyState == "live":
            self._came.clear()
            if picture := self._slot.take(timeout_s=0):
                return picture
            await self._came.wait()
        raise MediaStreamError

    def stop(self) -> None:
        """End the track, in the event loop."""
        super().stop()
        self._slot.close()
        self._came.set()


class WatchSink:
    """A sink whose pictures every track of `track()` gets; costs nothing while nobody watches."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tracks: frozenset[PictureTrack] = frozenset()
        self._began = time.monotonic()

    def track(self) -> PictureTrack:
        """Return a track for one more browser. Call it in the event loop."""
        track = PictureTrack()
        track.on("ended", lambda: self._forget(track))
        with self._lock:
            self._tracks |= {track}
        return track

    def write(self, frame: Frame) -> None:
        """Hand a composed picture to all tracks."""
        if tracks := self._tracks:
            picture = self._picture(frame)
            for track in tracks:
                track.put(picture)

    def close(self) -> None:
        """End all tracks."""
        for track in self._tracks:
            track.end()

    def _picture(self, frame: Frame) -> VideoFrame:
        picture = VideoFrame.from_ndarray(frame.i420, "yuv420p")
        picture.pts = int((time.monotonic() - self._began) * CLOCK_HZ)
        picture.time_base = Fraction(1, CLOCK_HZ)
        return picture

    def _forget(self, track: PictureTrack) -> None:
        with self._lock:
            self._tracks -= {track}
