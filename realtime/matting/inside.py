"""Step 3 of 9: the inside of a person, where a network doubts and the backdrop would shine."""

from __future__ import annotations

import math

import cv2
import numpy as np

from realtime.frame import Alpha

ROOM = 0.2
"""Alpha up to which a pixel may be room that is seen past an arm: no haze, and nothing is filled
near it."""

DEPTH = 1 / 32
"""How far inside is, as a share of the side of a square matte: hair and blurred hands are softer
than 1, but not that far from all room."""


def filled(alpha: Alpha) -> Alpha:
    """Return alpha, float32 (height, width), with 1 for whatever is above `ROOM` far inside."""
    depth = round(DEPTH * math.sqrt(alpha.size))
    around = np.ones((2 * depth + 1, 2 * depth + 1), np.uint8)
    inside = cv2.erode(cv2.compare(alpha, ROOM, cv2.CMP_GT), around)
    share = cv2.boxFilter(inside, cv2.CV_32F, (depth, depth)) / np.float32(255)
    full: Alpha = alpha + (1 - alpha) * share
    return full
