"""Step 1 of 9: a clip instead of a camera: every frame in order, whatever it was stored as.

Frames come out as I420 in BT.601 limited range, upright, of square pixels and of standard dynamic
range (`sources.upright`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition
from av.video.reformatter import VideoReformatter

from realtime.contract import Size
from realtime.errors import EndOfStream, SourceLost, SourceUnavailable
from realtime.frame import MAX_SIDE, Bytes, Frame
from realtime.sources.upright import upright

USUAL_FPS = 30.0

COVER = Disposition.attached_pic
"""A picture of what is heard, which lasts no time."""

SLACK = 1.5
"""Frames by which a file may be shorter than it says: writers differ in how they count the last."""


class VideoSource:
    """Reads a clip; `loop` begins again at its end, `realtime` paces it by its own time stamps.

    Frames of a paced clip are captured now, those of any other one at their own time in it.

    `fps` is the mean frame rate, `size` that of the first frame, `frames` the number of frames,
    by the clip's length where the file does not count them, or 0. Raises `SourceUnavailable` when
    there is nothing to read.
    """

    def __init__(self, path: Path, loop: bool = False, realtime: bool = False) -> None:
        self._path = path
        self._loop = loop
        self._realtime = realtime
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._number = 0
        self._due_s = self._start_s = time.monotonic() if realtime else 0.0
        # One for all pictures: what it finds out of a clip's colours takes seconds where it is HDR.
        self._reformatter = VideoReformatter()
        self._container, stream = _open(path)
        self.fps = float(stream.average_rate or USUAL_FPS)
        length_s = (self._container.duration or 0) / av.time_base
        self.frames: int = stream.frames or round(length_s * self.fps)
        self._pictures = _decoded(self._container, stream, self.fps, self._reformatter)
        first = self._first()
        self._ready: tuple[Bytes, float] | None = first
        self.size: Size = Frame(first[0]).size

    def read(self) -> Frame:
        """Return the next frame.

        Raises `EndOfStream` at the end, `SourceLost` where the file breaks off.
        """
        with self._lock:
            if self._closed.is_set():
                raise EndOfStream
            i420, at_s = self._ready or self._next()
            self._ready = None
        self._due_s = self._start_s + at_s
        if self._realtime:
            self._closed.wait(self._due_s - time.monotonic())
        if self._closed.is_set():
            raise EndOfStream
        self._number += 1
        captured_at = time.monotonic() if self._realtime else self._due_s
        return Frame(i420, self._number - 1, captured_at)

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames that are left. Raises `SourceLost` where the file breaks off."""
        with suppress(EndOfStream):
            while True:
                yield self.read()

    def close(self) -> None:
        """Let go of the file; a `read` that waits for its time ends."""
        self._closed.set()
        with self._lock:
            self._container.close()

    def _first(self) -> tuple[Bytes, float]:
        try:
            return next(self._pictures)
        except (SourceLost, StopIteration) as error:
            self._container.close()
            raise _unavailable(self._path, "no frame of it can be decoded") from error

    def _next(self) -> tuple[Bytes, float]:
        picture = next(self._pictures, None)
        if picture:
            return picture
        if not self._loop:
            raise EndOfStream
        self._start_s = self._due_s + 1 / self.fps
        try:
            self._rewind()
            return self._first()
        except SourceUnavailable as error:
            raise SourceLost(error.message, error.hint) from error

    def _rewind(self) -> None:
        # Opened again rather than sought: that also works where the file has no index.
        self._container.close()
        self._container, stream = _open(self._path)
        self._pictures = _decoded(self._container, stream, self.fps, self._reformatter)


def _open(path: Path) -> tuple[Any, Any]:
    try:
        container = av.open(str(path.absolute()))
    except av.FFmpegError as error:
        reason = (error.strerror or "not a video").lower()
        if isinstance(error, OSError):  # of the file, not of what is in it
            raise SourceUnavailable(f"{path}: {reason}", "is the path right?") from error
        raise _unavailable(path, reason) from error
    streams = [seen for seen in container.streams.video if not seen.disposition & COVER]
    if not streams:
        container.close()
        raise _unavailable(path, "there is no picture in it")
    stream = streams[0]
    if max(stream.width, stream.height) > MAX_SIDE:
        container.close()
        raise _unavailable(path, f"{stream.width}x{stream.height} is larger than {MAX_SIDE} a side")
    return container, stream


def _unavailable(path: Path, reason: str) -> SourceUnavailable:
    return SourceUnavailable(f"{path}: {reason}", "play the file once to see whether it is whole")


def _decoded(
    container: Any, stream: Any, fps: float, reformatter: VideoReformatter
) -> Iterator[tuple[Bytes, float]]:
    """Yield frames as I420 arrays with their times in seconds from the first one on.

    Raises `SourceLost` at a frame that is too large, and after the last one when the file broke off
    before its end.
    """
    end, pixel = _End(stream, fps), stream.sample_aspect_ratio
    count, first_s = 0, None
    for packet in _packets(container, stream, end):
        for picture in _frames_of(packet, stream, end):
            if max(picture.width, picture.height) > MAX_SIDE:
                size = f"{picture.width}x{picture.height}"
                raise SourceLost(f"a frame of {size}", f"at most {MAX_SIDE} pixels a side")
            at_s = picture.time if picture.pts is not None else count / fps
            first_s = at_s if first_s is None else first_s
            count += 1
            yield upright(picture, reformatter, pixel), max(0.0, at_s - first_s)
    if end.is_early:
        raise SourceLost(
            f"the clip broke off after {count} frames", "the file is damaged or was not finished"
        )


def _packets(container: Any, stream: Any, end: _End) -> Iterator[Any]:
    try:
        yield from container.demux(stream)
    except av.FFmpegError:
        end.damaged = True
        yield None  # lets the decoder give what it still holds


def _frames_of(packet: Any, stream: Any, end: _End) -> list[Any]:
    """Decode a packet; one that cannot be decoded is passed over, as players do."""
    end.reach(packet)
    try:
        return list(stream.decode(packet))
    except av.FFmpegError:
        end.damaged = True
        return []


class _End:
    """Whether a clip ended where it promised to."""

    def __init__(self, stream: Any, fps: float) -> None:
        self.damaged = False
        self._time_base = stream.time_base
        self._promised_s = _promised_end_s(stream)
        self._step_s = 1 / fps
        self._last_s = self._reached_s = 0.0

    def reach(self, packet: Any) -> None:
        if packet is None or packet.pts is None:
            return
        self.damaged |= packet.is_corrupt
        at_s = float(packet.pts * self._time_base)
        lasts_s = float((packet.duration or 0) * self._time_base) or abs(at_s - self._last_s)
        self._reached_s = max(self._reached_s, at_s + lasts_s)
        self._last_s = at_s

    @property
    def is_early(self) -> bool:
        return self.damaged or self._reached_s < self._promised_s - SLACK * self._step_s


def _promised_end_s(stream: Any) -> float:
    """Return when the file says its video ends, in seconds of its time stamps, or 0."""
    if stream.duration:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    # Matroska counts from 0, also where the first frame comes later.
    hours, _, rest = stream.metadata.get("DURATION", "").partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return 0.0
