"""Where the head is in a matte, and the cut of an identity photograph around it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

from realtime.frame import Bytes

ROWS = 240
"""Height at which a matte is looked at: finer says nothing more of a head."""

PERSON = 128
"""Alpha from which a pixel is the person."""

LEAST = 0.02
"""Width of the first row of hair, as a share of the picture's."""

CHEEKS = 0.7
"""Widths of a head from its crown down to where it is widest."""

TALL = 1.35
"""Height of a head, chin to crown, in widths (ISO/IEC 19794-5 has 1.25 to 1.5)."""


@dataclass(frozen=True)
class Cut:
    """An identity photograph: its size in millimetres, and how tall the head is in it.

    `head` is chin to crown as a share of the height (ICAO Doc 9303, part 3: 0.7 to 0.8);
    `above` is the room over the crown.
    """

    width_mm: float
    height_mm: float
    head: float
    above: float


CUTS = {
    "35x45": Cut(35, 45, 0.74, 0.1),
    "51x51": Cut(51, 51, 0.6, 0.12),
    "33x48": Cut(33, 48, 0.66, 0.1),
}

DOTS_PER_MM = 300 / 25.4


def portrait_size(cut: Cut) -> tuple[int, int]:
    """Return (width, height) in pixels at 300 dots an inch."""
    return round(cut.width_mm * DOTS_PER_MM), round(cut.height_mm * DOTS_PER_MM)


def portrait_box(alpha: Bytes, cut: Cut) -> tuple[int, int, int, int] | None:
    """Return (left, top, width, height) of the cut within a matte, uint8 (height, width).

    None where nobody is. A cut that would reach beyond the picture is moved, and made smaller
    where that is not enough: nothing is invented at the borders.
    """
    head = _find_head(alpha)
    if head is None:
        return None
    crown, middle, width = head
    rows, columns = alpha.shape
    tall = min(TALL * width / cut.head, rows, columns * cut.height_mm / cut.width_mm)
    wide = tall * cut.width_mm / cut.height_mm
    left = min(max(middle - wide / 2, 0), columns - wide)
    top = min(max(crown - cut.above * tall, 0), rows - tall)
    return round(left), round(top), max(1, round(wide)), max(1, round(tall))


def cut_out(picture: Bytes, box: tuple[int, int, int, int], size: tuple[int, int]) -> Bytes:
    """Return a box of a picture, uint8 (height, width, channels), at a size in pixels."""
    left, top, width, height = box
    part = picture[top : top + height, left : left + width]
    how = cv2.INTER_AREA if width > size[0] else cv2.INTER_CUBIC
    cut: Bytes = cv2.resize(part, size, interpolation=how)
    return cut


def _find_head(alpha: Bytes) -> tuple[float, float, float] | None:
    """Return crown, middle and width of the head in pixels of the matte."""
    scale = alpha.shape[0] / ROWS
    columns = max(1, round(alpha.shape[1] / scale))
    small = cv2.resize(alpha, (columns, ROWS), interpolation=cv2.INTER_AREA)
    person = cv2.compare(small, PERSON, cv2.CMP_GE)
    widths = cv2.reduce(person, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[:, 0] // 255
    rows = [row for row, width in enumerate(widths) if width > LEAST * columns]
    if not rows:
        return None
    crown, width = rows[0], float(widths[rows[0]])
    for _ in range(8):
        row = min(ROWS - 1, round(crown + CHEEKS * width))
        width = max(width, float(widths[row]))
        if crown + CHEEKS * width > ROWS:
            break
    left, _, wide, _ = cv2.boundingRect(person[crown : crown + max(1, round(CHEEKS * width))])
    return crown * scale, (left + wide / 2) * scale, min(width, wide) * scale
