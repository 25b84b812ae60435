"""The drawn person and the drawn room of the pattern source."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.contract import Size
from realtime.frame import Bytes
from realtime.sources.layer import Colour, Layer, Point, Sheet, averaged

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


def draw_body(size: Size) -> Layer:
    """Draw the person but for the waving arm, for a frame of a size."""
    sheet = Sheet(size, -0.52, 0.08, 0.52, 1.08)
    _draw_hair(sheet)
    _draw_shirt(sheet)
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


def _draw_hair(sheet: Sheet) -> None:
    sheet.oval((0, 0.36), (0.135, 0.175), HAIR)
    for strand in range(-19, 20):
        root = 0.0045 * strand, 0.30
        tip = 0.0061 * strand + 0.003 * (strand % 3 - 1), 0.176 + 0.00013 * strand**2
        sheet.stroke([root, (tip[0], tip[1] + 0.006 * (strand % 4 - 1))], 0.0022, HAIR)


def _draw_shirt(sheet: Sheet) -> None:
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


def _draw_face(sheet: Sheet) -> None:
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
    sheet = Sheet(size, -0.66, 0.44, -0.10, 1.08)
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
    """Return the room at a size, BGR, uint8 (height, width, 3)."""
    half = size[0] / 2 / size[1]
    sheet = Sheet(size, -half, 0, half, 1)
    sheet.box((-half, 0), (half, 1), WALL)
    sheet.box((-half, 0.86), (half, 1), WALL_SHADE)
    sheet.box((-half, 0.845), (half, 0.865), COLLAR)
    _draw_window(sheet)
    _draw_shelf(sheet)
    sheet.stroke([(0.40, 0.95), (0.40, 0.42)], 0.01, DARK)
    sheet.shape([(0.36, 0.34), (0.44, 0.34), (0.475, 0.44), (0.325, 0.44)], (196, 232, 250))
    room = averaged(sheet.bgr, size)
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


def _draw_window(sheet: Sheet) -> None:
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


def _draw_shelf(sheet: Sheet) -> None:
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
