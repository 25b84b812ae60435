"""Blocks of a matte that can be enlarged one by one, so that only what needs work is worked on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from realtime.frame import Alpha, Bytes

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

    def strips(self, coarse: Alpha) -> Iterator[Block]:
        """Yield strips across an array of the coarse size, from top to bottom."""
        rows, columns = coarse.shape[0] // self.coarse[1], coarse.shape[1] // self.coarse[0]
        step = math.ceil(rows / STRIPS)
        for top in range(0, rows, step):
            yield Block(top, min(top + step, rows), 0, columns)

    def blocks(self, mask: Bytes, strip: Block, gap: int = 0) -> Iterator[Block]:
        """Yield the blocks of a strip that hold all of a mask of the coarse size.

        They are as high as the strip; two of them nearer than `gap` cells become one.
        """
        width, height = self.coarse
        rows = mask[strip.top * height : strip.bottom * height]
        cells = np.maximum.reduceat(
            cv2.reduce(rows, 0, cv2.REDUCE_MAX)[0], np.arange(0, mask.shape[1], width)
        )
        for left, right in runs(cells, gap):
            yield Block(strip.top, strip.bottom, left, right)

    def part(self, plane: npt.NDArray[Any], block: Block) -> npt.NDArray[Any]:
        """Return a block of an array of the fine size, as a view."""
        width, height = self.fine
        return plane[
            block.top * height : block.bottom * height, block.left * width : block.right * width
        ]

    def enlarge(self, plane: Alpha, block: Block) -> Alpha:
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


def runs(flags: Bytes, gap: int) -> Iterator[tuple[int, int]]:
    """Yield (first, end) of each run that is not 0; two nearer than `gap` count as one."""
    ends = np.flatnonzero(np.diff(flags != 0, prepend=False, append=False)).tolist()
    while ends:
        first, end, *ends = ends
        while ends and ends[0] - end < gap:
            _, end, *ends = ends
        yield first, end
