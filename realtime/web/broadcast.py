"""Step 9 of 9: a line's pictures to any number of viewers, each size and codec encoded once.

A thread of the line encodes what somebody wants, and nothing else; the event loop hands it to the
viewers. A slow one drops pictures by itself and never holds up the line or its neighbours.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction

from av import VideoFrame

from realtime import heap, pixels
from realtime.address import Codec
from realtime.errors import SinkLost
from realtime.frame import Frame
from realtime.stats import Stats
from realtime.web.encoder import CLOCK_HZ, Encoded, PictureEncoder
from realtime.web.ladder import Rung, rungs
from realtime.web.viewer import Stream, Viewer

log = logging.getLogger(__name__)

REPEAT_S = 0.25
"""Seconds after which a picture that has not changed is sent again: a line that cannot keep up
repeats its last one, and encoding that would take the time of the next."""

KEY_PAUSE_S = 0.35
"""Seconds between two keyframes of one stream: a storm of requests would make every picture one.
A viewer that joins in between still has its first picture within half a second."""


VIEWER_DROPS = "viewer drops"
"""Count of pictures that were not sent to a viewer whose link was full."""


class Broadcast:
    """A sink whose pictures every viewer gets; costs nothing while nobody watches.

    `newest` is the picture that was delivered last. What slow viewers miss is counted in `stats`.
    """

    def __init__(self, fps: float = 30.0, stats: Stats | None = None) -> None:
        self.newest: Frame | None = None
        self._fps, self._stats = fps, stats or Stats()
        self._lock = threading.Lock()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._viewers: frozenset[Viewer] = frozenset()
        self._asked: frozenset[Stream] = frozenset()
        self._ladder: list[Rung] = []
        self._encoders: dict[Stream, PictureEncoder] = {}
        self._keyed_at: dict[Stream, float] = {}
        self._number, self._pts = 0, 0
        self._wrote_at = 0.0

    # The event loop's half

    @property
    def viewers(self) -> int:
        """How many are sent pictures."""
        return len(self._viewers)

    @property
    def ladder(self) -> list[Rung]:
        """The sizes and rates there are, the full one first."""
        return self._ladder

    def viewer(self, codec: Codec) -> Viewer:
        """Return a track for one more viewer."""
        return Viewer(self, codec)

    def join(self, viewer: Viewer) -> None:
        """Send to a viewer from its first keyframe on."""
        self._loop = asyncio.get_running_loop()
        with self._lock:
            self._viewers |= {viewer}
            self._asked |= viewer.wants
        if self._closed:
            viewer.stop()

    def leave(self, viewer: Viewer) -> None:
        """Send a viewer nothing more."""
        with self._lock:
            self._viewers -= {viewer}

    def ask_key(self, stream: Stream) -> None:
        """Make a stream's next picture a keyframe, or one soon after if there just was one."""
        with self._lock:
            self._asked |= {stream}

    def tell_drop(self) -> None:
        """A viewer is too slow for a picture and is not sent it."""
        self._stats.count(VIEWER_DROPS)

    def _hand_out(self, batch: dict[Stream, Encoded]) -> None:
        for viewer in self._viewers:
            viewer.offer(batch)

    def _end(self, viewers: frozenset[Viewer]) -> None:
        for viewer in viewers:
            viewer.stop()

    # The delivering thread's half

    def write(self, frame: Frame) -> None:
        """Encode a composed picture in every stream that somebody wants, and send it."""
        again = self.newest is not None and frame.i420 is self.newest.i420
        self.newest = frame
        wanted = {stream for viewer in self._viewers for stream in viewer.wants}
        self._drop(set(self._encoders) - wanted)
        now = time.monotonic()
        known = self._encoders.keys() >= wanted and not self._asked & wanted
        if not wanted or (again and known and now - self._wrote_at < REPEAT_S):
            return
        self._wrote_at = now
        self._ladder = rungs(frame.size)
        self._number += 1
        self._pts = max(self._pts + 1, int(frame.captured_at * CLOCK_HZ))
        pictures: dict[Rung, VideoFrame] = {}
        batch = {}
        for stream in wanted:
            rung = self._ladder[min(stream.rung, len(self._ladder) - 1)]
            if rung not in pictures:
                pictures[rung] = self._picture(frame, rung)
            if encoded := self._encode(stream, rung, pictures[rung]):
                batch[stream] = encoded
        self._call(self._hand_out, batch)

    def _drop(self, streams: set[Stream]) -> None:
        """Forget the encoders of streams that nobody wants; each holds 20 to 40 MB."""
        for stream in streams:
            del self._encoders[stream]
        if streams:
            heap.give_back()

    def close(self) -> None:
        """End all viewers."""
        self._closed = True
        self._call(self._end, self._viewers)

    def _picture(self, frame: Frame, rung: Rung) -> VideoFrame:
        """Return a picture of a rung's size, not copied where it has that size: encoders read."""
        smaller = pixels.fit(frame, rung.size, "stretch")
        picture = VideoFrame.from_numpy_buffer(smaller.i420, "yuv420p")
        picture.pts, picture.time_base = self._pts, Fraction(1, CLOCK_HZ)
        return picture

    def _encode(self, stream: Stream, rung: Rung, picture: VideoFrame) -> Encoded | None:
        encoder = self._encoders.get(stream)
        now = time.monotonic()
        try:
            if encoder is None or encoder.rung != rung:
                encoder = self._encoders[stream] = PictureEncoder(stream.codec, rung, self._fps)
                self._keyed_at.pop(stream, None)
            rested = now - self._keyed_at.get(stream, float("-inf")) >= KEY_PAUSE_S
            encoded = encoder.encode(picture, self._number, rested and stream in self._asked)
        except SinkLost as error:
            self._fail(stream, error)
            return None
        if encoded and encoded.is_key:
            self._keyed_at[stream] = now
            with self._lock:
                self._asked -= {stream}
        return encoded

    def _fail(self, stream: Stream, error: SinkLost) -> None:
        """End the viewers of a stream: a frozen picture would look like a working one."""
        log.error("%s at rung %d: %s", stream.codec, stream.rung, error)
        self._encoders.pop(stream, None)
        self._call(self._end, frozenset(v for v in self._viewers if stream in v.wants))

    def _call(self, act: Callable[..., None], *arguments: object) -> None:
        if self._loop:
            with suppress(RuntimeError):  # the loop has ended, and its viewers with it
                self._loop.call_soon_threadsafe(act, *arguments)
