"""The drawn person and the drawn room of the pattern source.

Points are in frame heights, x from the middle and y from the top, so that every size and shape
of frame shows the same person. Layers are premultiplied (Porter and Duff, "Compositing Digital
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

ELBOW = (-0.30, 0.97)
SKIN, SKIN_SHADE, LIPS = (150, 178, 226), (120, 146, 202), (96, 92, 178)
HAIR, HAIR_LIGHT = (38, 52, 78), (56, 78, 112)
SHIRT, SHIRT_SHADE, COLLAR = (128, 96, 58), (106, 78, 46), (222, 224, 226)
DARK, WHITE_OF_EYE = (48, 44, 42), (238, 240, 242)
WALL, WALL_SHADE, WOOD, WOOD_SHADE = (
    (186, 203, 212),
    (150, 168, 180),
    (92, 134, 172),
    (70, 104, 138),
)


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


class _Sheet:
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
        corners = self._pixels(points)
        cv2.fillPoly(self.bgr, [corners], colour)
        cv2.fillPoly(self._mask, [corners], (255,))

    def oval(self, middle: Point, axes: Point, colour: Colour, span: Point = (0, 360)) -> None:
        turns = np.radians(np.linspace(*span, 64))
        points = [
            (middle[0] + axes[0] * math.cos(turn), middle[1] + axes[1] * math.sin(turn))
            for turn in turns
        ]
        self.shape(points, colour)

    def box(self, corner: Point, opposite: Point, colour: Colour) -> None:
        (left, top), (right, bottom) = corner, opposite
        self.shape([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def stroke(self, points: list[Point], thickness: float, colour: Colour) -> None:
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
            _averaged(cv2.multiply(plane, mask, scale=1 / 255), size)
            for plane, mask, size in zip(
                planes_of(picture),
                (self._mask, small, small),
                ((width, height), half, half),
                strict=True,
            )
        ]
        return Layer(
            (planes[0], planes[1], planes[2]),
            cv2.bitwise_not(_averaged(self._mask, (width, height))),
            cv2.bitwise_not(_averaged(self._mask, half)),
            self.left,
            self.top,
            (float(x), float(y)),
        )

    def _pixels(self, points: list[Point]) -> npt.NDArray[np.int32]:
        offset = np.array([self._middle, -self.top])
        pixels: npt.NDArray[np.float64] = np.round((np.array(points) * self._unit + offset) * FINER)
        return pixels.astype(np.int32)


def _averaged(plane: Bytes, size: Size) -> Bytes:
    averaged: Bytes = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    return averaged


def draw_body(size: Size) -> Layer:
    sheet = _Sheet(size, -0.52, 0.08, 0.52, 1.08)
    _draw_hair(sheet)
    right = [
        (0.05, 0.60),
        (0.13, 0.65),
        (0.21, 0.672),
        (0.27, 0.695),
        (0.31, 0.73),
        (0.335, 0.78),
        (0.36, 0.88),
        (0.38, 1.08),
    ]
    left = [(-x, y) for x, y in reversed(right)]
    sheet.shape([*right, *left], SHIRT)
    sheet.shape([(0.21, 1.08), (0.235, 0.86), (0.255, 1.08)], SHIRT_SHADE)
    sheet.shape([(-0.21, 1.08), (-0.235, 0.86), (-0.255, 1.08)], SHIRT_SHADE)
    sheet.shape(
        [(-0.055, 0.46), (0.055, 0.46), (0.065, 0.625), (0, 0.70), (-0.065, 0.625)], SKIN_SHADE
    )
    sheet.shape([(-0.062, 0.60), (0, 0.70), (-0.045, 0.745), (-0.10, 0.635)], COLLAR)
    sheet.shape([(0.062, 0.60), (0, 0.70), (0.045, 0.745), (0.10, 0.635)], COLLAR)
    for side in (-1, 1):
        sheet.oval((side * 0.117, 0.395), (0.019, 0.032), SKIN_SHADE)
    sheet.oval((0, 0.385), (0.113, 0.15), SKIN)
    sheet.oval((0, 0.30), (0.122, 0.098), HAIR, (180, 360))
    sheet.shape(
        [
            (-0.122, 0.30),
            (0.122, 0.30),
            (0.112, 0.345),
            (0.06, 0.305),
            (-0.05, 0.318),
            (-0.112, 0.35),
        ],
        HAIR,
    )
    sheet.stroke([(-0.07, 0.245), (0.0, 0.222), (0.06, 0.24)], 0.008, HAIR_LIGHT)
    _draw_face(sheet)
    return sheet.layer()


def _draw_hair(sheet: _Sheet) -> None:
    sheet.oval((0, 0.36), (0.135, 0.175), HAIR)
    for strand in range(-19, 20):
        root = 0.0045 * strand, 0.30
        tip = 0.0061 * strand + 0.003 * (strand % 3 - 1), 0.176 + 0.00013 * strand**2
        sheet.stroke([root, (tip[0], tip[1] + 0.006 * (strand % 4 - 1))], 0.0022, HAIR)


def _draw_face(sheet: _Sheet) -> None:
    for side in (-1, 1):
        sheet.oval((side * 0.045, 0.385), (0.020, 0.0115), WHITE_OF_EYE)
        sheet.oval((side * 0.045, 0.385), (0.0095, 0.0105), DARK)
        sheet.stroke(
            [(side * 0.024, 0.354), (side * 0.046, 0.346), (side * 0.07, 0.356)], 0.008, HAIR
        )
    sheet.stroke([(0.004, 0.39), (0.016, 0.437), (-0.006, 0.441)], 0.006, SKIN_SHADE)
    sheet.oval((0, 0.473), (0.036, 0.020), LIPS, (0, 180))
    sheet.oval((0, 0.474), (0.027, 0.007), WHITE_OF_EYE, (0, 180))


def draw_arm(size: Size) -> Layer:
    """Draw a forearm with its hand, upright above the elbow."""
    sheet = _Sheet(size, -0.66, 0.44, -0.10, 1.08)
    x, y = ELBOW
    sheet.shape(
        [(x - 0.065, y + 0.09), (x - 0.045, y - 0.2), (x + 0.045, y - 0.2), (x + 0.07, y + 0.09)],
        SHIRT_SHADE,
    )
    sheet.box((x - 0.05, y - 0.225), (x + 0.05, y - 0.195), COLLAR)
    sheet.box((x - 0.03, y - 0.29), (x + 0.03, y - 0.22), SKIN_SHADE)
    sheet.oval((x, y - 0.325), (0.05, 0.058), SKIN)
    for reach, lean in ((0.435, -0.055), (0.46, -0.02), (0.455, 0.016), (0.425, 0.048)):
        sheet.stroke([(x + lean * 0.62, y - 0.33), (x + lean, y - reach)], 0.023, SKIN)
    sheet.stroke([(x + 0.03, y - 0.30), (x + 0.085, y - 0.355)], 0.025, SKIN)
    return sheet.layer(ELBOW)


def draw_room(size: Size) -> Bytes:
    half = size[0] / 2 / size[1]
    sheet = _Sheet(size, -half, 0, half, 1)
    sheet.box((-half, 0), (half, 1), WALL)
    sheet.box((-half, 0.86), (half, 1), WALL_SHADE)
    sheet.box((-half, 0.845), (half, 0.865), COLLAR)
    _draw_window(sheet)
    _draw_shelf(sheet)
    sheet.stroke([(0.40, 0.95), (0.40, 0.42)], 0.01, DARK)
    sheet.shape([(0.36, 0.34), (0.44, 0.34), (0.475, 0.44), (0.325, 0.44)], (196, 232, 250))
    room = _averaged(sheet.bgr, size)
    room = _lit(room, (half + 0.40, 0.42), 0.15, (26, 48, 62))
    return _lit(room, (half - 0.60, 0.3), 0.40, (30, 22, 14))


def _lit(bgr: Bytes, middle: Point, radius: float, colour: Colour) -> Bytes:
    """Add light that falls off as a Gaussian; points count from the left, in frame heights."""
    height, width = bgr.shape[:2]
    down = np.exp(-((np.arange(height) / height - middle[1]) ** 2) / (2 * radius**2))
    across = np.exp(-((np.arange(width) / height - middle[0]) ** 2) / (2 * radius**2))
    fall = np.outer(down, across).astype(np.float32)
    lit: Bytes = cv2.add(bgr, cv2.merge([fall * part for part in colour]), dtype=cv2.CV_8U)
    return lit


def _draw_window(sheet: _Sheet) -> None:
    left, top, right, bottom = -0.80, 0.10, -0.40, 0.56
    sheet.box((left - 0.02, top - 0.02), (right + 0.02, bottom + 0.02), COLLAR)
    for step in range(24):
        y = top + (bottom - top) * step / 24
        sheet.box((left, y), (right, bottom), (236 - step, 186 + 2 * step, 130 + 4 * step))
    hills = [(left, 0.46), (-0.70, 0.42), (-0.60, 0.455), (-0.50, 0.41), (right, 0.44)]
    sheet.shape([*hills, (right, bottom), (left, bottom)], (96, 150, 118))
    sheet.oval((-0.68, 0.22), (0.05, 0.018), (250, 248, 244))
    sheet.oval((-0.64, 0.21), (0.045, 0.022), (250, 248, 244))
    sheet.box((-0.608, top), (-0.592, bottom), COLLAR)
    sheet.box((left, 0.30), (right, 0.315), COLLAR)
    sheet.box((left - 0.04, bottom + 0.02), (right + 0.04, bottom + 0.045), WALL_SHADE)


def _draw_shelf(sheet: _Sheet) -> None:
    covers = ((60, 70, 160), (120, 110, 60), (70, 140, 190), (90, 120, 84), (130, 80, 104))
    for row, board in enumerate((0.33, 0.56, 0.79)):
        x = 0.53
        for book in range(7):
            tall = 0.11 + 0.012 * ((book * 5 + row * 3) % 5)
            wide = 0.018 + 0.005 * ((book * 3 + row) % 3)
            sheet.box((x, board - tall), (x + wide, board), covers[(book + 2 * row) % 5])
            x += wide + 0.003
        sheet.box((0.51, board), (0.85, board + 0.018), WOOD)
        sheet.box((0.51, board + 0.018), (0.85, board + 0.026), WOOD_SHADE)
    for lean in (-0.05, -0.025, 0.0, 0.028, 0.052):
        sheet.stroke([(0.78, 0.27), (0.78 + lean, 0.17 + abs(lean))], 0.013, (70, 128, 72))
    sheet.shape([(0.745, 0.26), (0.815, 0.26), (0.80, 0.33), (0.76, 0.33)], (86, 112, 190))


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
