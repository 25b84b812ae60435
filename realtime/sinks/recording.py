"""Step 9 of 9: frames into a video file, mattes into a lossless one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from realtime.contract import Size
from realtime.frame import Bytes, Frame
from realtime.pixels import fit, fit_plane
from realtime.sinks.container import CUT_OUTS, MATTES, TICKS, VIDEOS, EncodedFile


class RecordingSink:
    """Writes frames into `path`, the container by its suffix, the size that of the first frame.

    `fps` is the nominal frame rate. A frame is shown from its `captured_at` on, so that a clip
    keeps its pace when frames were dropped; one that is not later than the frame before follows
    it at `fps`. What has got the name meanwhile is replaced, or, `numbered`, stays beside it.
    `sound` is the clip whose sound goes along, if it has any. Raises `SinkUnavailable` when the
    file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        fps: float,
        *,
        transparent: bool = False,
        numbered: bool = False,
        sound: Path | None = None,
    ) -> None:
        self._file = EncodedFile(path, CUT_OUTS if transparent else VIDEOS, fps, numbered, sound)
        self._times = _Times(fps)

    def write(self, frame: Frame) -> None:
        """Add a frame; another size is fitted. Raises `SinkLost` when the disk is full."""
        size = self._file.size or frame.size
        self._add(frame, fit(frame, size, "pad").i420, size)

    def write_cut_out(self, person: Frame, alpha: Bytes) -> None:
        """Add a person and alpha, uint8 (height, width), to a transparent file, as `write` does."""
        size = self._file.size or person.size
        self._add(person, np.vstack([fit(person, size, "pad").i420, _padded(alpha, size)]), size)

    def _add(self, frame: Frame, picture: Bytes, size: Size) -> None:
        self._file.add(picture, size, self._times.ticks(frame.captured_at))

    def close(self) -> None:
        """Finish the file and give it its name; without any frame nothing is left behind."""
        self._file.close()

    def discard(self) -> None:
        """Stop and leave nothing behind; after `close` it does nothing."""
        self._file.discard()


class MatteSink:
    """Writes mattes as 8-bit grey, lossless (FFV1 in .mkv), in the times of their frames.

    A matte without a time of its own follows the one before at `fps`. Raises `SinkUnavailable`
    when the file cannot be written.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self._file = EncodedFile(path, MATTES, fps)
        self._times = _Times(fps)

    def write_alpha(self, alpha: Bytes, captured_at: float = 0.0) -> None:
        """Add a frame's matte, uint8 (height, width); another size is fitted as its picture is.

        Raises `SinkLost` when the disk is full.
        """
        size = self._file.size or (alpha.shape[1], alpha.shape[0])
        self._file.add(_padded(alpha, size), size, self._times.ticks(captured_at))

    def close(self) -> None:
        """Finish the file and give it its name; without any matte nothing is left behind."""
        self._file.close()

    def discard(self) -> None:
        """Stop and leave nothing behind; after `close` it does nothing."""
        self._file.discard()


def _padded(alpha: Bytes, size: Size) -> Bytes:
    """Bring a matte to a size, with nobody around it where it has another shape."""
    padded = np.empty(size[::-1], np.uint8)
    fit_plane(alpha, padded, "pad", 0)
    return padded


class _Times:
    """When the pictures of one file are shown, from the first one's time on."""

    def __init__(self, fps: float) -> None:
        self._step = TICKS / fps
        self._first_s: float | None = None
        self._ticks = -self._step

    def ticks(self, captured_at: float) -> int:
        """Return the next picture's; one that is not later than the last follows at `fps`."""
        if self._first_s is None:
            self._first_s = captured_at
        ticks = (captured_at - self._first_s) * TICKS
        # Matroska counts in milliseconds: nearer frames would fall on the same one.
        self._ticks = ticks if ticks >= self._ticks + TICKS / 500 else self._ticks + self._step
        return round(self._ticks)
