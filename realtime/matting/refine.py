"""Step 4 of 9: a matte of the network's size becomes one of the frame's size.

The edge is looked for only where it can be: pixels that are surely person or surely room are
filled in, so that no haze of the room shines through and the person has no holes. The rest lies
in a few blocks, and each is small enough to stay in the processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from realtime import pixels
from realtime.blocks import Grid
from realtime.frame import Alpha, Bytes, Frame

SURE = 0.2
"""Share of the way from the threshold to 0 (or 1) that counts as 0 (or 1)."""

WINDOW = (5, 5)
"""Pixels of the network's matte over which alpha is taken to be a line of luma."""

MARGIN = 4
"""Pixels around the unsure ones whose windows must be whole: the window's reach and one cell."""

GAP = 12
"""Cells between two blocks below which one larger block is quicker."""

EPSILON = 65.0
"""The guided filter's eps in squared levels of luma, 0.001 of the full range squared: edges of
less contrast than its root, 8 levels, do not pull the matte."""

FEATHER = 0.03
"""Radius of the widest feather, as a share of the matte's height."""


@dataclass(frozen=True, slots=True)
class Levels:
    """The remap of alpha that gives it certainty: `low` and below is 0, `high` and above is 1."""

    low: float
    high: float

    @classmethod
    def around(cls, threshold: float) -> Levels:
        """Return the levels that make `threshold` half and keep 0 and 1 what they are."""
        threshold = min(max(threshold, 0.05), 0.95)
        reach = (1 - SURE) * min(threshold, 1 - threshold)
        return cls(threshold - reach, threshold + reach)

    def remap(self, alpha: Alpha) -> Alpha:
        """Return alpha on the new scale, not clipped."""
        scale = 1 / (self.high - self.low)
        remapped: Alpha = cv2.addWeighted(alpha, scale, alpha, 0.0, -self.low * scale)
        return remapped


class PlainUpsampler:
    """Linear interpolation: no edge is looked for.

    `feather`, 0..1, widens the edge; `threshold`, 0..1, is the alpha that becomes half.
    """

    def __init__(self, feather: float = 0.0, threshold: float = 0.5) -> None:
        self._feather = feather
        self._levels = Levels.around(threshold)

    def refine(self, alpha: Alpha, guide: Bytes, frame: Frame) -> Bytes:
        """Return alpha, uint8, at the frame's (height, width); the guide is not looked at."""
        matte = np.clip(self._levels.remap(feathered(alpha, self._feather)), 0, 1)
        sure = cv2.convertScaleAbs(matte, alpha=255)
        fine: Bytes = cv2.resize(sure, frame.size, interpolation=cv2.INTER_LINEAR)
        return fine


class GuidedRefiner:
    """Fast guided filter (He and Sun, arXiv:1505.00996, 2015) with the frame's luma as guide.

    Its slope a = cov(Y, alpha) / (var(Y) + eps) is found at the network's size and applied at the
    frame's. Where the paper averages the offset b over its window too, ours is alpha - a * Y of
    each pixel: the matte keeps its place, and the guide adds only the detail that up-sampling
    lost. On exact mattes that halves the error of the paper's filter at the edge.

    `feather`, 0..1, widens the edge; `threshold`, 0..1, is the alpha that becomes half.
    """

    def __init__(self, feather: float = 0.0, threshold: float = 0.5) -> None:
        self._feather = feather
        self._levels = Levels.around(threshold)

    def refine(self, alpha: Alpha, guide: Bytes, frame: Frame) -> Bytes:
        """Return alpha, uint8, at the frame's (height, width).

        The guide is the frame in BGR, uint8, at alpha's size.
        """
        matte = self._levels.remap(feathered(alpha, self._feather))
        size = matte.shape[1], matte.shape[0]
        mask = unsure(matte)
        slope, offset = line_of_luma(255 * matte, pixels.luma(guide), mask)
        grid = Grid.between(size, frame.size)
        fine = np.zeros((frame.height, frame.width), np.uint8)
        for block in grid.blocks(cv2.compare(matte, 1.0, cv2.CMP_GE)):
            grid.part(fine, block).fill(255)
        for block in grid.blocks(mask, gap=GAP):
            up = grid.enlarge(slope, block)
            cv2.multiply(up, grid.part(frame.y, block), dst=up, dtype=cv2.CV_32F)
            part = grid.part(fine, block)
            cv2.add(up, grid.enlarge(offset, block), dst=part, dtype=cv2.CV_8U)  # and saturates
        return fine


def feathered(alpha: Alpha, feather: float) -> Alpha:
    """Return alpha with its edge widened by two box blurs; 0 leaves it as it is."""
    radius = round(feather * FEATHER * alpha.shape[0])
    if radius == 0:
        return alpha
    window = (2 * radius + 1, 2 * radius + 1)
    widened: Alpha = cv2.blur(cv2.blur(alpha, window), window)
    return widened


def line_of_luma(matte: Alpha, luma: Bytes, mask: Bytes) -> tuple[Alpha, Alpha]:
    """Return slope and offset, float32 (height, width), with matte = slope * luma + offset.

    Outside the rectangle around the mask the slope is 0 and the offset is the matte.
    """
    slope, offset = np.zeros_like(matte), matte.copy()
    left, top, width, height = cv2.boundingRect(mask)
    around = (
        slice(max(top - MARGIN, 0), top + height + MARGIN),
        slice(max(left - MARGIN, 0), left + width + MARGIN),
    )
    if width:
        matte, luma = matte[around], luma[around]
        slope[around] = slope_of_luma(matte, luma)
        offset[around] -= slope[around] * luma
    return slope, offset


def slope_of_luma(matte: Alpha, luma: Bytes) -> Alpha:
    """Return cov(luma, matte) / (var(luma) + eps) of the window around each pixel."""
    matte_mean, luma_mean = cv2.blur(matte, WINDOW), cv2.boxFilter(luma, cv2.CV_32F, WINDOW)
    product = cv2.multiply(matte, luma, dtype=cv2.CV_32F)
    covariance = cv2.blur(product, WINDOW) - matte_mean * luma_mean
    variance = cv2.sqrBoxFilter(luma, cv2.CV_32F, WINDOW) - luma_mean * luma_mean
    slope: Alpha = covariance / (variance + EPSILON)
    return slope


def unsure(matte: Alpha) -> Bytes:
    """Return a mask, not 0 where neighbouring pixels are not all person and not all room."""
    neighbours = np.ones((3, 3), np.uint8)
    some_person = cv2.dilate(cv2.compare(matte, 0.0, cv2.CMP_GT), neighbours)
    some_room = cv2.dilate(cv2.compare(matte, 1.0, cv2.CMP_LT), neighbours)
    mask: Bytes = cv2.bitwise_and(some_person, some_room)
    return mask
