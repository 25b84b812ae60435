"""A correction of light as it is laid on a frame: a curve for luma, a matrix for chroma."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from realtime import pixels
from realtime.frame import Alpha, Bytes, Frame
from realtime.scene.light import GAMMA, LAMPS

KNEE = 0.8
"""Luma above which a brighter person is bent towards white instead of cut off there."""

LUMA = np.array([0.114, 0.587, 0.299])
"""Share of blue, green and red in luma (ITU-R BT.601-7)."""

YUV_FROM_BGR = np.linalg.inv(pixels.BGR_FROM_YUV[:, :3].astype(np.float64))

MARGIN = 64
"""Pixels around the person that are corrected too: despill compares them with the edge."""

SAMPLED = 8
"""One row in so many is asked where the person is: `MARGIN` is far more than lies between."""


class Change(NamedTuple):
    """How a person's light is changed; 0 everywhere is not at all.

    `level` in stops (log2 of linear light), `warmth` in the units of `scene.light`.
    """

    level: float = 0.0
    warmth: float = 0.0

    def times(self, share: float) -> Change:
        """Return a part of the change."""
        return Change(*(share * value for value in self))

    def plus(self, other: Change) -> Change:
        """Return both changes together."""
        return Change(*(a + b for a, b in zip(self, other, strict=True)))


class Grade:
    """A change, ready to be laid on frames."""

    def __init__(self, change: Change) -> None:
        gain = 2 ** (change.level / GAMMA)
        self._curve = _curve(gain)
        self._matrix = _chroma_matrix(change.warmth, gain)

    def laid_on(self, frame: Frame, alpha: Bytes) -> Frame:
        """Return the frame with the person and what is near corrected; alpha is of its size."""
        left, top, width, height = cv2.boundingRect(alpha[::SAMPLED])
        top, height = SAMPLED * top, SAMPLED * height
        left, top = max(0, left - MARGIN) // 2, max(0, top - MARGIN) // 2
        columns, rows = (
            slice(left, left + width // 2 + MARGIN),
            slice(top, top + height // 2 + MARGIN),
        )
        graded = frame.i420.copy()
        y, u, v = pixels.writable_planes(graded)
        luma = y[2 * rows.start : 2 * rows.stop, 2 * columns.start : 2 * columns.stop]
        luma[:] = cv2.LUT(luma, self._curve)
        u, v = u[rows, columns], v[rows, columns]
        half = cv2.resize(luma, (u.shape[1], u.shape[0]), interpolation=cv2.INTER_AREA)
        yuv = cv2.transform(cv2.merge([half, u, v]), self._matrix)
        cv2.extractChannel(yuv, 1, dst=u)
        cv2.extractChannel(yuv, 2, dst=v)
        return Frame(graded, frame.number, frame.captured_at)

    def laid_on_pixels(self, yuv: Bytes) -> Bytes:
        """Return a few pixels, uint8 (n, 1, 3) in Y, U, V, corrected."""
        luma = cv2.LUT(cv2.extractChannel(yuv, 0), self._curve)
        _, *chroma = cv2.split(yuv)
        graded: Bytes = cv2.transform(cv2.merge([luma, *chroma]), self._matrix)
        return graded


def _curve(gain: float) -> Bytes:
    """Return luma times a gain, uint8 (256,), 16..235, bent below white where it must."""
    lit = gain * (np.arange(256) - pixels.BLACK_Y) / 219
    if gain > 1:
        over = np.clip(lit - KNEE, 0, None)
        bend = ((gain - KNEE) / (1 - KNEE) - 1) / (gain - KNEE)
        lit = np.minimum(lit, KNEE) + over / (1 + bend * over)
    return np.rint(pixels.BLACK_Y + 219 * np.clip(lit, 0, 1)).astype(np.uint8)


def _chroma_matrix(warmth: float, gain: float) -> Alpha:
    """Return the matrix (3, 4) from corrected Y and the camera's U, V to Y, U, V.

    Blue and red are multiplied on their own (von Kries), and grey keeps its luma. Y is only handed
    through: from three to three channels OpenCV is nine times quicker than from three to two.
    """
    gains = 2 ** (np.array([LAMPS[1], 0, LAMPS[0]]) * warmth / GAMMA)
    gains /= LUMA @ gains
    linear = ((YUV_FROM_BGR * gains) @ pixels.BGR_FROM_YUV[:, :3])[1:]
    linear[:, 1:] *= gain
    neutral = np.array([pixels.BLACK_Y, pixels.NEUTRAL, pixels.NEUTRAL])
    offset = pixels.NEUTRAL - linear @ neutral
    chroma = np.column_stack([linear, offset])
    return np.vstack([(1, 0, 0, 0), chroma]).astype(np.float32)
