"""Step 3 of 9: steadiness. A raw matte flickers where nothing moves; a plain average of mattes
leaves a ghost behind whatever does. Both smoothers here hold what is still and let go of what
moves. They work at model size, and a smoothing weight is always the share of the OLD matte.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from realtime.frame import Alpha, Bytes

MAX_GAP_S = 0.5
"""After a longer gap the old matte says nothing about the new picture."""

NOISE, MOVING = 4.0, 12.0
"""Mean change of the guide, in levels of 255: all noise up to the first, all motion from the
second. Between them the gate opens in proportion."""

WINDOW = (5, 5)
"""Pixels over which motion is averaged: single pixels of a camera are mostly noise."""

DISAGREEMENT = 2.0
"""How much more a change of the guide counts where the network changed its mind as well."""

UNDECIDED, LEAST_SAY = 0.4, 0.2
"""A matte nearer than the first to 0.5 is undecided; at 0.5 it has this share of its say."""

SCENE_CUT = 0.6
"""Share of moving pixels from which on a picture is another scene."""

FRAME_S = 1 / 30
"""Frame time at which `OneEuroSmoother` gives its strength to still pixels."""

BETA = 3.0
SPEED_CUTOFF_HZ = 1.0
"""One-euro's other two constants: hertz of cut-off per unit of alpha a second, and the cut-off
of the speed itself."""


class GatedSmoother:
    """Motion-gated average with hysteresis: still pixels are held, moving ones follow at once.

    Motion is the change of the guide against a short memory of itself, in which noise averages
    out and slow motion adds up; it counts for more where the mattes disagree too. On still
    pixels an undecided matte has less say than a decided one: the threshold at 0.5 is crossed
    only for good. `strength` is the share of the old matte on still pixels, 0 is off.
    """

    def __init__(self, strength: float) -> None:
        self._strength = strength
        self._clock = _Continuity()
        self._held: Alpha | None = None
        self._seen: Bytes | None = None

    def reset(self) -> None:
        """Forget the stream: the next matte is taken as it is."""
        self._held = self._seen = None

    def smooth(self, alpha: Alpha, guide: Bytes, captured_at: float) -> Alpha:
        """Return the steadied alpha of the guide, uint8 (height, width, 3), alpha's own size.

        `captured_at` is in seconds. Starts again by itself after a gap, a cut or a new size.
        """
        if self._strength == 0:
            return alpha
        continues = self._clock.continues(captured_at, alpha)
        held, seen = self._held, self._seen
        if not continues or held is None or seen is None:
            return self._keep(alpha, guide)
        difference = cv2.blur(cv2.cvtColor(cv2.absdiff(guide, seen), cv2.COLOR_BGR2GRAY), WINDOW)
        if cv2.countNonZero(cv2.compare(difference, MOVING, cv2.CMP_GT)) > SCENE_CUT * alpha.size:
            return self._keep(alpha, guide)
        share = self._share_of_new(alpha, held, difference)
        steady = held + share * (alpha - held)
        return self._keep(steady, cv2.addWeighted(guide, 0.5, seen, 0.5, 0.0))

    def _share_of_new(self, alpha: Alpha, held: Alpha, difference: Bytes) -> Alpha:
        disagreement = cv2.blur(cv2.absdiff(alpha, held), WINDOW)
        motion = difference * (1 + DISAGREEMENT * disagreement)
        gate = np.clip((motion - NOISE) / (MOVING - NOISE), 0, 1)
        decided = np.minimum(np.abs(alpha - 0.5) / UNDECIDED, 1)
        say = (1 - self._strength) * (LEAST_SAY + (1 - LEAST_SAY) * decided)
        share: Alpha = say + gate * (1 - say)
        return share

    def _keep(self, alpha: Alpha, guide: Bytes) -> Alpha:
        self._held, self._seen = alpha, guide
        return alpha


class OneEuroSmoother:
    """The one-euro filter of Casiez, Roussel and Vogel (CHI 2012), one for each pixel.

    A low-pass filter whose cut-off rises with the speed of the matte itself; it never looks at
    the picture. `strength` is the share of the old matte on still pixels at 30 frames a second,
    0 is off.
    """

    def __init__(self, strength: float) -> None:
        self._strength = strength
        self._clock = _Continuity()
        self._held: Alpha | None = None
        self._speed: Alpha | None = None

    def reset(self) -> None:
        """Forget the stream: the next matte is taken as it is."""
        self._held = self._speed = None

    def smooth(self, alpha: Alpha, guide: Bytes, captured_at: float) -> Alpha:
        """Return the steadied alpha; `captured_at` is in seconds, the guide is not looked at."""
        if self._strength == 0:
            return alpha
        continues, elapsed_s = self._clock.continues(captured_at, alpha), self._clock.elapsed_s
        held, speed = self._held, self._speed
        if not continues or held is None or speed is None:
            self._held, self._speed = alpha, np.zeros_like(alpha)
            return alpha
        change = alpha - held
        share = _share(SPEED_CUTOFF_HZ, elapsed_s)
        self._speed = speed = cv2.addWeighted(
            change, share / max(elapsed_s, 1e-3), speed, 1 - share, 0
        )
        rate = (2 * math.pi * elapsed_s) * (self._least_cutoff_hz() + BETA * np.abs(speed))
        steady: Alpha = held + change * (rate / (1 + rate))
        self._held = steady
        return steady

    def _least_cutoff_hz(self) -> float:
        """Cut-off at which a still pixel keeps `strength` of its old alpha for one frame."""
        return (1 - self._strength) / max(self._strength, 1e-6) / (2 * math.pi * FRAME_S)


class _Continuity:
    """Tells whether a matte continues the one before it."""

    def __init__(self) -> None:
        self._last_at = -math.inf
        self._shape: tuple[int, ...] = ()
        self.elapsed_s = 0.0

    def continues(self, captured_at: float, alpha: Alpha) -> bool:
        self.elapsed_s, before = captured_at - self._last_at, self._shape
        self._last_at, self._shape = captured_at, alpha.shape
        return before == alpha.shape and 0 <= self.elapsed_s <= MAX_GAP_S


def _share(cutoff_hz: float, elapsed_s: float) -> float:
    """Share of the new value in a first-order low-pass filter."""
    rate = 2 * math.pi * cutoff_hz * elapsed_s
    return rate / (1 + rate)
