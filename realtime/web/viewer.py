"""What one viewer is sent: encoded pictures of one rung, each decodable after the one before.

A picture that is missing spoils all that follow, so a viewer that falls behind is given nothing
more until the next keyframe, and a change of rung waits for one.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from realtime.address import Codec
from realtime.web.encoder import Encoded
from realtime.web.ladder import Climber, Report, Rung

MAX_BEHIND = 4
"""Pictures that may wait for their viewer's connection; more is age that nobody wants."""

SPARE = 1.5
"""What a link must carry before a better rung is sent over it, in that rung's rates."""

MAX_UNSENT = 64 * 1024
"""Bytes that the system may hold back; a full socket would otherwise be buffered without end."""


@dataclass(frozen=True)
class Stream:
    """One encoding of a line: a codec at a rung of the ladder."""

    codec: Codec
    rung: int


class Station(Protocol):
    """What a viewer asks of its broadcast, in the event loop."""

    @property
    def ladder(self) -> list[Rung]: ...
    def join(self, viewer: Viewer) -> None: ...
    def leave(self, viewer: Viewer) -> None: ...
    def ask_key(self, stream: Stream) -> None: ...
    def tell_drop(self) -> None: ...


class Viewer(MediaStreamTrack):  # type: ignore[misc]  # aiortc's tracks are to be inherited
    """One viewer's track of `Encoded` pictures; lives in the event loop.

    It joins with the first `recv`, which is when its connection stands: nothing is encoded for
    who never comes. `unsent` says how many bytes its connection still holds, `carries` tries
    whether it takes so many bits a second more.
    """

    kind = "video"

    def __init__(self, station: Station, codec: Codec) -> None:
        super().__init__()
        self.unsent: Callable[[], int] = lambda: 0
        self.carries: Callable[[float], Awaitable[bool]] = _carry
        self._station = station
        self._stream = self._next = Stream(codec, 0)
        self._climber = Climber()
        self._try: asyncio.Task[None] | None = None
        self._meter = Meter()
        self._waiting: deque[Encoded] = deque()
        self._came = asyncio.Event()
        self._joined = False
        self._needs_key = True

    @property
    def wants(self) -> frozenset[Stream]:
        """What has to be encoded for this viewer: its rung and the one it is to go to."""
        return frozenset((self._stream, self._next))

    @property
    def rate(self) -> int:
        """Bits a second of its rung; 0 before the first picture."""
        ladder = self._station.ladder
        return ladder[min(self._stream.rung, len(ladder) - 1)].rate if ladder else 0

    async def recv(self) -> Encoded:
        """Return the next picture. Raises `MediaStreamError` at the end."""
        if not self._joined and self.readyState == "live":
            self._joined = True
            self._station.join(self)
        while self.readyState == "live":
            if self._waiting:
                encoded = self._waiting.popleft()
                self._meter.add(encoded.size, time.monotonic())
                return encoded
            self._came.clear()
            await self._came.wait()
        raise MediaStreamError

    def offer(self, batch: Mapping[Stream, Encoded]) -> None:
        """Take what is for this viewer out of one moment's pictures."""
        ahead = batch.get(self._next)
        if self._next != self._stream and ahead and ahead.is_key:
            self._stream, self._needs_key = self._next, True
        encoded = batch.get(self._stream)
        if encoded is None:
            return
        if len(self._waiting) >= MAX_BEHIND or self.unsent() > MAX_UNSENT:
            self._waiting.clear()
            self._needs_key = True
            self._station.tell_drop()
        elif self._needs_key and not encoded.is_key:
            self._station.ask_key(self._stream)
        else:
            self._needs_key = False
            self._waiting.append(encoded)
            self._came.set()

    def ask_key(self) -> None:
        """The viewer has lost a picture (PLI, FIR) and needs one that stands alone."""
        self._station.ask_key(self._stream)

    def estimate(self, report: Report) -> None:
        """The viewer's receiver says what its link carries (REMB)."""
        now = time.monotonic()
        ladder = self._station.ladder
        if not ladder or self._try:
            return
        sent = self._meter.rate(now)
        rung = self._climber.judge(report, sent, ladder, now)
        if rung < self._next.rung:
            self._try = asyncio.create_task(self._climb(rung, sent))
        elif rung > self._next.rung:
            self._go(rung)

    async def _climb(self, rung: int, sent: float) -> None:
        """Go to a better rung if the link carries it, and some more; then try the next one."""
        ladder = self._station.ladder
        try:
            while await self.carries(SPARE * ladder[rung].rate - sent):
                self._go(rung)
                if rung == 0:
                    return
                below = min(rung + 1, len(ladder) - 1)  # it may have lost rungs meanwhile
                sent *= ladder[rung].rate / ladder[below].rate
                rung -= 1
                self._climber.climb(time.monotonic())
            self._climber.fail(time.monotonic())
        finally:
            self._try = None

    def _go(self, rung: int) -> None:
        self._next = Stream(self._stream.codec, rung)
        self._station.ask_key(self._next)

    def stop(self) -> None:
        """End the track."""
        super().stop()
        if self._try:
            self._try.cancel()
        self._station.leave(self)
        self._came.set()


async def _carry(more: float) -> bool:
    """Stand for a link without limits."""
    return True


class Meter:
    """Bits a second over the last second; 0 until one has passed."""

    def __init__(self) -> None:
        self._sent: deque[tuple[float, int]] = deque()
        self._began: float | None = None

    def add(self, size: int, now: float) -> None:
        """Count `size` bytes."""
        self._began = self._began or now
        self._sent.append((now, size))
        self._forget(now)

    def rate(self, now: float) -> float:
        """Return the rate."""
        self._forget(now)
        if self._began is None or now - self._began < 1.0:
            return 0.0
        return 8.0 * sum(size for _, size in self._sent)

    def _forget(self, now: float) -> None:
        while self._sent and self._sent[0][0] < now - 1.0:
            self._sent.popleft()
