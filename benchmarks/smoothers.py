"""Smoothers that were tried for step 3 and are not kept: they stand here to be compared with.

Each takes a matte, float32 (height, width), and a look at its picture, as those of
`realtime.matting.temporal` do; a weight is the share of the OLD matte.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from realtime.frame import Alpha
from realtime.matting.change import Look
from realtime.matting.temporal import carried, places

STRENGTH = 0.8
FRAME_S = 1 / 30
BETA, SPEED_CUTOFF_HZ = 3.0, 1.0
"""One-euro's constants: hertz of cut-off per unit of alpha a second, and of the speed itself."""


class DisagreementAverage:
    """An average that lets go where the mattes disagree; it never looks at the picture."""

    def reset(self) -> None:
        """Forget the stream."""
        self._held: Alpha | None = None

    def smooth(self, alpha: Alpha, look: Look) -> Alpha:
        """Return the steadied alpha."""
        held, self._held = self._held, alpha
        if look.before is None or held is None:
            return alpha
        follow = np.minimum(1 - STRENGTH + 2 * np.abs(alpha - held), 1)
        self._held = held + follow * (alpha - held)
        return self._held


class OneEuro:
    """The one-euro filter of Casiez, Roussel and Vogel (CHI 2012), one for each pixel."""

    def reset(self) -> None:
        """Forget the stream."""
        self._held: Alpha | None = None
        self._speed: Alpha | None = None

    def smooth(self, alpha: Alpha, look: Look) -> Alpha:
        """Return the steadied alpha."""
        held, speed = self._held, self._speed
        if look.before is None or held is None or speed is None:
            self._held, self._speed = alpha, np.zeros_like(alpha)
            return alpha
        rate = 2 * math.pi * SPEED_CUTOFF_HZ * FRAME_S
        self._speed = (speed + rate * (alpha - held) / FRAME_S) / (1 + rate)
        still = (1 - STRENGTH) / STRENGTH
        rate = still + 2 * math.pi * FRAME_S * BETA * np.abs(self._speed)
        self._held = held + (alpha - held) * (rate / (1 + rate))
        return self._held


class FlowAverage:
    """A plain average along the optical flow (DIS), without a gate."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)

    def reset(self) -> None:
        """Forget the stream."""
        self._held: Alpha | None = None

    def smooth(self, alpha: Alpha, look: Look) -> Alpha:
        """Return the steadied alpha."""
        held, self._held = self._held, alpha
        if look.before is None or held is None:
            return alpha
        now, then = (cv2.cvtColor(p, cv2.COLOR_BGR2GRAY) for p in (look.picture, look.before))
        came_from = places(*alpha.shape) + self._flow.calc(now, then, None)
        self._held = cv2.addWeighted(carried(held, came_from), STRENGTH, alpha, 1 - STRENGTH, 0)
        return self._held
