"""Taking turns: few threads work at once, the others wait in the order in which they came. Floor 1.

A semaphore would do, were it fair: who gives it back and asks again at once gets it again.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from types import TracebackType

LONGEST_S = 0.2
"""Seconds after which a turn counts no more: what hangs must not hold up the others. They show
their last picture for a little longer (`pipeline.HOLD_S`), so that nobody vanishes meanwhile."""

LOOK_S = 0.04
"""Seconds between two looks of who waits at whether a turn still counts."""


def processors() -> int:
    """Return how many processors this process may use; a service's or a shell's may be few."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Turns:
    """A context that at most `places` threads are in, but for those whose turn is too long."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._since: dict[int, float] = {}
        self._waiting: deque[tuple[int, threading.Event]] = deque()

    def __enter__(self) -> None:
        mine = threading.Event()
        with self._lock:
            self._waiting.append((threading.get_ident(), mine))
        self._admit()
        while not mine.wait(LOOK_S):
            self._admit()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._since.pop(threading.get_ident(), None)
        self._admit()

    def _admit(self) -> None:
        """Let in who has waited longest, as far as there are places."""
        with self._lock:
            now = time.monotonic()
            for late in [who for who, since in self._since.items() if now - since > LONGEST_S]:
                del self._since[late]
            while self._waiting and len(self._since) < self._places:
                who, mine = self._waiting.popleft()
                self._since[who] = now
                mine.set()
