"""Colour, size and still pictures of frames. Floor 1.

BT.601 limited range throughout (ITU-R BT.601-7, 8 bit): luma 16..235, chroma 16..240.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import cv2
import numpy as np

from realtime.contract import Size
from realtime.errors import FrameError
from realtime.frame import MAX_SIDE, Bytes, Frame, Halves

Fit = Literal["crop", "pad", "stretch"]

BLACK_Y, NEUTRAL = 16, 128

SKIPS_FROM = 1.5
"""Ratio of sizes from which on linear interpolation leaves pixels out."""

# Two threads take as long as one for work this small, and spend a third more of the processor.
cv2.setNumThreads(1)

# Rows B, G, R; columns Y, U, V, offset.
BGR_FROM_YUV = np.array(
    [
        [1.164384, 2.017232, 0.0, -276.835851],
        [1.164384, -0.391762, -0.812968, 135.575295],
        [1.164384, 0.0, 1.596027, -222.921617],
    ],
    dtype=np.float32,
)


# Rows U, V; columns B, G, R, offset.
CHROMA_FROM_BGR = np.array(
    [[0.439216, -0.290993, -0.148223, 128.0], [-0.071427, -0.367788, 0.439216, 128.0]],
    dtype=np.float32,
)


def from_bgr(bgr: Bytes, number: int = 0, captured_at: float = 0.0) -> Frame:
    """Turn a BGR picture, uint8 (height, width, 3), into a frame.

    Chroma is that of one pixel of four. Odd sizes grow by a repeated last row or column. Raises
    `FrameError` for anything else.
    """
    return Frame(cv2.cvtColor(_evened(bgr), cv2.COLOR_BGR2YUV_I420), number, captured_at)


def from_still(bgr: Bytes, number: int = 0, captured_at: float = 0.0) -> Frame:
    """Do as `from_bgr`, with chroma as the mean of four pixels: coloured edges have no teeth.

    It takes half as much time again, so it is for what is converted once.
    """
    array = _evened(bgr)
    half = array.shape[1] // 2, array.shape[0] // 2
    mean = cv2.resize(array, half, interpolation=cv2.INTER_AREA)
    i420 = cv2.cvtColor(array, cv2.COLOR_BGR2YUV_I420)
    cv2.split(cv2.transform(mean, CHROMA_FROM_BGR), list(writable_planes(i420)[1:]))
    return Frame(i420, number, captured_at)


def _evened(bgr: Bytes) -> Bytes:
    array: Any = bgr
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8:
        raise FrameError("a picture must be an array of uint8")
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise FrameError(f"a picture must have the shape (height, width, 3), not {array.shape}")
    height, width = array.shape[:2]
    if max(height, width) > MAX_SIDE:
        raise FrameError(f"{width}x{height} is larger than {MAX_SIDE} pixels a side")
    if height % 2 or width % 2:
        array = cv2.copyMakeBorder(array, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    evened: Bytes = array
    return evened


def to_bgr(frame: Frame) -> Bytes:
    """Turn a frame into a BGR picture, uint8 (height, width, 3)."""
    bgr: Bytes = cv2.cvtColor(frame.i420, cv2.COLOR_YUV2BGR_I420)
    return bgr


def with_alpha(bgr: Bytes, alpha: Bytes) -> Bytes:
    """Return BGR with alpha, uint8 (height, width, 4), the colours as they are."""
    bgra: Bytes = cv2.merge([*cv2.split(bgr), alpha])
    return bgra


def thumbnail(frame: Frame, size: Size) -> Bytes:
    """Return the frame as BGR, uint8 (height, width, 3), at the network's size.

    Averages areas: sampling single pixels aliases, and aliasing flickers.
    """
    bgr: Bytes = cv2.transform(small_yuv(frame, size), BGR_FROM_YUV)
    return bgr


def small_yuv(frame: Frame, size: Size) -> Bytes:
    """Return the frame as Y, U, V side by side, uint8 (height, width, 3), at a small size."""
    yuv: Bytes = cv2.merge(shrunk(frame, size))
    return yuv


def luma(bgr: Bytes) -> Bytes:
    """Return the luma of a BGR picture in a frame's range, uint8 (height, width), 16..235."""
    limited: Bytes = cv2.convertScaleAbs(
        cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), alpha=219 / 255, beta=BLACK_Y
    )
    return limited


def shrink(plane: Bytes, size: Size, halves: Halves | None = None) -> Bytes:
    """Bring a plane to a smaller size by averaging areas.

    Halving is ten times faster than the average over an uneven ratio, so halves are taken as long
    as they fit, from `halves` where they are known. What is left of the way is interpolated, or,
    where that would skip pixels, goes by twice the size and one more halving. Differs from the
    exact average by half a level.
    """
    (width, height), known = size, {} if halves is None else halves
    level = 0
    while plane.shape[1] >= 2 * width and plane.shape[0] >= 2 * height:
        level += 1
        if level not in known:
            half = plane.shape[1] // 2, plane.shape[0] // 2
            known[level] = cv2.resize(plane, half, interpolation=cv2.INTER_AREA)
        plane = known[level]
    how = cv2.INTER_LINEAR
    if plane.shape[1] > SKIPS_FROM * width or plane.shape[0] > SKIPS_FROM * height:
        plane = cv2.resize(plane, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
        how = cv2.INTER_AREA
    small: Bytes = cv2.resize(plane, size, interpolation=how)
    return small


def shrunk(frame: Frame, size: Size) -> list[Bytes]:
    """Bring Y, U, V to one smaller size. Several steps want one, so the frame keeps its halves."""
    planes = zip(planes_of(frame), frame.halves, strict=True)
    return [shrink(plane, size, halves) for plane, halves in planes]


def planes_of(frame: Frame) -> tuple[Bytes, Bytes, Bytes]:
    """Return the planes Y, U, V of a frame."""
    return frame.y, frame.u, frame.v


def blank(size: Size) -> Bytes:
    """Return an empty, writable I420 array for a frame of this size."""
    width, height = size
    return np.empty((height * 3 // 2, width), np.uint8)


def writable_planes(i420: Bytes) -> tuple[Bytes, Bytes, Bytes]:
    """Return writable views Y, U, V of an I420 array that is not yet a frame."""
    height, width = i420.shape[0] * 2 // 3, i420.shape[1]
    chroma = i420[height:].reshape(2, height // 2, width // 2)
    return i420[:height], chroma[0], chroma[1]


def colour(size: Size, bgr: tuple[int, int, int]) -> Frame:
    """Return a frame of one colour."""
    width, height = even(size)
    return from_bgr(np.full((height, width, 3), bgr, np.uint8))


def even(size: Size) -> Size:
    """Round a size up to even numbers."""
    return size[0] + size[0] % 2, size[1] + size[1] % 2


def mirror(frame: Frame) -> Frame:
    """Return the frame with left and right exchanged."""
    flipped = blank(frame.size)
    for source, target in zip(planes_of(frame), writable_planes(flipped), strict=True):
        cv2.flip(source, 1, dst=target)
    return Frame(flipped, frame.number, frame.captured_at)


def beside(left: Frame, right: Frame) -> Frame:
    """Return two frames of one size side by side, with the number and times of the right one."""
    joined = blank((2 * right.width, right.height))
    planes = planes_of(left), planes_of(right), writable_planes(joined)
    for one, other, target in zip(*planes, strict=True):
        cv2.hconcat([one, other], dst=target)
    return Frame(joined, right.number, right.captured_at)


def fit(frame: Frame, size: Size, how: Fit = "crop") -> Frame:
    """Bring a frame to another size: `crop` fills it, `pad` adds black, `stretch` distorts."""
    if frame.size == size:
        return frame
    fitted = blank(size)
    levels, steps = (BLACK_Y, NEUTRAL, NEUTRAL), (2, 1, 1)
    for source, target, level, step in zip(
        planes_of(frame), writable_planes(fitted), levels, steps, strict=True
    ):
        fit_plane(source, target, how, level, step)
    return Frame(fitted, frame.number, frame.captured_at)


def fit_plane(source: Bytes, target: Bytes, how: Fit, level: int, step: int = 2) -> None:
    """Write a plane into another of any size; what it does not fill becomes `level`.

    Edges lie at multiples of `step` pixels, so that those of chroma, at 1, lie where luma's do.
    """
    (rows, columns), (height, width) = source.shape, target.shape
    if how == "stretch":
        _resize_into(source, target)
        return
    scales = width / columns, height / rows
    if how == "crop":
        scale = max(scales)
        left, take_w = _middle(columns, width / scale, step)
        top, take_h = _middle(rows, height / scale, step)
        _resize_into(source[top : top + take_h, left : left + take_w], target)
        return
    scale = min(scales)
    left, put_w = _middle(width, columns * scale, step)
    top, put_h = _middle(height, rows * scale, step)
    target[:] = level
    _resize_into(source, target[top : top + put_h, left : left + put_w])


def _middle(length: int, wanted: float, step: int) -> tuple[int, int]:
    """Return where the middle part of a side begins, and how long it is."""
    if wanted > length - step:
        return 0, length
    part = max(1, round(wanted / step))
    return (length // step - part) // 2 * step, part * step


def _resize_into(source: Bytes, target: Bytes) -> None:
    height, width = target.shape
    smaller = width < source.shape[1] or height < source.shape[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    target[:] = cv2.resize(source, (width, height), interpolation=how)


@lru_cache(maxsize=8)
def slate(size: Size, text: str = "camera off") -> Frame:
    """Return the picture that stands in for the room: dark grey with a line of text."""
    width, height = size = even(size)
    bgr = np.full((height, width, 3), (44, 40, 38), np.uint8)
    scale = max(width / 1280 * 1.6, 0.3)
    (wide, tall), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 2)
    origin = (width - wide) // 2, (height + tall) // 2
    cv2.putText(bgr, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, (190, 186, 182), 2, cv2.LINE_AA)
    return from_bgr(bgr)
