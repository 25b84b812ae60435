"""Drawings as layers: shapes on a sheet, averaged down, moved and laid over a picture.

Points are in frame heights, x from the middle and y from the top, so that every size and shape
of frame shows the same drawing. Layers are premultiplied (Porter and Duff, "Compositing Digital
Images", 1984): moved colours never mix with what was never drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from realtime.contract import Size
from realtime.frame import Bytes
from realtime.pixels import even, from_bgr, planes_of

Colour = tuple[int, int, int]
Point = tuple[float, float]

FINER = 3
"""Layers are drawn this many times larger and averaged down: smooth edges, exact coverage."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A premultiplied I420 picture at (left, top), both even, and what it leaves uncovered.

    `pivot` is the point it turns around, in its own pixels.
    """

    planes: tuple[Bytes, Bytes, Bytes]
    rest: Bytes
    rest_half: Bytes
    left: int
    top: int
    pivot: tuple[float, float]

    def turned(self, angle: float) -> Layer:
        """Return this layer turned around its `pivot`, clockwise, by an angle in radians."""
        cosine, sine = math.cos(angle), math.sin(angle)
        turn = np.array([[cosine, -sine], [sine, cosine]])

        def warp(plane: Bytes, step: int, border: int) -> Bytes:
            # The middle of a chroma sample lies between two pixels: x = 2 * x_half + 0.5.
            middle = (np.array(self.pivot) - (step - 1) / 2) / step
            matrix = np.column_stack([turn, middle - turn @ middle])
            return _warped(plane, matrix, border)

        return self._changed(warp)

    def shifted(self, right: float, down: float) -> Layer:
        """Return this layer moved by fractions of pixels, its region staying where it is."""

        def cut(plane: Bytes, step: int, border: int) -> Bytes:
            height, width = plane.shape
            middle = (width - 1) / 2 - right / step, (height - 1) / 2 - down / step
            moved: Bytes = cv2.getRectSubPix(plane, (width, height), middle)
            return moved

        return self._changed(cut)

    def _changed(self, change: Callable[[Bytes, int, int], Bytes]) -> Layer:
        """Apply a change, called with plane, pixels a sample and border, to every plane."""
        luma, blue, red = self.planes
        return replace(
            self,
            planes=(change(luma, 1, 0), change(blue, 2, 0), change(red, 2, 0)),
            rest=change(self.rest, 1, 255),
            rest_half=change(self.rest_half, 2, 255),
        )

    def lay_over(self, planes: tuple[Bytes, Bytes, Bytes]) -> None:
        """Composite this layer onto writable planes."""
        rests = self.rest, self.rest_half, self.rest_half
        for index, (source, rest, target) in enumerate(
            zip(self.planes, rests, planes, strict=True)
        ):
            step = 2 if index else 1
            part = dim(target, rest, self.left // step, self.top // step)
            cv2.add(part, source[: part.shape[0], : part.shape[1]], dst=part)


class Sheet:
    """A drawing FINER times larger than the part of the frame it is for, and what it covers."""

    def __init__(self, size: Size, left: float, top: float, right: float, bottom: float) -> None:
        width, self._unit = size[0], size[1]
        self.left = max(0, int(width / 2 + left * self._unit)) // 2 * 2
        self.top = max(0, int(top * self._unit)) // 2 * 2
        across = min(width, int(width / 2 + right * self._unit)) - self.left
        self._size = even((max(2, across), max(2, int(bottom * self._unit) - self.top)))
        self._middle = width / 2 - self.left
        shape = self._size[1] * FINER, self._size[0] * FINER
        self.bgr = np.zeros((*shape, 3), np.uint8)
        self._mask = np.zeros(shape, np.uint8)

    def shape(self, points: list[Point], colour: Colour) -> None:
        """Fill a polygon; colours are BGR of 0..255."""
        corners = self._pixels(points)
        cv2.fillPoly(self.bgr, [corners], colour)
        cv2.fillPoly(self._mask, [corners], (255,))

    def oval(self, middle: Point, axes: Point, colour: Colour, span: Point = (0, 360)) -> None:
        """Fill an ellipse with these half axes, or the part of it between two angles in degrees."""
        turns = np.radians(np.linspace(*span, 64))
        points = [
            (middle[0] + axes[0] * math.cos(turn), middle[1] + axes[1] * math.sin(turn))
            for turn in turns
        ]
        self.shape(points, colour)

    def box(self, corner: Point, opposite: Point, colour: Colour) -> None:
        """Fill a rectangle."""
        (left, top), (right, bottom) = corner, opposite
        self.shape([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def stroke(self, points: list[Point], thickness: float, colour: Colour) -> None:
        """Draw a line from point to point."""
        thick = max(1, round(thickness * self._unit * FINER))
        path = self._pixels(points)
        cv2.polylines(self.bgr, [path], False, colour, thick)
        cv2.polylines(self._mask, [path], False, (255,), thick)

    def layer(self, pivot: Point = (0, 0)) -> Layer:
        """Return the drawing at its true size as a premultiplied layer."""
        x, y = self._pixels([pivot])[0] / FINER
        width, height = self._size
        half = width // 2, height // 2
        picture = from_bgr(self.bgr)
        small = cv2.resize(self._mask, picture.u.shape[::-1], interpolation=cv2.INTER_AREA)
        planes = [
            averaged(cv2.multiply(plane, mask, scale=1 / 255), size)
            for plane, mask, size in zip(
                planes_of(picture),
                (self._mask, small, small),
                ((width, height), half, half),
                strict=True,
            )
        ]
        return Layer(
            (planes[0], planes[1], planes[2]),
            cv2.bitwise_not(averaged(self._mask, (width, height))),
            cv2.bitwise_not(averaged(self._mask, half)),
            self.left,
            self.top,
            (float(x), float(y)),
        )

    def _pixels(self, points: list[Point]) -> npt.NDArray[np.int32]:
        offset = np.array([self._middle, -self.top])
        pixels: npt.NDArray[np.float64] = np.round((np.array(points) * self._unit + offset) * FINER)
        return pixels.astype(np.int32)


def averaged(plane: Bytes, size: Size) -> Bytes:
    """Return a picture or plane at a smaller size, the mean over areas."""
    averaged: Bytes = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    return averaged


def dim(target: Bytes, rest: Bytes, left: int, top: int) -> Bytes:
    """Scale the part of a plane under a layer by what the layer leaves uncovered; return it."""
    part = target[top : top + rest.shape[0], left : left + rest.shape[1]]
    height, width = part.shape
    cv2.multiply(part, rest[:height, :width], dst=part, scale=1 / 255)
    return part


def _warped(plane: Bytes, matrix: npt.NDArray[np.float64], border: int) -> Bytes:
    height, width = plane.shape
    warped: Bytes = cv2.warpAffine(plane, matrix, (width, height), borderValue=(border,))
    return warped
