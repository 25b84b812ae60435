"""Why a line rests: reasons come and go, and while there is any the source is closed. Floor 1."""

from __future__ import annotations

import threading

HIDDEN, UNWATCHED = "hidden", "nobody watches"
"""Reasons to rest: privacy, when sinks show the slate, and that there is nobody to see anything."""


class Rests:
    """The reasons that hold now; any thread may add and remove them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reasons: frozenset[str] = frozenset()

    def add(self, why: str) -> None:
        """Begin to rest for a reason."""
        with self._lock:
            self._reasons |= {why}

    def remove(self, why: str) -> bool:
        """Take back a reason; say whether it held."""
        with self._lock:
            held = why in self._reasons
            self._reasons -= {why}
            return held

    def __contains__(self, why: str) -> bool:
        return why in self._reasons

    def __bool__(self) -> bool:
        return bool(self._reasons)

    def __str__(self) -> str:
        return ", ".join(sorted(self._reasons))
