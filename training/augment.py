"""Changes of light and camera, as named presets. Pictures are H x W x 3 uint8 RGB.

`apply(preset, image, rng)` is deterministic in `rng`. Geometry is `training.compose`'s job.
"""

import os
from functools import cache

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # or the import calls out

import albumentations as A
import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

WHITE = (4200, 9500)  # kelvin: lamps that a camera's white balance leaves uncorrected


def light() -> list[A.BasicTransform | A.BaseCompose]:
    """What differs between two places: level, contrast, colour of the light."""
    return [
        A.RandomBrightnessContrast((-0.22, 0.2), 0.25, p=0.7),
        A.RandomGamma((65, 150), p=0.4),
        A.OneOf(
            [A.PlanckianJitter(temperature_limit=WHITE, p=1), A.RGBShift(18, 8, 18, p=1)], p=0.5
        ),
        A.HueSaturationValue(4, 30, 0, p=0.4),
    ]


def camera() -> list[A.BasicTransform | A.BaseCompose]:
    """What a camera does to everything at once: exposure, white balance, noise, blur, codec."""
    return [
        A.RandomBrightnessContrast((-0.2, 0.18), 0.2, p=0.6),
        A.RandomGamma((70, 145), p=0.3),
        A.OneOf(
            [A.PlanckianJitter(temperature_limit=WHITE, p=1), A.RGBShift(15, 8, 15, p=1)], p=0.35
        ),
        A.HueSaturationValue(5, 35, 0, p=0.25),
        A.ToGray(p=0.02),
        A.OneOf(
            [
                A.GaussianBlur(blur_limit=(3, 5), p=1),
                A.MotionBlur(blur_limit=(3, 7), p=1),
                A.Sharpen(alpha=(0.1, 0.4), p=1),
            ],
            p=0.2,
        ),
        A.ImageCompression(quality_range=(35, 95), p=0.35),
    ]


def source_000() -> list[A.BasicTransform | A.BaseCompose]:
    """The portrait U-Net's own list (source 000, 4.2.5): shift .1, zoom .2, flip, light."""
    return [
        A.Affine(
            translate_percent=(-0.1, 0.1),
            scale=(0.8, 1.2),
            mask_interpolation=cv2.INTER_LINEAR,
            border_mode=cv2.BORDER_REFLECT,
        ),
        A.HorizontalFlip(p=0.5),
        A.RandomBrightnessContrast(0.2, 0.2, p=0.5),
    ]


PRESETS = {"light": light, "camera": camera, "source-000": source_000}


@cache
def preset(name: str) -> A.Compose:
    return A.Compose(PRESETS[name]())


def apply(name: str, image: Pixels, rng: Generator) -> Pixels:
    """The picture after a preset of light and camera alone."""
    compose = preset(name)
    compose.set_random_seed(int(rng.integers(2**31)))
    return np.asarray(compose(image=np.ascontiguousarray(image))["image"], np.uint8)


def apply_pair(
    name: str, image: Pixels, masks: list[Pixels], rng: Generator
) -> tuple[Pixels, list[Pixels]]:
    """Picture and masks after a preset that also moves them."""
    compose = preset(name)
    compose.set_random_seed(int(rng.integers(2**31)))
    done = compose(image=np.ascontiguousarray(image), masks=masks)
    return done["image"], list(done["masks"])


def webcam(image: Pixels, rng: Generator) -> Pixels:
    """The `camera` preset, now and then a dark room, and sensor noise."""
    out = apply("camera", image, rng)
    dark = rng.random() < 0.08
    noisy = dark or rng.random() < 0.45
    if not noisy:
        return out
    level = rng.uniform(0.2, 0.6) if dark else 1.0
    sigma = rng.uniform(1.0, 6.0) * (1.3 if dark else 1.0)
    lit = out * np.float32(level) + sensor(out, rng) * np.float32(sigma)
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


def wall(size: tuple[int, int], rng: Generator) -> Pixels:
    """A plain wall: one colour with a soft ramp."""
    width, height = size
    corners = rng.uniform(20, 245, 3) + rng.normal(0, 18, (2, 2, 1)) + rng.normal(0, 4, (2, 2, 3))
    ramp = cv2.resize(corners.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(ramp, 0, 255).astype(np.uint8)
