"""What flows through the line: a `Frame` in from a `Source`, a `Matte` beside it, a `Frame` out.

Floor 0. I420 (planar YUV 4:2:0, BT.601 limited range) because the virtual camera and both
WebRTC codecs take it as it is, at 1.5 bytes a pixel, and its luma plane is what refining needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from realtime.errors import FrameError

Bytes = npt.NDArray[np.uint8]
Alpha = npt.NDArray[np.float32]
Halves = dict[int, Bytes]
"""A plane halved so many times."""

MAX_SIDE = 8192
"""Longest side in pixels that the line accepts; beyond it an input is a mistake or an attack."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture: a contiguous, read-only `uint8` array of shape (height * 3 / 2, width).

    `number` counts up per source, so that gaps are drops; `captured_at` is in monotonic seconds.
    `halves` keeps what `pixels.shrunk` makes of Y, U and V. Raises `FrameError` when the array is
    not I420 of an even size.
    """

    i420: Bytes
    number: int = 0
    captured_at: float = 0.0
    halves: tuple[Halves, Halves, Halves] = field(
        default_factory=lambda: ({}, {}, {}), init=False, repr=False
    )

    def __post_init__(self) -> None:
        array: Any = self.i420
        if not isinstance(array, np.ndarray) or array.dtype != np.uint8 or array.ndim != 2:
            raise FrameError("a frame must be a two-dimensional uint8 array in I420")
        rows, width = array.shape
        if rows < 3 or rows % 3 or width < 2 or width % 2:
            raise FrameError(f"{width}x{rows * 2 // 3} is no I420 picture: sizes must be even")
        if max(width, rows * 2 // 3) > MAX_SIDE:
            raise FrameError(f"{width}x{rows * 2 // 3} is larger than {MAX_SIDE} pixels a side")
        if not array.flags.c_contiguous:
            raise FrameError("a frame must be contiguous in memory")
        array.flags.writeable = False

    @property
    def width(self) -> int:
        return int(self.i420.shape[1])

    @property
    def height(self) -> int:
        return int(self.i420.shape[0]) * 2 // 3

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.width, self.height

    @property
    def y(self) -> Bytes:
        """Luma, shape (height, width), 16..235."""
        return self.i420[: self.height]

    @property
    def u(self) -> Bytes:
        """Blue difference, shape (height / 2, width / 2), 128 is neutral."""
        return self._chroma(0)

    @property
    def v(self) -> Bytes:
        """Red difference, shape (height / 2, width / 2), 128 is neutral."""
        return self._chroma(1)

    def _chroma(self, index: int) -> Bytes:
        height, width = self.height, self.width
        quarter = (height // 2) * (width // 2)
        flat = self.i420.reshape(-1)[height * width + index * quarter :][:quarter]
        return flat.reshape(height // 2, width // 2)


class Source(Protocol):
    """Gives frames. `read` blocks; `close` may be called from another thread and ends it."""

    fps: float

    def read(self) -> Frame: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Matte:
    """Coverage of the person: `alpha` uint8 (height, width) of the frame's size, 255 is all person.

    The 256 levels of the pictures that it joins: at frame size four times quicker than float32,
    which is alpha's type in 0..1 at the network's size. `number` must equal the frame's: a matte
    never leaves its frame.
    """

    alpha: Bytes
    number: int
