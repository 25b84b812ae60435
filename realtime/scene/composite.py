"""Step 8 of 9: over. `alpha * F + (1 - alpha) * B` on each plane of I420.

Products of bytes are exact at 0 and 255: where the matte is sure, the backdrop and the person come
through untouched. Only the rectangle around the person is blended.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from realtime import pixels
from realtime.errors import FrameError
from realtime.frame import Bytes, Frame


def over(frame: Frame, backdrop: Frame, alpha: Bytes) -> Frame:
    """Return the person of a frame before a backdrop, with the frame's number and times.

    `alpha` is uint8 (height, width), 255 is all person. Raises `FrameError` when they do not fit.
    """
    _check(frame, backdrop, alpha)
    composed = backdrop.i420.copy()
    half = cv2.resize(alpha, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    left, top, width, height = cv2.boundingRect(half)
    if width:
        part = slice(top, top + height), slice(left, left + width)
        whole = slice(2 * top, 2 * (top + height)), slice(2 * left, 2 * (left + width))
        y, u, v = pixels.writable_planes(composed)
        _blend(frame.y[whole], y[whole], alpha[whole])
        _blend(frame.u[part], u[part], half[part])
        _blend(frame.v[part], v[part], half[part])
    return Frame(composed, frame.number, frame.captured_at)


def _check(frame: Frame, backdrop: Frame, alpha: Any) -> None:
    if backdrop.size != frame.size:
        raise FrameError(f"a backdrop of {backdrop.size} does not fit a frame of {frame.size}")
    if not isinstance(alpha, np.ndarray) or alpha.dtype != np.uint8:
        raise FrameError("alpha must be an array of uint8")
    if alpha.shape != frame.y.shape:
        raise FrameError(f"alpha of shape {alpha.shape} does not fit a frame of {frame.size}")


def _blend(person: Bytes, plane: Bytes, cover: Bytes) -> None:
    """Lay a plane of the person over a plane of the backdrop, in place. `cover` is 0..255."""
    behind = cv2.multiply(plane, cv2.bitwise_not(cover), scale=1 / 255)
    before = cv2.multiply(person, cover, scale=1 / 255)
    cv2.add(before, behind, dst=plane)
