"""What the light of a picture is like: level, warmth and contrast, measured in linear light.

A room and a person reflect what falls on them, so a picture tells only light times surface. The
level is a mean, which one window or one black coat moves little; the colour is told as one number
along the line of daylight and lamps, so that a green screen is no green light.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from realtime.frame import Alpha, Bytes

GAMMA = 2.2
"""Power that makes linear light of a picture's levels, near enough to ITU-R BT.709's curve."""

CURVE = np.linspace(0, 1, 256, dtype=np.float32) ** np.float32(GAMMA)

DARKEST = 0.002
"""Least light that is told apart, as a share of white: the logarithm ends here."""

LUMINANCE = np.array([[0.0722, 0.7152, 0.2126]], np.float32)
"""Share of linear blue, green and red in luminance (ITU-R BT.709-6)."""

LAMPS = (0.55, -0.83)
"""The line from daylight to lamps: change of log2 red/green and log2 blue/green a unit of warmth.
Between 6500 K and 3000 K a black body goes 1.3 of it."""

GREYISH = 0.5
"""How far, in log2 red/green and blue/green, a surface's colour may be from the light's to tell
of it; three rounds of a mean so weighted find what most surfaces agree on."""

ROUNDS = 3

LEAST = 60
"""Pixels that must be seen of a picture to tell its light."""


@dataclass(frozen=True, slots=True)
class Light:
    """The light of a picture.

    `level` is log2 of the mean luminance, 0 = all white; `warmth` is 0 for grey, above it for
    lamps, below it for sky; `contrast` is the standard deviation of luma, 0..1; `side` is the
    light's lead on the right half over the left, in log2, 0 where it comes from both.
    """

    level: float
    warmth: float
    contrast: float
    side: float = 0.0


def measure(bgr: Bytes, mask: Bytes) -> Light | None:
    """Measure a small picture, uint8 (height, width, 3), where the mask is not 0.

    Returns None when that is too little to tell.
    """
    if cv2.countNonZero(mask) < LEAST:
        return None
    linear = linearise(bgr)
    luminance = cv2.transform(linear, LUMINANCE)
    luma = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    _, deviation = cv2.meanStdDev(luma, mask=mask)
    return Light(
        level=_log2(cv2.mean(luminance, mask=mask)[0]),
        warmth=warmth_of(linear[mask > 0]),
        contrast=float(deviation[0, 0]) / 255,
        side=_side(luminance, mask),
    )


def linearise(bgr: Bytes) -> Alpha:
    """Return linear light, float32 of the same shape, 0..1."""
    linear: Alpha = cv2.LUT(bgr, CURVE)
    return linear


def warmth_of(linear: Alpha) -> float:
    """Return the warmth that most of the surfaces agree on; `linear` is (pixels, 3), BGR.

    A grey world (Buchsbaum, 1980) of the surfaces whose colour is near the mean's.
    """
    planes = np.ascontiguousarray(linear.T)
    brightest = planes.max(axis=0)
    blue, green, red = np.log2(np.maximum(planes, DARKEST))
    seen = np.minimum(brightest, 0.5)  # dark pixels tell little, blown-out ones too
    seen[brightest >= 0.98] = 0
    chroma = np.stack([red - green, blue - green])
    middle = np.zeros(2, np.float32)
    reach = 2 * GREYISH
    for _ in range(ROUNDS):
        far = ((chroma - middle[:, None]) ** 2).sum(axis=0)
        weight = seen * np.exp(-far / reach**2) + 1e-9
        middle = (chroma * weight).sum(axis=1) / weight.sum()
        reach = GREYISH
    return float(middle @ np.array(LAMPS)) / float(np.dot(LAMPS, LAMPS))


def _side(luminance: Alpha, mask: Bytes) -> float:
    """Return how many times brighter the right half of what is masked is, in log2."""
    left, _, width, _ = cv2.boundingRect(mask)
    middle = left + width // 2
    halves = [
        cv2.mean(luminance[:, part], mask=mask[:, part])[0]
        for part in (slice(0, middle), slice(middle, None))
    ]
    return _log2(halves[1]) - _log2(halves[0])


def _log2(value: float) -> float:
    return float(np.log2(max(value, DARKEST)))
