"""Step 6 of 9: the person's light is compared with the backdrop's and brought towards it.

Both are measured twice a second on small pictures. What a person reflects is light times
skin and clothes, so the room around the person in the camera's own picture has a say about the
light there, and small differences are believed little. The correction follows slowly, keeps
still while the measurement merely trembles, and leaves skin what it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from realtime.frame import Bytes, Frame
from realtime.scene.grade import Change, Grade
from realtime.scene.light import Light
from realtime.scene.skin import darkest, keep_skin
from realtime.scene.survey import Survey, survey
from realtime.scene.verdict import Numbers, compare

EVERY_S = 0.5
"""Time between two measurements."""

TYPICAL = Light(level=-2.0, warmth=0.3, contrast=0.21)
"""A well-lit room as cameras show it: the mean of 157 photographs of rooms."""

DOUBT = Change(level=0.7, warmth=0.55)
"""What measurements in one and the same light differ by, from surfaces to surfaces: a difference
of this is half believed, less hardly at all, more nearly whole."""

SHARP = 8
"""Power by which belief sets in around the doubt."""

MOST = Change(level=2.0, warmth=1.5)
"""Largest correction in either direction."""

CALM = 0.5
"""Share of the OLD measurements in what is wanted."""

TREMBLE = Change(level=0.15, warmth=0.1)
"""Dead band: the correction keeps its aim while measurements differ less from it."""

UNSEEN = Change(level=0.03, warmth=0.02)
"""A correction that nobody sees, and that is left out."""

AIMED = 0.7
"""Share of what skin bears that is aimed at: trembling light then stays within the rest."""

PACE = Change(level=0.4, warmth=0.3)
"""Fastest change of the correction a second."""

DIM = -3.5
"""Level below which a person is too dark before any backdrop, and is lifted."""


AGAIN_S = 5.0
"""Seconds without a picture after which the correction begins anew: nobody sees the step."""


class SceneLight:
    """Matches one stream's person to the backdrop by `strength`, 0..1; 0 measures only.

    `lit` says whether the backdrop has a light of its own, as a picture has and a colour has not.
    `tell` is given the verdict with its numbers at each measurement.
    """

    def __init__(self, strength: float, lit: bool, tell: Callable[[Numbers], None]) -> None:
        self._strength = strength
        self._lit = lit
        self._tell = tell
        self.reset()

    def reset(self) -> None:
        """Forget what came before: the next frame is corrected at once."""
        self._wanted: Change | None = None
        self._aim: Change | None = None
        self._now = Change()
        self._grade: Grade | None = None
        self._measured_at = self._moved_at = -math.inf

    def match(self, frame: Frame, backdrop: Frame, alpha: Bytes) -> Frame:
        """Return the frame with the person's light nearer to the backdrop's."""
        if not 0 <= frame.captured_at - self._moved_at <= AGAIN_S:
            self.reset()
        since_s = frame.captured_at - self._measured_at
        if not 0 <= since_s < EVERY_S:
            self._measured_at = frame.captured_at
            self._look(frame, backdrop, alpha)
        self._move(frame.captured_at)
        return self._grade.laid_on(frame, alpha) if self._grade else frame

    def _look(self, frame: Frame, backdrop: Frame, alpha: Bytes) -> None:
        found = survey(frame, backdrop if self._lit else None, alpha)
        if found is None:
            return
        self._tell(compare(found.here, found.there or TYPICAL))
        self._wanted = self._calmed(self._wish(found))
        self._turn_to(keep_skin(self._wanted, found.skin, AIMED), found.skin)

    def _wish(self, found: Survey) -> Change:
        """Return what would be right for this one look."""
        here, there = found.here, found.there
        wish = Change()
        if there:
            wish = believed(Change(there.level - here.level, there.warmth - here.warmth))
        level = max(wish.level, DIM - here.level)
        wish = wish._replace(level=min(level, found.liftable))
        wish = bounded(wish.times(self._strength), MOST)
        return wish._replace(level=max(wish.level, darkest(found.skin)))

    def _calmed(self, wish: Change) -> Change:
        """Return the mean of what was wished for lately."""
        if self._wanted is None:
            return wish
        return wish.times(1 - CALM).plus(self._wanted.times(CALM))

    def _turn_to(self, wanted: Change, skin: Bytes) -> None:
        """Aim at what is wanted; the first time it is there at once."""
        if self._aim is None:
            self._now = wanted
        if self._aim is None or _beyond(wanted.plus(self._aim.times(-1)), TREMBLE):
            self._aim = wanted
        kept = keep_skin(self._now, skin)
        if kept != self._now:  # the light has changed: what was right would harm, so it ends here
            self._aim = kept
        self._set(kept)

    def _move(self, at_s: float) -> None:
        """Go on towards the aim, slowly."""
        elapsed_s, self._moved_at = min(max(at_s - self._moved_at, 0.0), 1.0), at_s
        if self._aim and self._now != self._aim:
            way = self._aim.plus(self._now.times(-1))
            self._set(self._now.plus(bounded(way, PACE.times(elapsed_s))))

    def _set(self, now: Change) -> None:
        self._now = now
        self._grade = Grade(now) if _beyond(now, UNSEEN) else None


def believed(found: Change) -> Change:
    """Return what to make of a difference: nothing of small ones, without a step."""
    powers = ((f, f**SHARP, d**SHARP) for f, d in zip(found, DOUBT, strict=True))
    return Change(*(f * power / (power + doubt) for f, power, doubt in powers))


def bounded(change: Change, most: Change) -> Change:
    """Return the change within limits in either direction."""
    return Change(*(min(max(c, -m), m) for c, m in zip(change, most, strict=True)))


def _beyond(change: Change, band: Change) -> bool:
    """Say whether any part of a change leaves a band around nothing."""
    return any(abs(c) > b for c, b in zip(change, band, strict=True))
