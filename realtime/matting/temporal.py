"""Step 3 of 9: steadiness. A raw matte flickers where nothing moves; a plain average of mattes
leaves a ghost behind whatever does. Both smoothers here hold what is still and let go of what
moves, at model size. A smoothing weight is always the share of the OLD matte.

`python -m benchmarks.picture` compares them with others that were tried and are not kept.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from realtime.frame import Alpha, Bytes
from realtime.matting.change import NOISE, WINDOW, Look, changes
from realtime.matting.gain import relit

Places = npt.NDArray[np.float32]
"""Points (x, y) in pixels, shape (height, width, 2)."""

Motion = tuple[tuple[slice, slice], Places]
"""Rows and columns of a picture, and where each of their pixels was in the picture before; the
others were where they are."""

MOVING = 12
"""Mean change of the guide, in levels of 255, from which all is motion; up to `NOISE` all is
noise, and between them the gate opens in proportion."""

DISAGREEMENT = 2.0
"""How much more a change of the guide counts where the network changed its mind as well."""

REACH = 24
"""Pixels around what has changed over which flow is looked for too: half the least side of what
DIS is given, which takes other scales for less."""

UNTOLD = 0.01
"""Share of a picture that may change otherwise than by motion while a matte is only carried."""

UNDECIDED, LEAST_SAY = 0.4, 0.5
"""A matte nearer than the first to 0.5 is undecided; at 0.5 it has this share of its say."""

PRESENT, LEAP = 0.02, 4.0
"""Mean alpha above which somebody is there; a rise or fall over it by this factor in one frame
is a person who enters or leaves."""


class GatedSmoother:
    """Motion-gated average with hysteresis: still pixels are held, moving ones follow at once.

    Motion is the change of the guide against a short memory of itself, in which noise averages
    out and slow motion adds up; it counts for more where the mattes disagree too. On still pixels
    an undecided matte has less say than a decided one: 0.5 is crossed only for good. `strength`
    is the share of the old matte on still pixels.
    """

    def __init__(self, strength: float) -> None:
        self._strength = strength
        self._held: Alpha | None = None
        self._seen: Bytes | None = None

    def reset(self) -> None:
        """Forget the stream: the next matte is taken as it is."""
        self._held = self._seen = None

    def smooth(self, alpha: Alpha, look: Look) -> Alpha:
        """Return the steadied alpha of a picture looked at, which has alpha's size."""
        held, seen, guide = self._held, self._seen, look.picture
        if look.before is None or held is None or seen is None or leaps(held, alpha):
            self._held, self._seen = alpha, guide
            return alpha
        seen = relit(seen, guide, look.gain)
        disagreement = cv2.blur(cv2.absdiff(alpha, held), WINDOW)
        motion = changes(seen, guide) * (1 + DISAGREEMENT * disagreement)
        self._held = follow(held, alpha, opened(motion), self._strength)
        self._seen = cv2.addWeighted(guide, 0.5, seen, 0.5, 0.0)
        return self._held

    def carry(self, look: Look) -> Alpha | None:
        """Return None: it knows that something has moved, and not where to."""
        return None


class FlowSmoother:
    """The same average along the picture's motion: the old matte moves with what it shows.

    Optical flow (DIS, Kroeger et al., ECCV 2016), found in the rectangle around all that is not
    still, carries the old matte to the new picture. Where the old picture, carried along, is not
    the new one, flow is wrong or something has come into sight, and the new matte is taken at
    once. After pictures over which the old one was only carried, a new matte has as large a share
    as if there had been one for each.

    A new matte is the mean of the network's last two, the elder one carried along: so what a
    network that looks at the picture and at its mirror image in turn sees differently is no
    flicker, and what only one way takes for a person counts half (`matting.mirrored.InTurn`).
    """

    def __init__(self, strength: float) -> None:
        self._strength = strength
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._flow.setFinestScale(1)  # half of the matte's size; a quarter loses edges on the way
        self._flow.setPatchStride(5)
        self._flown: tuple[Look, Motion, Bytes] | None = None
        self._held: Alpha | None = None
        self._last: Alpha | None = None
        self._pictures = 1
        self._places = places(0, 0)

    def reset(self) -> None:
        """Forget the stream: the next matte is taken as it is."""
        self._held = self._last = None

    def smooth(self, alpha: Alpha, look: Look) -> Alpha:
        """Return the steadied alpha of a picture looked at, which has alpha's size."""
        held, last = self._held, self._last
        pictures, self._pictures = self._pictures, 1
        self._held = self._last = alpha
        if look.before is None or held is None or last is None or leaps(held, alpha):
            return alpha
        motion, unlike = self._flow_of(look, look.before)
        gate, strength = opened(unlike), self._strength**pictures
        mean = alpha + (1 - gate) / 2 * (moved(last, motion) - alpha)
        self._held = follow(moved(held, motion), mean, gate, strength)
        return self._held

    def carry(self, look: Look) -> Alpha | None:
        """Return the old matte moved with what it shows, None where more than that has changed."""
        if look.before is None or self._held is None or self._last is None:
            return None
        motion, unlike = self._flow_of(look, look.before)
        if np.count_nonzero(unlike > MOVING) > UNTOLD * unlike.size:
            return None
        self._held, self._last = moved(self._held, motion), moved(self._last, motion)
        self._pictures += 1
        return self._held

    def _flow_of(self, look: Look, before: Bytes) -> tuple[Motion, Bytes]:
        """Return how pixels moved, and how unlike each is what was there before around it."""
        if self._flown is None or self._flown[0] is not look:
            then, now = (cv2.cvtColor(p, cv2.COLOR_BGR2GRAY) for p in (before, look.picture))
            motion = self._motion(then, now, around(cv2.bitwise_not(look.still)))
            unlike = cv2.blur(cv2.absdiff(moved(then, motion), now), WINDOW)
            self._flown = look, motion, unlike
        return self._flown[1:]

    def _motion(self, then: Bytes, now: Bytes, where: tuple[slice, slice]) -> Motion:
        """Return how pixels moved in a part of two grey pictures, (height, width)."""
        if self._places.shape[:2] != now.shape:
            self._places = places(*now.shape)
        then, now = (np.ascontiguousarray(picture[where]) for picture in (then, now))
        return where, self._places[where] + self._flow.calc(now, then, None)


def around(mask: Bytes) -> tuple[slice, slice]:
    """Return the rows and columns of all that a mask, (height, width), has, and `REACH` more."""
    left, top, width, height = cv2.boundingRect(mask)
    spans = (top, height, mask.shape[0]), (left, width, mask.shape[1])
    rows, columns = (
        slice(max(min(first, whole - REACH) - REACH, 0), max(first + length, REACH) + REACH)
        for first, length, whole in spans
    )
    return rows, columns


def places(height: int, width: int) -> Places:
    """Return each pixel's own place."""
    return np.dstack(np.meshgrid(np.arange(width), np.arange(height))).astype(np.float32)


def carried(picture: Any, came_from: Places) -> Any:
    """Return a picture, of any type, with every pixel taken from where it came from."""
    return cv2.remap(picture, came_from, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def moved(picture: Any, motion: Motion) -> Any:
    """Return a picture, of any type, in which the part that has moved is carried along."""
    where, came_from = motion
    after = picture.copy()
    after[where] = carried(picture, came_from)
    return after


def opened(motion: Any) -> Alpha:
    """Return how far the gate is open, 0..1, for a change in levels of 255."""
    gate: Alpha = np.clip((motion - np.float32(NOISE)) / (MOVING - NOISE), 0, 1)
    return gate


def follow(held: Alpha, alpha: Alpha, gate: Alpha, strength: float) -> Alpha:
    """Return the old matte moved towards the new one: all the way where the gate is open."""
    decided = np.minimum(np.abs(alpha - 0.5) / UNDECIDED, 1)
    say = (1 - strength) * (LEAST_SAY + (1 - LEAST_SAY) * decided)
    share = say + gate * (1 - say)
    steady: Alpha = np.clip(held + share * (alpha - held), 0, 1)  # rounding may go beyond
    return steady


def leaps(held: Alpha, alpha: Alpha) -> bool:
    """Say whether a person has come or gone from one matte to the next."""
    less, more = sorted((cv2.mean(held)[0], cv2.mean(alpha)[0]))
    return more > PRESENT and less * LEAP < more
