"""Step 9 of 9: one encoded stream in a file of its own.

It is written under a hidden name in its own folder and takes its own name when it is whole:
whoever finds it under that name can play it. What a killed process leaves under the hidden name
can be played too, but for its last seconds.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from realtime.contract import Size
from realtime.errors import SinkLost, SinkUnavailable
from realtime.frame import Bytes
from realtime.pixels import writable_planes
from realtime.sinks.sound import ClipSound
from realtime.sinks.whole import beside, unused, unwritable

TICKS = 90_000
"""Time stamps count in this part of a second, as in MPEG."""

BT601, LIMITED, FULL = 6, 1, 2
"""SMPTE 170M as matrix, primaries and transfer, and the two ranges, in FFmpeg's numbers."""


@dataclass(frozen=True)
class Kind:
    """How a file of one suffix is written."""

    container: str
    codec: str
    sound: str = "aac"
    pixels: str = "yuv420p"
    extent: int = LIMITED
    options: dict[str, str] = field(default_factory=dict)
    muxing: dict[str, str] = field(default_factory=dict)


_H264 = {"crf": "18", "preset": "veryfast"}
_ALL_SHOWN = {**_H264, "bf": "0"}
"""Without B-frames: with them FFmpeg's edit list can end before a last picture that is alone in its
fragment, or before one that comes after a pause, and players leave it out. A quarter larger."""

_VP9 = {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "8", "row-mt": "1"}
_FRAGMENTS = {
    "movflags": "+hybrid_fragmented+delay_moov",
    "frag_duration": "1000000",
    "flush_packets": "1",
}
"""A second of video is whole in the file as soon as it is over, and one index of all comes with the
end: MP4 has none before, and would be lost with the process (ISO/IEC 14496-12, movie fragments)."""

_CLUSTERS = {"cluster_time_limit": "1000", "flush_packets": "1"}
"""Matroska's way to the same: its own choice keeps 5 s in memory, and small ones longer."""

VIDEOS = {
    ".mp4": Kind("mp4", "libx264", options=_ALL_SHOWN, muxing=_FRAGMENTS),
    ".mov": Kind("mov", "libx264", options=_ALL_SHOWN, muxing=_FRAGMENTS),
    ".mkv": Kind("matroska", "libx264", options=_H264, muxing=_CLUSTERS),
    ".webm": Kind("webm", "libvpx-vp9", "libopus", options=_VP9, muxing=_CLUSTERS),
}

CUT_OUTS = {
    ".mkv": Kind("matroska", "ffv1", pixels="yuva420p"),
    ".webm": Kind(
        "webm", "libvpx-vp9", "libopus", "yuva420p", options={**_VP9, "auto-alt-ref": "0"}
    ),
}

MATTES = {".mkv": Kind("matroska", "ffv1", pixels="gray", extent=FULL)}


def _encodable(picture: Bytes, kind: str, size: Size) -> Any:
    """Return a picture as FFmpeg takes it; PyAV itself turns no array into four planes."""
    if kind != "yuva420p":
        return av.VideoFrame.from_ndarray(picture, kind)
    filled = av.VideoFrame(*size, kind)
    colours = writable_planes(picture[: size[1] * 3 // 2])
    for plane, levels in zip(filled.planes, (*colours, picture[-size[1] :]), strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        rows[:, : plane.width] = levels
    return filled


class EncodedFile:
    """One encoded stream in a file that gets its name at the end; `size` is its first picture's.

    The suffix chooses one of `kinds`; `fps` is told to the encoder and the container. With
    `numbered` what has got the name meanwhile stays. `sound` is a clip whose sound goes along.
    Raises `SinkUnavailable` when the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        kinds: dict[str, Kind],
        fps: float,
        numbered: bool = False,
        sound: Path | None = None,
    ) -> None:
        if path.suffix.lower() not in kinds:
            raise SinkUnavailable(f"{path}: cannot write this kind", f"known: {' '.join(kinds)}")
        if os.path.isdir(path):
            raise SinkUnavailable(f"{path} is a folder", "name a file in it")
        self.size: Size | None = None
        self._path = path
        self._kind = kinds[path.suffix.lower()]
        self._rate = Fraction(fps).limit_denominator(1001)
        self._temporary = beside(path)
        self._numbered = numbered
        self._clip = sound
        self._sound: ClipSound | None = None
        self._container: Any = None
        self._stream: Any = None
        self._open = True
        try:
            self._temporary.touch(exist_ok=False)
        except OSError as error:
            raise unwritable(path, error) from error

    def add(self, picture: Bytes, size: Size, ticks: int) -> None:
        """Encode a picture, uint8 in the planes of its kind, to be shown from `ticks` on.

        Raises `SinkLost` when the disk is full, and for all that comes after that.
        """
        if not self._open:
            raise SinkLost(f"{self._path} is closed")
        try:
            if self._container is None:
                self._start(size)
            encoded = _encodable(picture, self._kind.pixels, size)
            encoded.pts, encoded.time_base = ticks, Fraction(1, TICKS)
            encoded.colorspace, encoded.color_range = BT601, self._kind.extent
            self._container.mux(self._stream.encode(encoded))
            if self._sound:
                self._sound.write_until(ticks / TICKS)
        except av.FFmpegError as error:
            self._open = False
            raise self._lost(error) from error

    def close(self) -> None:
        """Finish the file and give it its name. Raises `SinkLost` when the disk is full."""
        if not self._open:
            return
        if self._container is None:
            self.discard()
            return
        self._open = False
        try:
            self._container.mux(self._stream.encode())
            if self._sound:
                self._sound.close()
            self._container.close()
            os.replace(self._temporary, unused(self._path) if self._numbered else self._path)
        except OSError as error:  # FFmpeg's errors of the disk are of this kind too
            raise self._lost(error) from error

    def discard(self) -> None:
        """Stop and leave nothing behind; after `close` it does nothing."""
        if not self._open:
            return
        self._open = False
        if self._sound:
            self._sound.discard()
        self._container = self._stream = self._sound = None
        self._temporary.unlink(missing_ok=True)

    def _start(self, size: Size) -> None:
        kind = self._kind
        path = str(self._temporary.absolute())
        self._container = av.open(path, "w", format=kind.container, options=kind.muxing)
        stream = self._container.add_stream(kind.codec, rate=self._rate, options=kind.options)
        stream.width, stream.height = size
        self.size = size
        stream.pix_fmt = kind.pixels
        context = stream.codec_context
        context.time_base = Fraction(1, TICKS)
        context.colorspace = context.color_primaries = context.color_trc = BT601
        context.color_range = kind.extent
        self._stream = stream
        if self._clip:
            self._sound = ClipSound(self._clip, self._container, kind.sound)

    def _lost(self, error: OSError | av.FFmpegError) -> SinkLost:
        reason = (error.strerror or str(error)).lower()
        hint = f"what was written is in {self._temporary}"
        with suppress(OSError):  # the disk itself may be gone
            if not self._temporary.stat().st_size:
                self._temporary.unlink()
                hint = "make room on the disk"
        return SinkLost(f"{self._path}: {reason}", hint)
