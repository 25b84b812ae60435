"""A look at the light: the camera's scene, the backdrop, the person's skin, on small pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from realtime import pixels
from realtime.contract import Size
from realtime.frame import Bytes, Frame
from realtime.scene.grade import Change
from realtime.scene.light import GAMMA, Light, measure
from realtime.scene.skin import skin_of

ROWS = 45
"""Height in pixels of the pictures that are measured."""

PERSON = Change(level=-0.6, warmth=0.35)
"""What a person is darker and warmer than the room around in the same light, in the mean."""

VOICE = Change(level=0.5, warmth=0.3)
"""The person's say about the light there; the rest is the room's."""

GRAIN = 5.0
"""Standard deviation in levels that noise may have after lifting."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What one look at a frame and its backdrop tells.

    `here` is the light of the camera's scene, `there` the backdrop's; `skin` uint8 (n, 1, 3) in
    Y, U, V; `liftable` the stops by which noise allows the person to be lifted.
    """

    here: Light
    there: Light | None
    skin: Bytes
    liftable: float


def survey(frame: Frame, backdrop: Frame | None, alpha: Bytes) -> Survey | None:
    """Measure a frame and a backdrop that is lit; None when too little of a person is there."""
    size: Size = min(max(2, round(frame.width * ROWS / frame.height)), frame.width), ROWS
    yuv, cover = pixels.small_yuv(frame, size), pixels.shrink(alpha, size)
    bgr = cv2.transform(yuv, pixels.BGR_FROM_YUV)
    mask = cv2.inRange(cover, 250, 255)
    person = measure(bgr, mask)
    if person is None:
        return None
    return Survey(
        here=_here(person, measure(bgr, cv2.inRange(cover, 0, 5))),
        there=_there(backdrop, size),
        skin=skin_of(yuv, mask),
        liftable=_liftable(frame, alpha),
    )


def _here(person: Light, room: Light | None) -> Light:
    """Return the light of the camera's scene from the person and, where it is seen, the room."""
    level, warmth = person.level - PERSON.level, person.warmth - PERSON.warmth
    if room:
        level = VOICE.level * level + (1 - VOICE.level) * room.level
        warmth = VOICE.warmth * warmth + (1 - VOICE.warmth) * room.warmth
    return Light(level, warmth, person.contrast, person.side)


def _there(backdrop: Frame | None, size: Size) -> Light | None:
    if backdrop is None:
        return None
    return measure(pixels.thumbnail(backdrop, size), np.full(size[::-1], 255, np.uint8))


def _liftable(frame: Frame, alpha: Bytes) -> float:
    """Return the stops by which the person may be lifted before noise shows.

    Immerkaer, "Fast noise variance estimation" (1996), in the middle of the person.
    """
    left, top, width, height = cv2.boundingRect(alpha)
    middle = frame.y[
        top + height // 3 : top + height * 2 // 3, left + width // 3 : left + width * 2 // 3
    ]
    if min(middle.shape) < 3:
        return 0.0
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    rough = cv2.filter2D(middle, cv2.CV_16S, kernel)
    deviation = math.sqrt(math.pi / 2) / 6 * cv2.norm(rough, cv2.NORM_L1) / rough.size
    return max(0.0, GAMMA * math.log2(GRAIN / max(deviation, 0.1)))
