"""Pictures on their way in: few at a time, for each may take 32 MB, and opened one after another.

A file of 200 kB may be a picture of 200 MB.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from realtime.errors import TooManyPeers

MOST = 16


class Intake:
    """At most `MOST` pictures are received, wait or are worked on; who opens one holds `turn`."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self._free = MOST

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place, before the body is read. Raises `TooManyPeers`."""
        if not self._free:
            raise TooManyPeers("too many pictures at once", "send them one after another")
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1
