"""The path of a frame, steps 2 to 8 of 9, written out once. Floor 3.

Plain and synchronous: `for frame in source: sink.write(pipeline.step(frame))` needs no thread,
drops nothing and always gives the same result.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import cv2

from realtime import pixels
from realtime.contract import Size
from realtime.errors import FrameError
from realtime.frame import Alpha, Bytes, Frame, Matte
from realtime.matting.change import Look, Watch
from realtime.matting.inside import filled
from realtime.matting.patches import people
from realtime.stats import Stats

HOLD_S = 0.25
"""Seconds for which what is known stands in for a frame that could not be matted."""

PRESENT, ABSENT = 0.02, 0.001
"""Mean alpha above which somebody is there, and below which nobody is."""


class Session(Protocol):
    """One stream's inference and memory (`matting.engine`)."""

    def size_for(self, width: int, height: int) -> Size: ...
    def infer(self, bgr: Bytes) -> Alpha: ...
    def reset(self) -> None: ...


class Smoother(Protocol):
    """Steadies a matte over time, at model size (`matting.temporal`)."""

    def smooth(self, alpha: Alpha, look: Look) -> Alpha: ...
    def carry(self, look: Look) -> Alpha | None: ...
    def reset(self) -> None: ...


class Refiner(Protocol):
    """Brings a matte to frame size (`matting.refine`)."""

    def refine(self, alpha: Alpha, guide: Bytes, frame: Frame) -> Bytes: ...


class Backdrop(Protocol):
    """What stands where the room was (`scene.backdrop`)."""

    def picture(self, frame: Frame, alpha: Bytes) -> Frame: ...
    def alone(self, size: Size) -> Frame: ...


class Light(Protocol):
    """Brings the person's light towards the backdrop's (`scene.lighting`)."""

    def match(self, frame: Frame, backdrop: Frame, alpha: Bytes) -> Frame: ...
    def reset(self) -> None: ...


class Edge(Protocol):
    """Gives the person's own colours where the matte is soft (`scene.edges`)."""

    def clean(self, frame: Frame, backdrop: Frame, alpha: Bytes) -> Frame: ...


class Framing(Protocol):
    """Cuts frame and matte so that they follow the person (`scene.framing`)."""

    def follow(self, frame: Frame, alpha: Bytes) -> tuple[Frame, Bytes]: ...
    def reset(self) -> None: ...


class Overlay(Protocol):
    """What stands before everything (`scene.overlay`)."""

    def lay(self, picture: Frame) -> Frame: ...


class Pipeline:
    """Turns the room's picture into the composed one. One per stream, one thread at a time.

    With `live`, a matte that is suddenly empty where a person was counts as a failed one for
    `HOLD_S` and not longer: people do leave. Offline every matte is believed.

    `patches` is the least size of a patch of the matte, as a share of the largest, `certain` the
    least share of it that must be certainly person (`matting.patches`). The network looks at one
    frame of `every` where the matte can follow what moves, and at every frame otherwise.
    """

    def __init__(
        self,
        session: Session,
        smoother: Smoother | None,
        refiner: Refiner,
        backdrop: Backdrop,
        light: Light,
        edges: Edge,
        over: Callable[[Frame, Frame, Bytes], Frame],
        stats: Stats,
        *,
        live: bool = True,
        watch: Watch | None = None,
        patches: float = 0.0,
        certain: float = 0.0,
        every: int = 1,
        framing: Framing | None = None,
        overlay: Overlay | None = None,
    ) -> None:
        self._session = session
        self._smoother = smoother
        self._refiner = refiner
        self._backdrop = backdrop
        self._light = light
        self._edges = edges
        self._over = over
        self._stats = stats
        self._live = live
        self._watch = watch or Watch()
        self._patches = patches
        self._certain = certain
        self._every = every
        self._framing = framing
        self._overlay = overlay
        self._since = 0
        self._steadied: Alpha | None = None
        self._present_at = -math.inf

    def step(self, frame: Frame) -> Frame:
        """Return the composed picture of a frame. Raises `FrameError`, never shows the room."""
        return self.finish(frame, self.matte(frame))

    def matte(self, frame: Frame) -> Matte:
        """Steps 2 to 4: return the frame's matte at the frame's size."""
        timed = self._stats.timed
        with timed("matte"):
            thumbnail = pixels.thumbnail(frame, self._session.size_for(*frame.size))
            look = self._watch.look(thumbnail, frame.captured_at)
            if look.before is None:
                self._forget()
            if look.cut:
                self._begin_scene()
            before, self._steadied = self._steadied, None
            known = self._known(look, before)
            self._since = 0 if known is None else self._since + 1
            alpha = self._session.infer(thumbnail) if known is None else known
            self._expect_person(alpha, frame.captured_at)
        with timed("steady"):
            if known is None:
                alpha = self._steady(alpha, look, before)
            self._steadied = alpha
            self._measure(alpha, look, before)
        with timed("refine"):
            return Matte(self._refiner.refine(alpha, thumbnail, frame), frame.number)

    def _known(self, look: Look, before: Alpha | None) -> Alpha | None:
        """Return this frame's matte where the one before tells it, and the network need not."""
        if before is None or self._since + 1 >= self._every:
            return None
        if look.nothing_moved:
            return before
        return self._smoother.carry(look) if self._smoother else None

    def _steady(self, alpha: Alpha, look: Look, before: Alpha | None) -> Alpha:
        """Step 3. `before` is None when the frame before had no matte: older ones know nothing of
        its motion.
        """
        alpha = filled(people(alpha, self._patches, self._certain, before), look.picture)
        if not self._smoother:
            return alpha
        if before is None:
            self._smoother.reset()
        return self._smoother.smooth(alpha, look)

    def _measure(self, alpha: Alpha, look: Look, before: Alpha | None) -> None:
        """Tell how much flicker is left."""
        if before is not None and (still := cv2.countNonZero(look.still)):
            change = cv2.norm(before, alpha, cv2.NORM_L1, look.still)
            self._stats.measure("flicker", 1000 * change / still)

    def _expect_person(self, alpha: Alpha, captured_at: float) -> None:
        coverage = cv2.mean(alpha)[0]
        if coverage > PRESENT:
            self._present_at = captured_at
        elif self._live and coverage < ABSENT and 0 <= captured_at - self._present_at < HOLD_S:
            raise FrameError("the matte is empty where a person was")

    def finish(self, frame: Frame, matte: Matte) -> Frame:
        """Steps 5 to 8: put the person of a frame before the backdrop."""
        person, backdrop, alpha = self._dress(frame, matte)
        with self._stats.timed("composite"):
            return self._laid(self._over(person, backdrop, alpha))

    def cut_out(self, frame: Frame, matte: Matte) -> tuple[Frame, Bytes]:
        """Return the person's own colours and alpha, before nothing; the rest is black."""
        person, _, alpha = self._dress(frame, matte)
        seen = cv2.compare(alpha, 0, cv2.CMP_GT)
        return self._over(person, pixels.colour(person.size, (0, 0, 0)), seen), alpha

    def _dress(self, frame: Frame, matte: Matte) -> tuple[Frame, Frame, Bytes]:
        """Steps 5 to 7: return the person in the new light, what is behind, and alpha."""
        if matte.number != frame.number:
            raise FrameError(f"matte {matte.number} does not belong to frame {frame.number}")
        timed, alpha = self._stats.timed, matte.alpha
        if self._framing:
            with timed("framing"):
                frame, alpha = self._framing.follow(frame, alpha)
        with timed("backdrop"):
            backdrop = self._backdrop.picture(frame, alpha)
        with timed("light"):
            frame = self._light.match(frame, backdrop, alpha)
        with timed("edges"):
            return self._edges.clean(frame, backdrop, alpha), backdrop, alpha

    def alone(self, size: Size) -> Frame:
        """Return the backdrop without anybody and without any pixel of the room."""
        return self._laid(self._backdrop.alone(size))

    def _laid(self, picture: Frame) -> Frame:
        return self._overlay.lay(picture) if self._overlay else picture

    def follow(self, before: Pipeline, *, matte: bool, light: bool) -> None:
        """Go on with what the pipeline in whose place this one comes remembers: with the framing,
        and with the matte and the person's light where nothing of theirs has changed.
        """
        if self._framing and before._framing:
            self._framing = before._framing
        if light:
            self._light = before._light
        if matte:
            self._session, self._smoother = before._session, before._smoother
            self._watch, self._present_at = before._watch, before._present_at
            self._since, self._steadied = before._since, before._steadied

    def reset(self) -> None:
        """Forget what came before: the next frame is the first."""
        self._present_at = -math.inf
        self._watch.reset()
        self._forget()
        self._begin_scene()

    def _forget(self) -> None:
        """Begin a matte."""
        self._steadied = None
        self._session.reset()
        if self._smoother:
            self._smoother.reset()

    def _begin_scene(self) -> None:
        self._light.reset()
        if self._framing:
            self._framing.reset()
