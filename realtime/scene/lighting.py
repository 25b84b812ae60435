"""Step 6 of 9: the person's light is compared with the backdrop's and brought towards it.

Both are measured a few times a second on small pictures. What a person reflects is light times
skin and clothes, so the room around the person in the camera's own picture has a say about the
light there, and small differences are believed little. The correction follows slowly, keeps
still while the measurement merely trembles, and leaves skin what it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from realtime import pixels
from realtime.contract import Size
from realtime.frame import Bytes, Frame
from realtime.scene.grade import Change, Grade
from realtime.scene.light import GAMMA, Light, measure
from realtime.scene.skin import darkest, keep_skin, skin_of

ROWS = 45
"""Height in pixels of the pictures that are measured."""

EVERY_S = 0.25
"""Time between two measurements."""

TYPICAL = Light(level=-2.0, warmth=0.3, contrast=0.21)
"""A well-lit room as cameras show it: the mean of 157 photographs of rooms."""

PERSON = Change(level=-0.6, warmth=0.35)
"""What a person is darker and warmer than the room around in the same light, in the mean."""

VOICE = Change(level=0.5, warmth=0.3)
"""The person's say about the light there; the rest is the room's."""

DOUBT = Change(level=0.7, warmth=0.55, contrast=2.5)
"""What measurements in one and the same light differ by, from surfaces to surfaces: a difference
of this is half believed, less hardly at all, more nearly whole."""

SHARP = 8
"""Power by which belief sets in around the doubt."""

MOST = Change(level=2.0, warmth=1.5, contrast=0.2)
"""Largest correction in either direction."""

CALM = 0.7
"""Share of the OLD measurements in what is wanted."""

TREMBLE = Change(level=0.15, warmth=0.1, contrast=0.1)
"""Dead band: the correction keeps its aim while measurements differ less from it."""

UNSEEN = Change(level=0.03, warmth=0.02, contrast=0.02)
"""A correction that nobody sees, and that is left out."""

AIMED = 0.7
"""Share of what skin bears that is aimed at: trembling light then stays within the rest."""

PACE = Change(level=0.4, warmth=0.3, contrast=0.2)
"""Fastest change of the correction a second."""

DIM = -3.5
"""Level below which a person is too dark before any backdrop, and is lifted."""

FLAT = 0.02
"""Contrast that is added to both sides of a comparison: of nothing there is no multiple."""

GRAIN = 5.0
"""Standard deviation in levels that noise may have after lifting."""

NOTABLE = Change(level=0.8, warmth=0.5, contrast=0.7)
"""Differences that are worth a word."""

WORDS = {
    "level": ("person bright", "person dark"),
    "warmth": ("person warm", "person cool"),
    "contrast": ("harsh", "flat"),
}
"""What is wrong with the person's light when the backdrop has less of it, and when it has more."""

Numbers = dict[str, float | str]


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
        self._pivot = 0.5
        self._grade: Grade | None = None
        self._measured_at = self._moved_at = -math.inf

    def match(self, frame: Frame, backdrop: Frame, alpha: Bytes) -> Frame:
        """Return the frame with the person's light nearer to the backdrop's."""
        since_s = frame.captured_at - self._measured_at
        if not 0 <= since_s < EVERY_S:
            self._measured_at = frame.captured_at
            self._look(frame, backdrop, alpha)
        self._move(frame.captured_at)
        return self._grade.laid_on(frame, alpha) if self._grade else frame

    def _look(self, frame: Frame, backdrop: Frame, alpha: Bytes) -> None:
        scene = look(frame, backdrop if self._lit else None, alpha)
        if scene is None:
            return
        there = scene.there or TYPICAL
        found = difference(scene.here, there)
        self._tell(_numbers(scene.here, there, found))
        self._wanted = self._calmed(self._wish(scene, found))
        self._turn_to(keep_skin(self._wanted, scene.skin, scene.pivot, AIMED), scene)

    def _wish(self, scene: Scene, found: Change) -> Change:
        """Return what would be right for this one look."""
        wish = believed(found) if self._lit else Change()
        level = max(wish.level, DIM - scene.here.level)
        wish = wish._replace(level=min(level, scene.liftable))
        wish = bounded(wish.times(self._strength), MOST)
        return wish._replace(level=max(wish.level, darkest(scene.skin)))

    def _calmed(self, wish: Change) -> Change:
        """Return the mean of what was wished for lately."""
        if self._wanted is None:
            return wish
        return wish.times(1 - CALM).plus(self._wanted.times(CALM))

    def _turn_to(self, wanted: Change, scene: Scene) -> None:
        """Aim at what is wanted; the first time it is there at once."""
        if self._aim is None:
            self._now = wanted
        if self._aim is None or _beyond(wanted.plus(self._aim.times(-1)), TREMBLE):
            self._aim, self._pivot = wanted, scene.pivot
        kept = keep_skin(self._now, scene.skin, self._pivot)
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
        self._grade = Grade(now, self._pivot) if _beyond(now, UNSEEN) else None


@dataclass(frozen=True, slots=True)
class Scene:
    """What one look at a frame and its backdrop tells.

    `here` is the light of the camera's scene, `there` the backdrop's; `skin` uint8 (n, 1, 3) in
    Y, U, V; `pivot` the person's mean luma, 0..1; `liftable` the stops that noise allows.
    """

    here: Light
    there: Light | None
    skin: Bytes
    pivot: float
    liftable: float


def look(frame: Frame, backdrop: Frame | None, alpha: Bytes) -> Scene | None:
    """Measure a frame and a backdrop that is lit; None when too little of a person is there."""
    size: Size = max(2, round(frame.width * ROWS / frame.height)), ROWS
    yuv, cover = pixels.small_yuv(frame, size), pixels.shrink(alpha, size)
    bgr = cv2.transform(yuv, pixels.BGR_FROM_YUV)
    mask = cv2.inRange(cover, 250, 255)
    person = measure(bgr, mask)
    if person is None:
        return None
    return Scene(
        here=_here(person, measure(bgr, cv2.inRange(cover, 0, 5))),
        there=_there(backdrop, size),
        skin=skin_of(yuv, mask),
        pivot=(cv2.mean(yuv, mask=mask)[0] - pixels.BLACK_Y) / 219,
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
    return max(0.0, 2.2 * math.log2(GRAIN / max(deviation, 0.1)))


def difference(here: Light, there: Light) -> Change:
    """Return what the light here lacks of the light there; contrast when the level is made up."""
    level = there.level - here.level
    spread = here.contrast * 2 ** (level / GAMMA)
    contrast = math.log2((there.contrast + FLAT) / (spread + FLAT))
    return Change(level, there.warmth - here.warmth, contrast)


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


def verdict(found: Change) -> str:
    """Say in words what is most wrong with the person's light, or "ok"."""
    worst = max(Change._fields, key=lambda key: abs(getattr(found, key) / getattr(NOTABLE, key)))
    value = getattr(found, worst)
    return WORDS[worst][value > 0] if abs(value) >= getattr(NOTABLE, worst) else "ok"


def _numbers(here: Light, there: Light, found: Change) -> Numbers:
    rounded = {key: round(value, 2) for key, value in found._asdict().items()}
    sides = {"key": round(here.side, 2), "backdrop key": round(there.side, 2)}
    return {"verdict": verdict(found), **rounded, **sides}
