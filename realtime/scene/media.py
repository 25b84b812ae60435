"""Pictures from files, as frames, for the backdrops and layers that show them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import cv2
import numpy as np

from realtime import pixels
from realtime.errors import ConfigError, FrameError
from realtime.frame import Bytes, Frame
from realtime.stored import MAX_PIXELS, broken, decode, flatten, refusal, too_large

MAX_BYTES = 200 * 2**20
"""Largest picture file."""

BLACK = 0
"""What shows through a transparent backdrop."""

KEPT_SIDE = 3840
"""Longest side in pixels that is kept of a picture: no camera shows more of it."""

HEAD = 2**20
"""Bytes of a file in which it says what it holds."""

WEBP_MOVES = 0x02
"""Bit of a WebP's first byte of flags: it is an animation (RFC 9649, section 2.7.1)."""

SHORTEST_S = 0.02
"""Time that each picture of a moving one is shown at least."""


@dataclass(frozen=True)
class Picture:
    """A picture as frames and the time in seconds from which on each is shown.

    A still has one; one that moves (GIF, WebP, PNG) goes on from the first after `lasts_s`.
    """

    frames: list[Frame]
    starts_s: list[float]
    lasts_s: float

    def at(self, seconds: float) -> Frame:
        """Return what is shown at a time."""
        return self.frames[bisect_right(self.starts_s, seconds % self.lasts_s) - 1]


def read_picture(path: Path) -> Picture:
    """Read a picture as `decode` does, over black where it is transparent; one that moves, moves.

    Raises `ConfigError`.
    """
    data = _read(path)
    try:
        return _animation(data) if _moves(data) else Picture([_kept(decode(data))], [0.0], 1.0)
    except FrameError as error:
        raise ConfigError(f"{path}: {error.message}", error.hint) from error


def read_layer(path: Path) -> tuple[Frame, Bytes]:
    """Read a still: a frame, over black, and its alpha, uint8 (height, width), of an even size.

    Raises `ConfigError`.
    """
    try:
        stored = _smaller(decode(_read(path)))
    except FrameError as error:
        raise ConfigError(f"{path}: {error.message}", error.hint) from error
    height, width = stored.shape[:2]
    stored = cv2.copyMakeBorder(stored, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    alpha = np.full(stored.shape[:2], 255, np.uint8)
    if stored.shape[2] == 4:
        alpha = cv2.extractChannel(stored, 3)
    return pixels.from_still(flatten(stored, BLACK)), alpha


def _moves(data: Bytes) -> bool:
    """Say whether a picture may hold several, by the marks of the kinds that can.

    Where a PNG has its mark, and a WebP its frames, a colour profile may come first.
    """
    head = data[:HEAD].tobytes()
    if head.startswith(b"\x89PNG"):
        return b"acTL" in head.partition(b"IDAT")[0]
    webp = head[12:16] == b"VP8X" and bool(int.from_bytes(head[20:21]) & WEBP_MOVES)
    return head.startswith(b"GIF8") or webp


def _animation(data: Bytes) -> Picture:
    """Decode a picture that moves; all its frames together may have `MAX_PIXELS`."""
    try:
        read, first = cv2.imdecodeanimation(data, 0, 1)
    except cv2.error as error:
        raise refusal(error) from error
    if not read or not first.frames:
        raise broken()
    most = MAX_PIXELS // (first.frames[0].shape[0] * first.frames[0].shape[1])
    _, whole = cv2.imdecodeanimation(data, 0, most + 1)
    if len(whole.frames) > most:
        raise too_large()
    lasting = [max(ms / 1000, SHORTEST_S) for ms in np.ravel(whole.durations).tolist()]
    starts = [0.0, *accumulate(lasting)]
    return Picture([_kept(at) for at in whole.frames], starts[:-1], starts[-1])


def _kept(stored: Bytes) -> Frame:
    """Return a decoded picture as a frame of a size worth keeping, over black."""
    return pixels.from_still(_smaller(flatten(stored, BLACK)))


def _smaller(picture: Bytes) -> Bytes:
    scale = KEPT_SIDE / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    small: Bytes = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return small


def _read(path: Path) -> Bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(
                f"{path}: this file is too large", f"give one of less than {MAX_BYTES // 2**20} MB"
            )
        return np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise ConfigError(f"{path}: {reason}", "is the path right?") from error
