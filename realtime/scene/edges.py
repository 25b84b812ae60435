"""Step 7 of 9: the colours of the person where the matte is between 0 and 1.

There a camera's pixel is a mixture, C = alpha F + (1 - alpha) R, and laying C over the backdrop
brings the room along: a dark rim before a white wall. Despill estimates F. Light wrap lets the
backdrop shine around the edge, as it would round a person who stood there.
"""

from __future__ import annotations

import cv2
import numpy as np

from realtime import pixels
from realtime.blocks import Grid
from realtime.contract import Size
from realtime.frame import Alpha, Bytes, Frame

ROWS = 90
"""About the height in pixels at which the colours around are gathered."""

SURENESS = 8.0
"""Power of alpha that weighs a pixel among the colours of the person: halves count little."""

NEAR, FAR = (3, 3), (17, 17)
"""Windows, in pixels of the reduced size, of the two levels at which colours are gathered: the
near one twice, so that what is nearest counts most."""

FAR_SHARE = 0.02
"""Weight of the far level: it decides only where nothing sure is near."""

OWN = 1e-3
"""Weight of a pixel's own colour: it is what stays where nothing sure is near at all."""

REACH = 9
"""Pixels of the reduced size from which colours reach a pixel: half the far window, and one."""

GLOW = (11, 11)
"""Window, in pixels of the reduced size, over which the backdrop shines around an edge."""


class Edges:
    """Despill of `despill` (0..1) and light wrap of `wrap` (0..1), in the unknown band only.

    Blur fusion (Forte, "Approximate fast foreground colour estimation", ICIP 2021) over two
    levels of size, after Germer et al., "Fast multi-level foreground estimation" (ICPR 2020).
    """

    def __init__(self, despill: float, wrap: float) -> None:
        self._despill = despill
        self._wrap = wrap
        levels = np.linspace(0, 1, 256, dtype=np.float32)
        self._weights = levels ** np.float32(SURENESS)
        self._kept = cv2.convertScaleAbs(255 * (1 - (1 - levels) * max(despill, wrap))).ravel()
        self._backdrop: Frame | None = None
        self._glow = np.zeros((0, 0, 4), np.float32)

    def clean(self, frame: Frame, backdrop: Frame, alpha: Bytes) -> Frame:
        """Return the frame with the person's own colours; all are of one size.

        Pixels that are all person keep their bytes; what is no person is left undefined.
        """
        part = max(1, round(frame.height / ROWS))
        size = max(2, frame.width // part), max(2, frame.height // part)
        half = cv2.resize(alpha, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        small = pixels.shrink(alpha, size, {1: half})
        band = left, top, width, height = cv2.boundingRect(cv2.inRange(small, 1, 254))
        if not (self._despill or self._wrap) or width == 0:
            return frame
        around = self._around(frame, backdrop, small, reached(band))
        whole = max(self._despill, self._wrap) == 1
        cleaned = frame.i420.copy()
        planes = pixels.writable_planes(cleaned)
        for plane, cover, colour in zip(planes, (alpha, half, half), around, strict=True):
            grid = Grid.between(size, (plane.shape[1], plane.shape[0]))
            block = grid.around(left, top, width, height)
            share = grid.part(cover, block)
            kept = share if whole else cv2.LUT(share, self._kept)
            _mix(grid.part(plane, block), grid.enlarge(colour, block), kept)
        return Frame(cleaned, frame.number, frame.captured_at)

    def _around(
        self, frame: Frame, backdrop: Frame, alpha: Bytes, where: tuple[slice, slice]
    ) -> list[Bytes]:
        """Return what takes the room's place in each plane, of the reduced size; the frame's own
        colours stay outside of `where`.

        Blur fusion is F = alpha C + (1-alpha) (f + alpha (f - r)), with the colours f of the
        person and r of the room around; what follows (1-alpha) is smooth, and found small.
        """
        size = alpha.shape[1], alpha.shape[0]
        around = pixels.shrunk(frame, size)
        planes, alpha = [plane[where] for plane in around], alpha[where]
        own = cv2.merge([*planes, np.ones_like(alpha)]).astype(np.float32)
        person = gather(own, cv2.LUT(alpha, self._weights))
        room = gather(own, cv2.LUT(cv2.bitwise_not(alpha), self._weights))
        cover = cv2.merge([alpha.astype(np.float32) / np.float32(255)] * 4)
        most = max(self._despill, self._wrap)
        despilled = own + self._despill / most * (person + cover * (person - room) - own)
        glow = self._glow_of(backdrop, size)[where] - person
        mixed = cv2.addWeighted(despilled, 1.0, glow, self._wrap / most, 0.0, dtype=cv2.CV_8U)
        for plane, new in zip(planes, cv2.split(mixed), strict=False):
            plane[:] = new
        return around

    def _glow_of(self, backdrop: Frame, size: Size) -> Alpha:
        """Return Y, U, V of the backdrop, blurred, and 1; kept while the backdrop is the same."""
        if self._backdrop is not backdrop:
            # Single pixels will do: each is one of many that are averaged.
            how = cv2.INTER_NEAREST_EXACT
            planes = [cv2.resize(p, size, interpolation=how) for p in pixels.planes_of(backdrop)]
            self._glow = cv2.boxFilter(
                cv2.merge([*planes, np.ones_like(planes[0])]), cv2.CV_32F, GLOW
            )
            self._backdrop = backdrop
        return self._glow


def reached(band: tuple[int, int, int, int]) -> tuple[slice, slice]:
    """Return the rows and columns whose colours count for a band (left, top, width, height)."""
    left, top, width, height = band
    rows = slice(max(top - REACH, 0), top + height + REACH)
    return rows, slice(max(left - REACH, 0), left + width + REACH)


def gather(own: Alpha, weight: Alpha) -> Alpha:
    """Return the mean colour around each pixel, weighted; from near where it can be.

    `own` is Y, U, V and 1, float32 (height, width, 4), `weight` float32 (height, width). The ones
    gather the sum of the weights.
    """
    stack = cv2.multiply(own, cv2.merge([weight] * 4))
    near = cv2.scaleAdd(own, OWN, cv2.blur(cv2.blur(stack, NEAR), NEAR))
    sums = cv2.scaleAdd(cv2.blur(stack, FAR), FAR_SHARE, near)
    mean: Alpha = cv2.divide(sums, cv2.merge([cv2.extractChannel(sums, 3)] * 4))
    return mean


def _mix(plane: Bytes, colour: Bytes, share: Bytes) -> None:
    """Keep a share, 0..255, of a plane and let a colour take the rest, in place."""
    new = cv2.multiply(colour, cv2.bitwise_not(share), scale=1 / 255)
    cv2.add(cv2.multiply(plane, share, scale=1 / 255), new, dst=plane)
