"""Light in time: a lamp, the sun, the camera's own exposure and the mains change the picture but
not the person. What was seen before is put into the light of now, and what still differs moved.

The model is one gain for each channel of the gamma-coded picture: a gain of the light to the
power of 1/2.2 is one there too.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from realtime.frame import Bytes

Gain = npt.NDArray[np.float64]
"""Factor of each channel, shape (3, 1), in the order BGR."""

DARK, BRIGHT = 12, 243
"""Levels outside of these are clipped or nearly so: they tell little of the light."""

SAMPLES, LEAST = 1000, 50
"""Pixels of a picture that are asked for their gain, and how many must have an answer."""

TOLERANCE = 0.06
"""A sample within this share of the median gain stands still: the light alone explains it."""

LEAST_STILL = 0.35
"""Share of samples that a gain must explain; below, it was the scene that moved."""

LARGEST = 3.0
"""A gain beyond this, or below its inverse, is no lamp."""

STEADY = 0.005
"""Change of gain up to which the light counts as steady: a picture's noise alone gives 0.004."""


def gain_between(before: Bytes, bgr: Bytes) -> Gain | None:
    """Return the gain of the light from one picture to the next, None for a steady light.

    Pictures are uint8 (height, width, 3). The median over samples, then the mean of those that it
    explains, which are believed still: a person who moves is outvoted, or leaves too few that
    agree.
    """
    step = max(1, math.isqrt(bgr.shape[0] * bgr.shape[1] // SAMPLES))
    old, new = (
        np.ascontiguousarray(picture[::step, ::step].reshape(-1, 3).T) for picture in (before, bgr)
    )
    told = (np.minimum(old, new).min(axis=0) > DARK) & (np.maximum(old, new).max(axis=0) < BRIGHT)
    places = np.flatnonzero(told)
    if places.size < LEAST:
        return None
    then, now = (samples.take(places, axis=1).astype(np.float64) for samples in (old, new))
    ratio = now / then
    middle = np.sort(ratio, axis=1)[:, ratio.shape[1] // 2, np.newaxis]  # np.median takes longer
    still = np.abs(ratio / middle - 1).max(axis=0) < TOLERANCE
    if np.count_nonzero(still) < max(LEAST, LEAST_STILL * still.size):
        return None
    mask = still.astype(np.float64).reshape(-1, 1)
    gain: Gain = (now @ mask) / (then @ mask)
    leap = np.abs(np.log(gain)).max()
    return gain if STEADY < leap < math.log(LARGEST) else None


def relit(before: Bytes, bgr: Bytes, gain: Gain | None) -> Bytes:
    """Return the picture before as it would look in the light of the next.

    What was clipped may have been brighter than it looked: being brighter is no change there.
    """
    if gain is None:
        return before
    shown = cv2.transform(before, np.diagflat(gain))
    clipped = cv2.compare(before, BRIGHT, cv2.CMP_GE)
    picture: Bytes = cv2.max(shown, cv2.bitwise_and(bgr, clipped))
    return picture
