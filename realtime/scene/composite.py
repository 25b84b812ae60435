"""Step 8 of 9: over. `alpha * F + (1 - alpha) * B` on each plane of I420.

Products of bytes are exact at 0 and 255: where the matte is sure, the backdrop and the person come
through untouched. Only the columns of the person are blended, strip by strip, so that a strip stays
in the processor's cache.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from realtime import pixels
from realtime.errors import FrameError
from realtime.frame import Bytes, Frame

STRIPS = 4
"""Strips across the picture; each has its own columns of the person."""


def over(frame: Frame, backdrop: Frame, alpha: Bytes) -> Frame:
    """Return the person of a frame before a backdrop, with the frame's number and times.

    `alpha` is uint8 (height, width), 255 is all person. Raises `FrameError` when they do not fit.
    """
    _check(frame, backdrop, alpha)
    composed = backdrop.i420.copy()
    height = frame.height
    step = -(-height // (2 * STRIPS)) * 2
    for top in range(0, height, step):
        _blend_strip(frame, composed, alpha, top, min(top + step, height))
    return Frame(composed, frame.number, frame.captured_at, frame.pts)


def _check(frame: Frame, backdrop: Frame, alpha: Any) -> None:
    if backdrop.size != frame.size:
        raise FrameError(f"a backdrop of {backdrop.size} does not fit a frame of {frame.size}")
    if not isinstance(alpha, np.ndarray) or alpha.dtype != np.uint8:
        raise FrameError("alpha must be an array of uint8")
    if alpha.shape != frame.y.shape:
        raise FrameError(f"alpha of shape {alpha.shape} does not fit a frame of {frame.size}")


def _blend_strip(frame: Frame, composed: Bytes, alpha: Bytes, top: int, bottom: int) -> None:
    """Blend the rows from `top` to `bottom`, both even, into a copy of the backdrop."""
    half = cv2.resize(alpha[top:bottom], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    left, _, width, _ = cv2.boundingRect(half)  # on a quarter of the pixels
    if width == 0:
        return
    rows, columns = slice(top, bottom), slice(2 * left, 2 * (left + width))
    half_rows, half_columns = slice(top // 2, bottom // 2), slice(left, left + width)
    y, u, v = pixels.writable_planes(composed)
    _blend(frame.y[rows, columns], y[rows, columns], alpha[rows, columns])
    half = half[:, half_columns]
    for person, plane in ((frame.u, u), (frame.v, v)):
        _blend(person[half_rows, half_columns], plane[half_rows, half_columns], half)


def _blend(person: Bytes, plane: Bytes, cover: Bytes) -> None:
    """Lay a plane of the person over a plane of the backdrop, in place. `cover` is 0..255."""
    behind = cv2.multiply(plane, cv2.bitwise_not(cover), scale=1 / 255)
    before = cv2.multiply(person, cover, scale=1 / 255)
    cv2.add(before, behind, dst=plane)
