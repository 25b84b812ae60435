"""A mailbox of one between two threads: the newest wins. Floor 1.

The only thing that stands between threads in Scrim. A longer line of frames would only add age:
a picture that nobody took in time is worth nothing.
"""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Slot(Generic[T]):
    """`put` never blocks and replaces what was not taken; `take` waits for something new."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self._drops = 0

    def put(self, item: T) -> None:
        """Leave an item; one that was not taken in time is dropped and counted."""
        with self._condition:
            if self._closed:
                return
            if self._item is not None:
                self._drops += 1
            self._item = item
            self._condition.notify()

    def take(self, timeout_s: float | None = None) -> T | None:
        """Return the newest item, or None when the time is up or the slot is closed and empty."""
        with self._condition:
            self._condition.wait_for(lambda: self._item is not None or self._closed, timeout_s)
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        """Wake every waiter; what is put from now on is ignored."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    @property
    def drops(self) -> int:
        """Items replaced before anybody took them."""
        return self._drops
