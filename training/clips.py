"""Clips made on the fly: people from stills who move, in rooms that may shake, under moving light.

A clip is a list of views, frame by frame, and a function of a numpy Generator alone. Some are real
ones (talking people with a teacher's matte, and photos under a moving camera).
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator

from training import augment, lights, optics
from training.compose import Composer, View, foreground
from training.motion import (
    Layer,
    Size,
    bent,
    entering,
    held_to_border,
    moved,
    shaken,
    walk,
)
from training.pack import Pixels
from training.placement import Floats, fitted, placement, window

Clip = list[View]


class Director:
    """Draws clips from a composer's pack, filmed by the preset `camera`."""

    def __init__(self, composer: Composer, camera: str):
        self.composer, self.camera = composer, camera

    def draw(self, size: Size, frames: int, rng: Generator) -> Clip:
        """One clip of views of size (width, height); now and then with a cut in the middle."""
        if rng.random() < 0.06 and frames > 3:
            half = int(rng.integers(1, frames - 1))
            return self.scene(size, half, rng) + self.scene(size, frames - half, rng)
        return self.scene(size, frames, rng)

    def scene(self, size: Size, frames: int, rng: Generator) -> Clip:
        kinds: dict[Callable[[Size, int, Generator], Clip], float] = {
            self.talking: 0.17,
            self.photo: 0.10,
            self.empty: self.composer.mix.negative,
        }
        dice = rng.random()
        for kind, share in kinds.items():
            dice -= share
            if dice < 0:
                return filmed(kind(size, frames, rng), self.camera, rng)
        return filmed(self.staged(size, frames, rng), self.camera, rng)

    def talking(self, size: Size, frames: int, rng: Generator) -> Clip:
        """A part of a real clip; a staged one where the pack has none that long."""
        rows = self.composer.pack.sources.get("sequence", [])
        first = int(rng.integers(max(1, len(rows) - frames + 1)))
        part = rows[first : first + frames]
        if len(part) < frames or len({row.name.partition(":")[0] for row in part}) > 1:
            return self.staged(size, frames, rng)
        cut, mirrored = window(part[0], size, rng), rng.random() < 0.5
        pictures = [fitted(self.composer.pack.read(row)[cut], size, mirrored) for row in part]
        clip = [view(rgba[:, :, :3], rgba[:, :, 3]) for rgba in pictures]
        return lights.changed(clip, rng)

    def photo(self, size: Size, frames: int, rng: Generator) -> Clip:
        """A photo as it is, before a camera that shakes or drifts."""
        still = self.composer.real(size, rng)
        moves = shaken(size, frames, rng)
        return lights.changed([warped(still, matrix, size) for matrix in moves], rng)

    def empty(self, size: Size, frames: int, rng: Generator) -> Clip:
        """Nobody there."""
        src = self.composer.nobody(size, rng)
        still = view(src, np.zeros(src.shape[:2], np.uint8))
        moves = shaken(size, frames, rng)
        return lights.changed([warped(still, matrix, size) for matrix in moves], rng)

    def staged(self, size: Size, frames: int, rng: Generator) -> Clip:
        """One person, at times two, at times with something in hand, moving in another room."""
        room = self.composer.room(size, rng, self.composer.empty(0.15, rng))
        if rng.random() < 0.25:
            room = cv2.GaussianBlur(room, (0, 0), float(rng.uniform(0.6, 3.5)))
        if differ := rng.random() < 0.5:
            room = augment.relit("light", room, rng)
        layers = []
        for _ in range(2 if rng.random() < 0.15 else 1):
            layers.append(self.actor(size, frames, differ, rng))
        if rng.random() < 0.12:
            layers.append(self.prop(layers[-1], size, rng))
        moves = shaken(size, frames, rng)
        return lights.changed(over(room, moves, layers, size, rng), rng)

    def actor(self, size: Size, frames: int, differ: bool, rng: Generator) -> Layer:
        """A person from a still, under a light of their own."""
        row = self.composer.person(rng)
        pixels = self.composer.pack.read(row)
        scale, left, top, bottom = placement(row, size, rng)
        rgba = cutout(pixels[:bottom], row.soft, scale)
        if differ:
            rgba[:, :, :3] = augment.relit("light", rgba[:, :, :3], rng)
        if rng.random() < 0.15:
            rgba[:, :, :3] = optics.side_light(rgba[:, :, :3], rng)
        feet = np.array([left + scale * (row.box[0] + row.box[2]) / 2, top + scale * bottom])
        ways = held_to_border(walk(size, frames, rng), row, scale, left, top, bottom, size)
        if rng.random() < 0.08:
            ways[:, 0] += entering(size, frames, rng)
        matrices = [moved(way, np.array([left, top]), feet) for way in ways]
        bends = (bent(size, rng), bent(size, rng)) if rng.random() < 0.45 else None
        return Layer(rgba, matrices, bends, float(rng.uniform(0, 6)))

    def prop(self, holder: Layer, size: Size, rng: Generator) -> Layer:
        """A thing in the person's hand, which counts as the person: a part of a room's picture."""
        side = int(rng.uniform(0.1, 0.3) * size[1])
        wide = max(8, int(side * rng.uniform(0.6, 1.6)))
        patch = self.composer.room((wide, side), rng, self.composer.empty(0.5, rng))
        shape = np.zeros((side, wide), np.uint8)
        if rng.random() < 0.5:
            cv2.ellipse(shape, (wide // 2, side // 2), (wide // 2, side // 2), 0, 0, 360, 255, -1)
        else:
            shape[1:-1, 1:-1] = 255
        rgba = np.dstack([patch, cv2.GaussianBlur(shape, (3, 3), 0)])
        reach = (holder.rgba[:, :, 3] > 128).nonzero()
        pick = int(rng.integers(max(1, len(reach[0]))))
        at = np.array([reach[1][pick], reach[0][pick]]) if len(reach[0]) else np.zeros(2)
        shift = at - (wide / 2, side / 2)
        matrices = [
            np.column_stack([m[:, :2], m[:, :2] @ shift + m[:, 2]]) for m in holder.matrices
        ]
        return Layer(np.ascontiguousarray(rgba), matrices)


def view(src: Pixels, pha: Pixels) -> View:
    """A view whose labels are all known."""
    whole = np.ones(pha.shape, np.uint8)
    return View(np.ascontiguousarray(src), np.ascontiguousarray(pha), whole)


def warped(still: View, matrix: Floats, size: Size) -> View:
    """A still before a moved camera; what comes in from outside mirrors the inside."""
    edge = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REFLECT_101}
    src, pha = (cv2.warpAffine(a, matrix, size, **edge) for a in (still.src, still.pha))
    weight = cv2.warpAffine(still.weight, matrix, size, flags=cv2.INTER_NEAREST)
    return View(np.asarray(src), np.asarray(pha), np.asarray(weight))


def over(
    room: Pixels, moves: list[Floats], layers: list[Layer], size: Size, rng: Generator
) -> Clip:
    """The layers over the room, frame by frame; some against a bright window."""
    seed = int(rng.integers(2**31)) if rng.random() < 0.1 else 0
    clip = []
    for frame, move in enumerate(moves):
        behind = cv2.warpAffine(room, move, size, borderMode=cv2.BORDER_REFLECT_101)
        src, pha = behind.astype(np.float32), np.zeros(room.shape[:2], np.float32)
        for layer in layers:
            fgr, alpha = layer.at(frame, size)
            src += alpha[:, :, None] * (fgr - src)
            pha += alpha * (1 - pha)
        if seed:
            src = optics.back_light(src, pha, np.random.default_rng(seed))
        eight = np.clip(src + 0.5, 0, 255).astype(np.uint8)
        clip.append(view(eight, (pha * 255 + 0.5).astype(np.uint8)))
    return clip


def filmed(clip: Clip, camera: str, rng: Generator) -> Clip:
    """Through one camera: the same setting for all frames, new grain in each, at times a codec."""
    setting, grain = int(rng.integers(2**31)), optics.Grain(rng)
    shot = [augment.relit(camera, v.src, np.random.default_rng(setting), grain=False) for v in clip]
    shot = [grain.on(src, rng) for src in shot]
    if rng.random() < 0.15:
        shot = lights.coded(shot, int(rng.integers(26, 40)))
    return [View(src, v.pha, v.weight) for src, v in zip(shot, clip, strict=True)]


def cutout(pixels: Pixels, soft: bool, scale: float) -> Pixels:
    """A person's own colours and alpha, scaled: RGBA."""
    height, width = pixels.shape[:2]
    size = max(2, round(width * scale)), max(2, round(height * scale))
    pha = pixels[:, :, 3] if soft else cv2.erode(pixels[:, :, 3], np.ones((3, 3)))
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    src, pha = (cv2.resize(a, size, interpolation=mode) for a in (pixels[:, :, :3], pha))
    return np.dstack([foreground(src, pha / np.float32(255)), pha])
