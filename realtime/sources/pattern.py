"""Step 1 of 9: a drawn person in a drawn room, with the exact alpha of every frame.

The demo picture, and the camera of every test: the same number always gives the same pixels.
Person and room are drawn once; a frame only moves two layers (body, waving arm) and lays them
over the room, plane by plane, premultiplied (Porter and Duff, "Compositing Digital Images", 1984).
The number stands in the pixels as a row of blocks along the top, wide enough to survive a codec.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from realtime.errors import EndOfStream
from realtime.frame import Alpha, Bytes, Frame
from realtime.pixels import Size, blank, even, from_bgr, planes_of, writable_planes

FINER = 3
"""Layers are drawn this many times larger and averaged down: smooth edges, exact coverage."""

CELLS = 24
"""Blocks of the barcode: guards 1 0, sixteen bits, four bits of checksum, guards 0 1."""

BLACK, WHITE = 16, 235

Colour = tuple[int, int, int]
Matrix = npt.NDArray[np.float64]

FLAT_PERSON: Colour = (0, 200, 0)
FLAT_ROOM: Colour = (0, 0, 200)


class PatternSource:
    """A source without a camera; `frames` ends it, `realtime` paces it, `flat` is green on red.

    Sizes are in pixels and rounded up to even ones. In the flat variant alpha is 0 or 1, there
    is no barcode, and a model as simple as "green minus red" finds it.
    """

    def __init__(
        self,
        size: Size = (1280, 720),
        fps: float = 30.0,
        frames: int | None = None,
        realtime: bool = True,
        flat: bool = False,
    ) -> None:
        self.fps = fps
        self.size = even(size)
        self._frames = frames
        self._realtime = realtime
        self._flat = flat
        self._number = 0
        self._due_s = time.monotonic()
        self._closed = threading.Event()
        self._room = from_bgr(_draw_room(self.size))
        self._body, self._arm = _draw_body(self.size), _draw_arm(self.size)

    def read(self) -> Frame:
        """Return the next frame, waiting for its time; raises `EndOfStream`."""
        number = self._number
        if self._realtime:
            self._closed.wait(self._due_s - time.monotonic())
        if self._closed.is_set() or number == self._frames:
            raise EndOfStream
        now = time.monotonic()
        self._due_s = max(self._due_s + 1 / self.fps, now)
        self._number += 1
        return Frame(self._drawn(number), number, now)

    def close(self) -> None:
        """End the stream; a waiting `read` wakes up."""
        self._closed.set()

    def alpha_of(self, number: int) -> Alpha:
        """Return the exact alpha of a frame, float32 (height, width), 0..1."""
        uncovered = self._uncovered(self._layers(number))[0]
        covered = cv2.compare(uncovered, 128, cv2.CMP_LT) if self._flat else ~uncovered
        return covered.astype(np.float32) / np.float32(255)

    def _drawn(self, number: int) -> Bytes:
        layers = self._layers(number)
        if self._flat:
            return _two_colours(self._uncovered(layers))
        i420 = self._room.i420.copy()
        planes = writable_planes(i420)
        for layer in layers:
            layer.lay_over(planes)
        _write_number(planes[0], number)
        return i420

    def _layers(self, number: int) -> list[_Layer]:
        """Return body and arm where they are in this frame, the body first."""
        seconds = number / self.fps
        width, height = self.size
        sway = 0.012 * math.sin(seconds * 1.1)
        shift_x = 0.022 * width * math.sin(seconds * 0.7)
        shift_y = 0.004 * height * math.sin(seconds * 2.3)
        body = _turn((0.5 * width, 1.1 * height), sway, (shift_x, shift_y))
        wave = 0.18 + 0.3 * math.sin(seconds * 4.2)
        elbow = width / 2 + ELBOW[0] * height, ELBOW[1] * height
        arm = body @ _turn(elbow, wave, (0, 0))
        return [self._body.moved(body), self._arm.moved(arm)]

    def _uncovered(self, layers: list[_Layer]) -> tuple[Bytes, Bytes]:
        """Return 255 * (1 - alpha) of all layers together, at full and at half size."""
        width, height = self.size
        full = np.full((height, width), 255, np.uint8)
        half = np.full((height // 2, width // 2), 255, np.uint8)
        for layer in layers:
            _dim(full, layer.rest, layer.left, layer.top)
            _dim(half, layer.rest_half, layer.left // 2, layer.top // 2)
        return full, half


@dataclass(frozen=True, slots=True)
class _Layer:
    """A premultiplied I420 picture at (left, top), both even, and what it leaves uncovered."""

    planes: tuple[Bytes, Bytes, Bytes]
    rest: Bytes
    rest_half: Bytes
    left: int
    top: int

    def moved(self, matrix: Matrix) -> _Layer:
        """Return this layer turned and shifted by a 3x3 matrix in frame coordinates."""
        full = _around(matrix, self.left, self.top)
        # The middle of a chroma sample lies between two pixels: x = 2 * x_half + 0.5.
        halve = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]])
        half = _product(halve, full, np.linalg.inv(halve))
        luma, blue, red = self.planes
        return replace(
            self,
            planes=(_warp(luma, full, 0), _warp(blue, half, 0), _warp(red, half, 0)),
            rest=_warp(self.rest, full, 255),
            rest_half=_warp(self.rest_half, half, 255),
        )

    def lay_over(self, planes: tuple[Bytes, Bytes, Bytes]) -> None:
        """Composite this layer onto writable planes."""
        rests = self.rest, self.rest_half, self.rest_half
        for index, (source, rest, target) in enumerate(
            zip(self.planes, rests, planes, strict=True)
        ):
            step = 2 if index else 1
            part = _dim(target, rest, self.left // step, self.top // step)
            cv2.add(part, source[: part.shape[0], : part.shape[1]], dst=part)


def read_number(frame: Frame) -> int | None:
    """Return the number (modulo 65536) in a frame's barcode, or None where there is none."""
    edges = _cell_edges(frame.width)
    depth = _barcode_depth(frame.height)
    cells = []
    for left, right in pairwise(edges):
        inset = (right - left) // 4
        cell = frame.y[
            depth // 4 : max(depth // 4 + 1, depth * 3 // 4), left + inset : right - inset
        ]
        cells.append(float(cell.mean()))
    if any(85 < level < 165 for level in cells):
        return None
    bits = [level > 125 for level in cells]
    number = sum(bit << index for index, bit in enumerate(bits[2:18]))
    return number if bits == _cells_of(number) else None


def _cells_of(number: int) -> list[bool]:
    number &= 0xFFFF
    check = (number ^ number >> 4 ^ number >> 8 ^ number >> 12) & 0xF
    bits = [bool(number >> index & 1) for index in range(16)]
    return [True, False, *bits, *(bool(check >> index & 1) for index in range(4)), False, True]


def _cell_edges(width: int) -> list[int]:
    return [width * index // CELLS for index in range(CELLS + 1)]


def _barcode_depth(height: int) -> int:
    return max(4, height // 24)


def _write_number(luma: Bytes, number: int) -> None:
    edges = _cell_edges(luma.shape[1])
    depth = _barcode_depth(luma.shape[0])
    for (left, right), bit in zip(pairwise(edges), _cells_of(number), strict=True):
        luma[:depth, left:right] = WHITE if bit else BLACK


def _two_colours(uncovered: tuple[Bytes, Bytes]) -> Bytes:
    full, half = uncovered
    height, width = full.shape
    i420 = blank((width, height))
    person, room = (
        planes_of(from_bgr(np.full((2, 2, 3), bgr, np.uint8)))
        for bgr in (
            FLAT_PERSON,
            FLAT_ROOM,
        )
    )
    for index, plane in enumerate(writable_planes(i420)):
        table = np.full(256, room[index][0, 0], np.uint8)
        table[:128] = person[index][0, 0]
        cv2.LUT(half if index else full, table, dst=plane)
    return i420


def _dim(target: Bytes, rest: Bytes, left: int, top: int) -> Bytes:
    """Scale the part of a plane under a layer by what the layer leaves uncovered; return it."""
    part = target[top : top + rest.shape[0], left : left + rest.shape[1]]
    height, width = part.shape
    cv2.multiply(part, rest[:height, :width], dst=part, scale=1 / 255)
    return part


def _warp(plane: Bytes, matrix: Matrix, border: int) -> Bytes:
    height, width = plane.shape
    warped: Bytes = cv2.warpAffine(plane, matrix[:2], (width, height), borderValue=(border,))
    return warped


def _turn(centre: tuple[float, float], angle: float, shift: tuple[float, float]) -> Matrix:
    """Return the 3x3 matrix that turns by an angle in radians around a point, then shifts."""
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    (x, y), (right, down) = centre, shift
    return _product(_shift(x + right, y + down), turn, _shift(-x, -y))


def _around(matrix: Matrix, left: int, top: int) -> Matrix:
    return _product(_shift(-left, -top), matrix, _shift(left, top))


def _product(*factors: Matrix) -> Matrix:
    product: Matrix = np.linalg.multi_dot(factors)
    return product


def _shift(x: float, y: float) -> Matrix:
    return np.array([[1.0, 0, x], [0, 1.0, y], [0, 0, 1]])


# What follows draws, once. Points are in frame heights: x from the middle, y from the top.

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

Point = tuple[float, float]


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

    def layer(self) -> _Layer:
        """Return the drawing at its true size as a premultiplied layer."""
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
        return _Layer(
            (planes[0], planes[1], planes[2]),
            cv2.bitwise_not(_averaged(self._mask, (width, height))),
            cv2.bitwise_not(_averaged(self._mask, half)),
            self.left,
            self.top,
        )

    def _pixels(self, points: list[Point]) -> npt.NDArray[np.int32]:
        offset = np.array([self._middle, -self.top])
        pixels: npt.NDArray[np.float64] = np.round((np.array(points) * self._unit + offset) * FINER)
        return pixels.astype(np.int32)


def _averaged(plane: Bytes, size: Size) -> Bytes:
    averaged: Bytes = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    return averaged


def _draw_body(size: Size) -> _Layer:
    sheet = _Sheet(size, -0.52, 0.08, 0.52, 1.08)
    sheet.oval((0, 0.36), (0.135, 0.175), HAIR)
    for strand in range(-7, 8):
        tip = 0.021 * strand + 0.004 * (strand % 3), 0.172 + 0.0011 * strand**2
        sheet.stroke([(0.014 * strand, 0.24), tip], 0.004, HAIR)
    right = [(0.05, 0.60), (0.13, 0.655), (0.25, 0.69), (0.325, 0.75), (0.37, 0.88), (0.39, 1.08)]
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


def _draw_arm(size: Size) -> _Layer:
    """Draw a forearm with its hand, upright above the elbow."""
    sheet = _Sheet(size, -0.75, 0.30, 0.05, 1.08)
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
    return sheet.layer()


def _draw_room(size: Size) -> Bytes:
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
    room = _lit(room, (half + 0.40, 0.42), 0.14, (40, 75, 95))
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
