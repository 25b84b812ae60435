"""Step 9 of 9, offline: the sound of a clip, beside its rendered pictures.

It is encoded anew, because no container takes every codec.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av

RATE_HZ = 48_000
"""The one rate that all our codecs take; so is stereo."""

SLACK_S = 0.005
"""How much earlier a frame may begin than the one before ends: containers round their times."""


class ClipSound:
    """The first sound of the clip at `path`, for `container`, a file that is being written.

    Times count from the clip's first picture on; what sounds earlier is left out.
    """

    def __init__(self, path: Path, container: Any, codec: str) -> None:
        self._source: Any = av.open(str(path.absolute()))
        self._container = container
        self._stream: Any = None
        self._frames: Iterator[Any] = iter(())
        known = [stream for stream in self._source.streams.audio if stream.codec_context]
        if known:
            self._stream = container.add_stream(codec, rate=RATE_HZ)
            self._frames = _alike(self._decoded(known[0]))
        self._ready = next(self._frames, None)

    def write_until(self, seconds: float) -> None:
        """Write what has not been written and begins before a time."""
        while self._ready and self._ready.time < seconds:
            self._container.mux(self._stream.encode(self._ready))
            self._ready = next(self._frames, None)

    def close(self) -> None:
        """Write all that is left."""
        self.write_until(float("inf"))
        if self._stream:
            self._container.mux(self._stream.encode())
        self._source.close()

    def discard(self) -> None:
        """Let go of the clip."""
        self._source.close()

    def _decoded(self, heard: Any) -> Iterator[Any]:
        """Yield frames; packets that cannot be decoded are passed over, as players do, and so are
        those of a time that has been heard."""
        seen, heard_s = self._source.streams.video[0], 0.0
        first_s = float((seen.start_time or 0) * seen.time_base)
        for packet in self._packets(heard):
            try:
                frames = heard.decode(packet)
            except av.FFmpegError:
                continue
            for frame in frames:
                if frame.pts is not None and frame.time >= max(first_s, heard_s - SLACK_S):
                    heard_s = frame.time + frame.samples / frame.sample_rate
                    frame.pts -= round(first_s / frame.time_base)
                    yield frame

    def _packets(self, stream: Any) -> Iterator[Any]:
        try:
            yield from self._source.demux(stream)
        except av.FFmpegError:  # the pictures tell of a file that breaks off
            return


def _alike(frames: Iterator[Any]) -> Iterator[Any]:
    """Yield frames that are all as the first: what was broadcast changes its channels and rate."""
    first: Any = None
    others: dict[tuple[str, str, int], Any] = {}
    for frame in frames:
        first = first or frame
        if _kind(frame) == _kind(first):
            yield frame
            continue
        if _kind(frame) not in others:
            others[_kind(frame)] = av.AudioResampler(*_kind(first))
        for same in others[_kind(frame)].resample(frame):
            same.pts = round(same.pts * same.time_base / first.time_base)
            same.time_base = first.time_base
            yield same


def _kind(frame: Any) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate
