"""How people and cameras move in clips made on the fly: ways, bends and the blur of motion."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from training.pack import Pixels, Row
from training.placement import Floats

Size = tuple[int, int]

# Pixels a frame, at a width of 256, and how often: still, swaying, moving, hurrying
SPEEDS = (((0.0, 0.15), 0.3), ((0.2, 1.2), 0.35), ((1.2, 5.0), 0.23), ((5.0, 16.0), 0.12))
SHUTTER = 0.5  # of a frame's time: how much of its way a thing smears


@dataclass
class Layer:
    """Something over the room: RGBA, H x W x 4 at the view's scale, moved by a matrix a frame."""

    rgba: Pixels
    matrices: list[Floats]  # 2 x 3, one a frame
    bends: tuple[Floats, Floats] | None = None  # two displacements, H x W x 2 pixels of the view
    phase: float = 0.0

    def at(self, frame: int, size: Size) -> tuple[Pixels, Floats]:
        """Colours H x W x 3 and alpha H x W in 0..1 of one frame."""
        out = cv2.warpAffine(self.rgba, self.matrices[frame], size, flags=cv2.INTER_LINEAR)
        if self.bends:
            a, b = np.sin(self.phase + 0.7 * frame), np.cos(self.phase + 0.5 * frame)
            flow = grid(size) + np.float32(a) * self.bends[0] + np.float32(b) * self.bends[1]
            out = cv2.remap(out, flow, None, cv2.INTER_LINEAR)
        if frame:
            way = (self.matrices[frame] - self.matrices[frame - 1])[:, 2] * SHUTTER
            out = smeared(out, way)
        return out[:, :, :3], out[:, :, 3] / np.float32(255)


def walk(size: Size, frames: int, rng: Generator) -> Floats:
    """A person's way from frame to frame: shift in x and y, turn in degrees, scale - 1."""
    chances = [chance for _, chance in SPEEDS]
    low, high = SPEEDS[rng.choice(len(SPEEDS), p=chances)][0]
    speed = rng.uniform(low, high) * size[0] / 256
    drift = rng.normal(0, 1, 4)
    steps = np.empty((frames, 4))
    for frame in range(frames):  # a way that bends, not a jitter
        drift = 0.75 * drift + 0.66 * rng.normal(0, 1, 4)
        steps[frame] = drift
    steps *= speed * np.array([1.0, 0.4, 0.25, 0.003])
    way = np.cumsum(steps, 0)
    return way - way[frames // 2]


def held_to_border(
    ways: Floats, row: Row, scale: float, left: float, top: float, bottom: int, size: Size
) -> Floats:
    """Where the photo cuts the person off and the view's border hides it, it stays hidden."""
    x0, _, x1, y1 = row.box
    ways = ways.copy()
    if y1 >= bottom - 2 and top + scale * bottom >= size[1] - 1:
        ways[:, 1] = np.maximum(ways[:, 1], size[1] - (top + scale * bottom))
    if x0 <= 1 and left <= 0:
        ways[:, 0] = np.minimum(ways[:, 0], -left)
    if x1 >= row.width - 1 and left + scale * row.width >= size[0]:
        ways[:, 0] = np.maximum(ways[:, 0], size[0] - (left + scale * row.width))
    return ways


def entering(size: Size, frames: int, rng: Generator) -> Floats:
    """Shift in x of somebody who comes in, or leaves."""
    side = 1 if rng.random() < 0.5 else -1
    way = side * np.linspace(rng.uniform(0.7, 1.2), rng.uniform(-0.1, 0.3), frames) * size[0]
    return way[::-1] if rng.random() < 0.5 else way


def moved(way: Floats, corner: Floats, feet: Floats) -> Floats:
    """The matrix 2 x 3 of a layer whose corner lies there, turned and scaled about the feet."""
    x, y, degrees, bigger = way
    matrix = cv2.getRotationMatrix2D((float(feet[0]), float(feet[1])), degrees, 1 + bigger)
    matrix[:, 2] += matrix[:, :2] @ corner + (x, y)
    return matrix


def shaken(size: Size, frames: int, rng: Generator) -> list[Floats]:
    """The camera's moves: mostly none, else trembling or a slow drift."""
    dice = rng.random()
    if dice < 0.6:
        ways = np.zeros((frames, 4))
    elif dice < 0.8:
        ways = rng.normal(0, rng.uniform(0.1, 1.5), (frames, 4)) * (1, 1, 0.2, 0.001)
    else:
        ways = walk(size, frames, rng) * (1, 0.5, 0.3, 1)
    middle = np.array(size) / 2
    return [moved(way, np.zeros(2), middle) for way in ways]


def bent(size: Size, rng: Generator) -> Floats:
    """A smooth displacement of a few pixels, H x W x 2: what clothes, hair and limbs do."""
    reach = rng.uniform(0.3, 2.5) * size[0] / 256
    coarse = rng.normal(0, reach, (4, 5, 2)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC))


def grid(size: Size) -> Floats:
    """Each pixel's own place, H x W x 2."""
    x, y = np.meshgrid(np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32))
    return np.dstack([x, y])


def smeared(rgba: Pixels, way: Floats) -> Pixels:
    """Motion blur along a way of so many pixels."""
    length = round(float(np.hypot(*way)))
    if length < 2:
        return rgba
    side = length | 1
    kernel = np.zeros((side, side), np.float32)
    half = way / 2 * (side - 1) / length
    ends = [tuple(round(c) for c in side // 2 + sign * half) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return np.asarray(cv2.filter2D(rgba, -1, kernel / kernel.sum()))
