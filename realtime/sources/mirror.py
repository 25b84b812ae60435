"""Step 1 of 9 for whoever wants a mirror: another source, left and right exchanged."""

from __future__ import annotations

from realtime import pixels
from realtime.frame import Frame, Source


class MirroredSource:
    """Gives the frames of a source mirrored. Raises what that source raises."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.fps = source.fps

    def read(self) -> Frame:
        """Return the next frame, mirrored."""
        return pixels.mirror(self._source.read())

    def close(self) -> None:
        """Close the other source."""
        self._source.close()
