"""Skin stays skin: what a correction of light may do to a face."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from realtime import pixels
from realtime.frame import Bytes
from realtime.scene.grade import Change, Grade
from realtime.scene.light import GAMMA

SKIN = (0, 77, 133), (255, 127, 173)
"""Y, U, V between which skin of every tone lies (Chai and Ngan, 1999: chroma alone)."""

FEW = 30
"""Pixels below which the whole person is treated as if it were skin."""

CLIPPED = 0.01
"""Share of the skin's pixels that may be cut off at white, beyond those that are already."""

WHITE = 254
"""Level from which a blue, green or red counts as cut off."""

HUE = 25.0
"""Degrees by which the skin's hue may turn away from the hue that is skin's."""

SKIN_HUE = 123.0
"""Degrees of skin's hue in the plane of U and V: NTSC's I axis, on which all complexions lie."""

FACE = 0.25
"""Mean luma of skin, 0..1, below which nobody is darkened: a face is there to be seen."""

HALVINGS = 6
"""Times that the range is halved in which the largest harmless part of a change lies."""


def skin_of(yuv: Bytes, person: Bytes) -> Bytes:
    """Return the person's skin, uint8 (n, 1, 3) in Y, U, V; all of the person where none shows."""
    skin = cv2.bitwise_and(cv2.inRange(yuv, *SKIN), person)
    mask = skin if cv2.countNonZero(skin) >= FEW else person
    return yuv[mask > 0].reshape(-1, 1, 3)


def keep_skin(change: Change, skin: Bytes, share: float = 1.0) -> Change:
    """Return the change with as much warmth as leaves skin its hue, as much level as cuts none off.

    `share` is how much of the limits may be used up.
    """
    if change == Change():  # as before a backdrop without a light of its own, mostly
        return change
    clipped, hue = clipped_share(skin) + share * CLIPPED, max(hue_error(skin), share * HUE)

    def keeps_hue(warmth: float) -> bool:
        warmer = change._replace(warmth=warmth)
        return hue_error(Grade(warmer).laid_on_pixels(skin)) <= hue

    def keeps_light(level: float) -> bool:
        brighter = change._replace(level=level)
        return clipped_share(Grade(brighter).laid_on_pixels(skin)) <= clipped

    change = change._replace(warmth=_most(keeps_hue, change.warmth))
    change = change._replace(level=_most(keeps_light, change.level))
    return change if keeps_hue(change.warmth) and keeps_light(change.level) else Change()


def darkest(skin: Bytes) -> float:
    """Return the level, 0 stops or below, at which skin, (n, 1, 3) in Y, U, V, is at `FACE`."""
    luma = (cv2.mean(skin)[0] - pixels.BLACK_Y) / 219
    return min(0.0, GAMMA * math.log2(FACE / max(luma, 1 / 219)))


def _most(harmless: Callable[[float], bool], whole: float) -> float:
    """Return the largest part of a whole that does no harm, 0 where there is none."""
    if harmless(whole):
        return whole
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if harmless(middle * whole) else (low, middle)
    return low * whole


def clipped_share(yuv: Bytes) -> float:
    """Return the share of pixels with a colour at its upper end."""
    brightest = np.maximum.reduce(cv2.split(cv2.transform(yuv, pixels.BGR_FROM_YUV)))
    return float(np.mean(brightest >= WHITE))


def hue_error(yuv: Bytes) -> float:
    """Return by how many degrees the mean hue differs from skin's."""
    _, u, v, _ = cv2.mean(yuv)
    hue = math.degrees(math.atan2(v - pixels.NEUTRAL, u - pixels.NEUTRAL))
    return abs((hue - SKIN_HUE + 180) % 360 - 180)
