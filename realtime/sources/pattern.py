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
        alpha = 1 - uncovered.astype(np.float32) / 255
        return np.round(alpha).astype(np.float32) if self._flat else alpha

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
        half = halve @ full @ np.linalg.inv(halve)
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
            cv2.add(part, source, dst=part)


def read_number(frame: Frame) -> int | None:
    """Return the number (modulo 65536) in a frame's barcode, or None where there is none."""
    edges = _cell_edges(frame.width)
    depth = _barcode_depth(frame.height)
    cells = []
    for left, right in zip(edges, edges[1:], strict=False):
        inset = (right - left) // 4
        cell = frame.y[depth // 4 : max(depth // 4 + 1, depth * 3 // 4), left + inset : right - inset]
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
    for left, right, bit in zip(edges, edges[1:], _cells_of(number), strict=False):
        luma[:depth, left:right] = WHITE if bit else BLACK


def _two_colours(uncovered: tuple[Bytes, Bytes]) -> Bytes:
    full, half = uncovered
    height, width = full.shape
    i420 = blank((width, height))
    person, room = (planes_of(from_bgr(np.full((2, 2, 3), bgr, np.uint8))) for bgr in (
        FLAT_PERSON, FLAT_ROOM,
    ))
    for index, plane in enumerate(writable_planes(i420)):
        table = np.full(256, room[index][0, 0], np.uint8)
        table[:128] = person[index][0, 0]
        cv2.LUT(half if index else full, table, dst=plane)
    return i420


def _dim(target: Bytes, rest: Bytes, left: int, top: int) -> Bytes:
    """Scale the part of a plane under a layer by what the layer leaves uncovered; return it."""
    height, width = rest.shape
    part = target[top : top + height, left : left + width]
    cv2.multiply(part, rest, dst=part, scale=1 / 255)
    return part


def _warp(plane: Bytes, matrix: Matrix, border: int) -> Bytes:
    height, width = plane.shape
    return cv2.warpAffine(plane, matrix[:2], (width, height), borderValue=(border,))


def _turn(centre: tuple[float, float], angle: float, shift: tuple[float, float]) -> Matrix:
    """Return the 3x3 matrix that turns by an angle in radians around a point, then shifts."""
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    return _shift(centre[0] + shift[0], centre[1] + shift[1]) @ turn @ _shift(-centre[0], -centre[1])


def _around(matrix: Matrix, left: int, top: int) -> Matrix:
    return _shift(-left, -top) @ matrix @ _shift(left, top)


def _shift(x: float, y: float) -> Matrix:
    return np.array([[1.0, 0, x], [0, 1.0, y], [0, 0, 1]])
