"""Leaving frames out: one of so many is composed, and one that was missed is made good. Floor 1.

By number alone, every second frame became every fourth wherever the right one had been dropped.
"""

from __future__ import annotations


class Thinning:
    """Chooses one frame of `every`, which may be 1.5, by their numbers."""

    def __init__(self) -> None:
        self.every = 1.0
        self._due = 0.0

    def leaves_out(self, number: int) -> bool:
        """Say whether a frame comes too early. One long before was made by another source."""
        return 0 < self._due - number < self.every

    def take(self, number: int) -> None:
        """Count from this frame, or from the one that should have been taken shortly before."""
        due = self._due if abs(number - self._due) < self.every else number
        self._due = max(due + self.every, number + 1)
