"""What light and lens do that augmentation's library does not draw: lamps beside and behind a
person, a sensor's grain. Pictures are H x W x 3 uint8 RGB; all is deterministic in `rng`.
"""

import cv2
import numpy as np
from numpy.random import Generator

from training.pack import Pixels
from training.placement import Floats


class Grain:
    """A sensor's noise: in about half of all pictures; now and then a dark room."""

    def __init__(self, rng: Generator):
        dark = rng.random() < 0.08
        self.silent = not dark and rng.random() >= 0.45
        self.level = np.float32(rng.uniform(0.2, 0.6) if dark else 1.0)
        self.sigma = np.float32(rng.uniform(1.0, 6.0) * (1.3 if dark else 1.0))

    def on(self, image: Pixels, rng: Generator) -> Pixels:
        """The picture with new noise."""
        if self.silent:
            return image
        lit = image * self.level + sensor(image, rng) * self.sigma
        return np.clip(lit, 0, 255).astype(np.uint8)


def sensor(image: Pixels, rng: Generator) -> Floats:
    """Unit noise, at times as coarse as a codec leaves it, at times without colour."""
    height, width = image.shape[:2]
    coarse = 2 if rng.random() < 0.4 else 1
    channels = 1 if rng.random() < 0.5 else 3
    shape = (-(-height // coarse), -(-width // coarse), channels)
    noise = rng.standard_normal(shape, dtype=np.float32)
    if coarse > 1:
        noise = cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)
    return noise.reshape(height, width, channels)


def side_light(image: Pixels, rng: Generator) -> Pixels:
    """A lamp or window at one side: a ramp of gain across the person."""
    height, width = image.shape[:2]
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.6)
    x = np.linspace(-1, 1, width, dtype=np.float32) * np.float32(np.cos(angle))
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(np.sin(angle))
    gain = (1 + np.float32(depth) * (x + y))[:, :, None]
    return np.clip(image * gain, 0, 255).astype(np.uint8)


def back_light(src: Floats, pha: Floats, rng: Generator) -> Floats:
    """A bright room behind a dark person, with some of the light spilling over the edge."""
    alpha = pha[:, :, None]
    person, room = rng.uniform(0.3, 0.75), rng.uniform(1.1, 1.8)
    lit = src * np.float32(person) * alpha + np.minimum(src * np.float32(room), 255) * (1 - alpha)
    if rng.random() < 0.5:
        glow = cv2.blur(lit * (1 - alpha), (31, 31))
        lit = lit + np.float32(rng.uniform(0.1, 0.4)) * glow * alpha
    return np.asarray(lit, np.float32)
