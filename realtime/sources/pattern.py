"""Step 1 of 9: a drawn person in a drawn room, with the exact alpha of every frame.

The demo picture, and the camera of every test: the same number always gives the same pixels.
Person and room are drawn once; a frame moves two layers, body and waving arm, over the room.
The number stands in the pixels as a row of blocks along the top, wide enough to survive a codec.
"""

from __future__ import annotations

import math
import threading
import time
from itertools import pairwise

import cv2
import numpy as np

from realtime.contract import Size
from realtime.errors import EndOfStream
from realtime.frame import Alpha, Bytes, Frame
from realtime.pixels import blank, colour, even, from_bgr, planes_of, writable_planes
from realtime.sources.drawing import draw_arm, draw_body, draw_room
from realtime.sources.layer import Colour, Layer, dim

CELLS = 24
"""Blocks of the barcode: guards 1 0, sixteen bits, four bits of checksum, guards 0 1."""

BLACK, WHITE = 16, 235

WAVE_PHASES = 48
"""Steps of one wave of the hand, a thirtieth of a second each."""

WAVE_MIDDLE, WAVE_REACH = -0.22, 0.26
"""Angles of the forearm in radians, clockwise from upright."""

FLAT_PERSON: Colour = (0, 200, 0)
FLAT_ROOM: Colour = (0, 0, 200)


class PatternSource:
    """A source without a camera; `frames` ends it, `realtime` paces it, `flat` is green on red.

    Frames of a paced one are captured now, those of any other at their number / `fps` seconds.
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
        self._room = from_bgr(draw_room(self.size))
        self._body, self._arm = draw_body(self.size), draw_arm(self.size)
        self._arms: dict[int, Layer] = {}

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
        at_s = now if self._realtime else number / self.fps
        return Frame(self._drawn(number), number, at_s)

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

    def _layers(self, number: int) -> list[Layer]:
        """Return body and arm where they are in this frame, the body first."""
        seconds = number / self.fps
        width, height = self.size
        right = 0.022 * width * math.sin(seconds * 0.7)
        down = 0.006 * height * math.sin(seconds * 2.3)
        phase = int(seconds * 30) % WAVE_PHASES
        return [layer.shifted(right, down) for layer in (self._body, self._waved(phase))]

    def _waved(self, phase: int) -> Layer:
        """Return the arm in one phase of its wave; turning is dear, so each is kept."""
        if phase not in self._arms:
            angle = WAVE_MIDDLE + WAVE_REACH * math.sin(2 * math.pi * phase / WAVE_PHASES)
            self._arms[phase] = self._arm.turned(angle)
        return self._arms[phase]

    def _uncovered(self, layers: list[Layer]) -> tuple[Bytes, Bytes]:
        """Return 255 * (1 - alpha) of all layers together, at full and at half size."""
        width, height = self.size
        full = np.full((height, width), 255, np.uint8)
        half = np.full((height // 2, width // 2), 255, np.uint8)
        for layer in layers:
            dim(full, layer.rest, layer.left, layer.top)
            dim(half, layer.rest_half, layer.left // 2, layer.top // 2)
        return full, half


def read_number(frame: Frame) -> int | None:
    """Return the number (modulo 65536) in a frame's barcode, or None where there is none."""
    edges = _cell_edges(frame.width)
    depth = _barcode_depth(frame.height)
    cells = []
    for left, right in pairwise(edges):
        inset = (right - left) // 4
        cell = frame.y[depth // 4 : depth * 3 // 4, left + inset : right - inset]
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
    person, room = (planes_of(colour((2, 2), bgr)) for bgr in (FLAT_PERSON, FLAT_ROOM))
    for index, plane in enumerate(writable_planes(i420)):
        table = np.full(256, room[index][0, 0], np.uint8)
        table[:128] = person[index][0, 0]
        cv2.LUT(half if index else full, table, dst=plane)
    return i420
