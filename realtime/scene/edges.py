"""Step 7 of 9: the colours of the person where the matte is between 0 and 1.

There a camera's pixel is a mixture, C = alpha F + (1 - alpha) R, and laying C over the backdrop
brings the room along: a dark rim before a white wall. Despill estimates F. Light wrap lets the
backdrop shine around the edge, as it would round a person who stood there.
"""

from __future__ import annotations

import cv2
import numpy as np

from realtime import pixels
from realtime.blocks import Block, Grid
from realtime.contract import Size
from realtime.frame import Alpha, Bytes, Frame

ROWS = 90
"""About the height in pixels at which the colours around are gathered."""

SURENESS = 8.0
"""Power of alpha that weighs a pixel among the colours of the person: halves count little."""

NEAR, FAR = (3, 3), (11, 11)
"""Windows, in pixels of the reduced size, of the two levels at which colours are gathered."""

FAR_SHARE = 0.02
"""Weight of the far level: it decides only where nothing sure is near."""

NOTHING = 1e-6
"""Keeps the quotient defined where neither level sees anything."""

GAP = 2
"""Cells between two blocks below which one larger block is quicker."""


class Edges:
    """Despill of `despill` (0..1) and light wrap of `wrap` (0..1), in the unknown band only.

    Blur fusion (Forte, "Approximate fast foreground colour estimation", ICIP 2021) over two
    levels of size, after Germer et al., "Fast multi-level foreground estimation" (ICPR 2020).
    """

    def __init__(self, despill: float, wrap: float) -> None:
        self._despill = despill
        self._wrap = wrap
        self._weights = np.linspace(0, 1, 256, dtype=np.float32) ** np.float32(SURENESS)
        self._backdrop: Frame | None = None
        self._glow: list[Alpha] = []

    def clean(self, frame: Frame, backdrop: Frame, alpha: Bytes) -> Frame:
        """Return the frame with the person's own colours; all are of one size.

        Pixels that are all person keep their bytes; what is no person is left undefined.
        """
        part = max(1, round(frame.height / ROWS))
        size = max(2, frame.width // part), max(2, frame.height // part)
        small = pixels.shrink(alpha, size)
        band = cv2.inRange(small, 1, 254)
        if not (self._despill or self._wrap) or cv2.countNonZero(band) == 0:
            return frame
        lines = self._lines(frame, backdrop, small)
        cleaned = frame.i420.copy()
        half = cv2.resize(alpha, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        planes = pixels.writable_planes(cleaned)
        for plane, cover, line in zip(planes, (alpha, half, half), lines, strict=True):
            grid = Grid.between(size, (plane.shape[1], plane.shape[0]))
            for block in grid.blocks(band, GAP):
                self._clean_block(plane, cover, line, grid, block)
        return Frame(cleaned, frame.number, frame.captured_at, frame.pts)

    def _lines(self, frame: Frame, backdrop: Frame, alpha: Bytes) -> list[tuple[Alpha, Alpha]]:
        """Return (p, q) of each plane, of the reduced size: F = C + (1-alpha) (p + alpha q - C).

        That is blur fusion, F = f + alpha (C - alpha f - (1-alpha) r), with the colours f of the
        person and r of the room around; p also holds the backdrop's glow, and both the strengths.
        """
        size = alpha.shape[1], alpha.shape[0]
        planes = [pixels.shrink(plane, size) for plane in pixels.planes_of(frame)]
        person = gather(planes, cv2.LUT(alpha, self._weights))
        room = gather(planes, cv2.LUT(cv2.bitwise_not(alpha), self._weights))
        return [
            (self._despill * f + self._wrap * (glow - f), self._despill * (f - r))
            for f, r, glow in zip(person, room, self._glow_of(backdrop, size), strict=True)
        ]

    def _glow_of(self, backdrop: Frame, size: Size) -> list[Alpha]:
        """Return the planes of the backdrop, blurred; kept while the backdrop is the same."""
        if self._backdrop is not backdrop:
            planes = [pixels.shrink(plane, size) for plane in pixels.planes_of(backdrop)]
            self._glow = [cv2.boxFilter(plane, cv2.CV_32F, FAR) for plane in planes]
            self._backdrop = backdrop
        return self._glow

    def _clean_block(
        self, plane: Bytes, alpha: Bytes, line: tuple[Alpha, Alpha], grid: Grid, block: Block
    ) -> None:
        """Clean a block of a plane in place."""
        cover, part = grid.part(alpha, block), grid.part(plane, block)
        change = cv2.multiply(grid.enlarge(line[1], block), cover, scale=1 / 255, dtype=cv2.CV_32F)
        cv2.add(change, grid.enlarge(line[0], block), dst=change)
        cv2.addWeighted(change, 1.0, part, -self._despill, 0.0, dst=change, dtype=cv2.CV_32F)
        room = cv2.bitwise_not(cover)
        cv2.multiply(change, room, dst=change, scale=1 / 255, dtype=cv2.CV_32F)
        cv2.add(change, part, dst=part, dtype=cv2.CV_8U)  # and saturates


def gather(planes: list[Bytes], weight: Alpha) -> list[Alpha]:
    """Return the mean of each plane around each pixel, weighted; from near where it can be."""
    weighted = [cv2.multiply(weight, plane, dtype=cv2.CV_32F) for plane in planes]
    stack = cv2.merge([*weighted, weight])
    around = cv2.addWeighted(_twice(stack, NEAR), 1.0, _twice(stack, FAR), FAR_SHARE, NOTHING)
    *sums, total = cv2.split(around)
    return [cv2.divide(level, total) for level in sums]


def _twice(stack: Alpha, window: Size) -> Alpha:
    blurred: Alpha = cv2.blur(cv2.blur(stack, window), window)
    return blurred
