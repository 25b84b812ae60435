"""Blocks of a matte that can be enlarged one by one, so that only what needs work is worked on.

Floor 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from realtime.frame import Bytes

STRIPS = 6
"""Blocks are cut from about this many strips across the picture."""


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle of cells, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Grid:
    """The finest cells, (width, height), that have whole sizes in both matte and frame.

    Blocks of such cells can be enlarged one by one without a seam.
    """

    coarse: tuple[int, int]
    fine: tuple[int, int]

    @classmethod
    def between(cls, coarse: tuple[int, int], fine: tuple[int, int]) -> Grid:
        """Return the grid of two sizes (width, height)."""
        columns, rows = math.gcd(coarse[0], fine[0]), math.gcd(coarse[1], fine[1])
        return cls((coarse[0] // columns, coarse[1] // rows), (fine[0] // columns, fine[1] // rows))

    def blocks(self, mask: Bytes, gap: int = 0) -> list[Block]:
        """Return blocks that hold all of a mask of the coarse size.

        A block is as high as its strip; two of them nearer than `gap` cells become one.
        """
        width, height = self.coarse
        rows = mask.shape[0] // height
        step = math.ceil(rows / STRIPS)
        tops = range(0, rows, step)
        strips = np.array([mask[t * height : (t + step) * height].max(axis=0) for t in tops])
        cells = np.maximum.reduceat(strips, np.arange(0, mask.shape[1], width), axis=1)
        found: list[Block] = []
        for strip, left, right in runs(cells):
            top, bottom = strip * step, min((strip + 1) * step, rows)
            if found and found[-1].top == top and left - found[-1].right < gap:
                left = found.pop().left
            found.append(Block(top, bottom, left, right))
        return found

    def around(self, left: int, top: int, width: int, height: int) -> Block:
        """Return the block that holds a rectangle of the coarse size."""
        (wide, high), right, bottom = self.coarse, left + width, top + height
        return Block(top // high, -(-bottom // high), left // wide, -(-right // wide))

    def part(self, plane: npt.NDArray[Any], block: Block) -> npt.NDArray[Any]:
        """Return a block of an array of the fine size, as a view."""
        width, height = self.fine
        return plane[
            block.top * height : block.bottom * height, block.left * width : block.right * width
        ]

    def enlarge(self, plane: npt.NDArray[Any], block: Block) -> npt.NDArray[Any]:
        """Return a block of an array of the coarse size at the fine size.

        One cell more on each side makes the result that of the whole array.
        """
        (width, height), (fine_w, fine_h) = self.coarse, self.fine
        top, left = max(block.top - 1, 0), max(block.left - 1, 0)
        around = plane[
            top * height : (block.bottom + 1) * height, left * width : (block.right + 1) * width
        ]
        size = around.shape[1] // width * fine_w, around.shape[0] // height * fine_h
        enlarged = cv2.resize(around, size, interpolation=cv2.INTER_LINEAR)
        return self.part(
            enlarged,
            Block(block.top - top, block.bottom - top, block.left - left, block.right - left),
        )


def runs(cells: Bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (row, first, end) of each run of a row that is not 0, ends excluded."""
    framed = np.zeros((cells.shape[0], cells.shape[1] + 2), np.bool_)
    framed[:, 1:-1] = cells != 0
    rows, ends = np.nonzero(framed[:, 1:] != framed[:, :-1])
    return zip(rows[::2].tolist(), ends[::2].tolist(), ends[1::2].tolist(), strict=True)
