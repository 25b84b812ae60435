"""Changes of light and camera, as named presets. Pictures are H x W x 3 uint8 RGB.

`moved` and `relit` are deterministic in `rng`.
"""

import os
from functools import cache

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # or the import calls out

import albumentations as A
import cv2
import numpy as np
from numpy.random import Generator

from realtime.errors import ConfigError
from training.optics import Grain
from training.pack import Pixels

Transform = A.BasicTransform | A.BaseCompose

WHITE = (4200, 9500)  # kelvin: lamps that a camera's white balance leaves uncorrected


def light() -> list[Transform]:
    """What differs between two places: level, contrast, colour of the light."""
    return [
        A.RandomBrightnessContrast((-0.22, 0.2), 0.25, p=0.7),
        A.RandomGamma((65, 150), p=0.4),
        A.OneOf(
            [A.PlanckianJitter(temperature_limit=WHITE, p=1), A.RGBShift(18, 8, 18, p=1)], p=0.5
        ),
        A.HueSaturationValue(4, 30, 0, p=0.4),
    ]


def camera() -> list[Transform]:
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


# The sources' own lists, as they state them: what moves a picture and its mask, and what changes
# its light. Where imgaug multiplies hue and albumentations only adds, the shift is about as large.
# Keras's zoom z scales by 1 / z, each axis for itself.


def source_000_geometry() -> list[Transform]:
    """Portrait U-Net (source 000, 4.2.3): shift .1, zoom .2, flip, as Keras does them."""
    zoom = (1 / 1.2, 1 / 0.8)
    return [
        A.Affine(
            translate_percent=(-0.1, 0.1),
            scale={"x": zoom, "y": zoom},
            mask_interpolation=cv2.INTER_LINEAR,
            border_mode=cv2.BORDER_REPLICATE,
            p=1,
        ),
        A.HorizontalFlip(p=0.5),
    ]


def source_000_light() -> list[Transform]:
    return [A.RandomBrightnessContrast(0.2, 0.2, p=0.5)]


def source_001_geometry() -> list[Transform]:
    """SINet (sources 000, 5.2.5, and 001, 6.2.2): flip, turn 45, resize .5 to 1.5, shift .25."""
    grey = {"fill": 127, "fill_mask": 0, "mask_interpolation": cv2.INTER_LINEAR}
    sides = {"x": (0.5, 1.5), "y": (0.5, 1.5)}
    return [
        A.HorizontalFlip(p=0.5),
        A.Affine(rotate=(-45, 45), p=0.5, **grey),
        A.Affine(scale=sides, p=0.5, **grey),
        A.Affine(translate_percent=(-0.25, 0.25), p=0.5, **grey),
    ]


def source_001_light() -> list[Transform]:
    """Noise, blur, and brightness, gamma, channels, hue, saturation, contrast x .4 to 1.7."""
    wide = (0.4, 1.7)
    still = {"brightness": (1, 1), "contrast": (1, 1), "saturation": (1, 1), "hue": (0, 0)}
    return [
        A.GaussNoise(std_range=(0.0, 0.05), p=0.5),
        A.OneOf(
            [A.GaussianBlur(0, sigma_limit=(0.1, 3.0)), A.GaussianBlur(0, sigma_limit=(0.1, 5.0))],
            p=0.5,
        ),
        A.ColorJitter(**(still | {"brightness": wide}), p=0.5),
        A.RandomGamma((40, 170), p=0.5),
        A.MultiplicativeNoise(wide, per_channel=True, elementwise=False, p=0.5),
        A.HueSaturationValue(12, 0, 0, p=0.5),
        A.ColorJitter(**(still | {"saturation": wide}), p=0.5),
        A.ColorJitter(**(still | {"contrast": wide}), p=0.5),
    ]


def source_002_geometry() -> list[Transform]:
    """PortraitNet (source 002, 2.4): flip, turn 45 and resize .5 to 1.5 at once, shift .25."""
    black = {"fill": 0, "fill_mask": 0, "mask_interpolation": cv2.INTER_LINEAR}
    return [
        A.HorizontalFlip(p=0.5),
        A.Affine(rotate=(-45, 45), scale=(0.5, 1.5), p=1, **black),
        A.Affine(translate_percent=(-0.25, 0.25), p=1, **black),
    ]


def source_002_light() -> list[Transform]:
    """Hue, saturation, value x .4 to 1.7; contrast x .6 to 1.5; blur 3 to 9; noise of sigma 10.

    The source's code blurs once more where its text adds noise; here it is the paper's noise.
    """
    still = {"brightness": (1, 1), "contrast": (1, 1), "saturation": (1, 1), "hue": (0, 0)}
    return [
        A.HueSaturationValue(12, 0, 0, p=0.5),
        A.ColorJitter(**(still | {"saturation": (0.4, 1.7)}), p=0.5),
        A.ColorJitter(**(still | {"brightness": (0.4, 1.7)}), p=0.5),
        A.ColorJitter(**(still | {"contrast": (0.6, 1.5)}), p=0.5),
        A.Blur(blur_limit=(3, 9), p=0.5),
        A.GaussNoise(std_range=(10 / 255, 10 / 255), p=0.5),
    ]


def source_003_geometry() -> list[Transform]:
    """Transfer U-Net (source 003, 2.5): one of six lists, or the picture as it is.

    Keras's flips happen in half of a list.
    """
    edge = {"border_mode": cv2.BORDER_REPLICATE, "mask_interpolation": cv2.INTER_LINEAR, "p": 1}
    zoom = (2 / 3, 2)
    return [
        A.OneOf(
            [
                A.Affine(rotate=(-135, 135), **edge),
                A.Affine(translate_percent={"x": (-0.15, 0.15), "y": (0, 0)}, **edge),
                A.Affine(translate_percent={"x": (0, 0), "y": (-0.15, 0.15)}, **edge),
                A.Affine(scale={"x": zoom, "y": zoom}, **edge),
                A.VerticalFlip(p=0.5),
                A.HorizontalFlip(p=0.5),
            ],
            p=5 / 7,
        )
    ]


def source_004_geometry() -> list[Transform]:
    """Nine-class U-Net (source 004, phase 7.4): turn 40 with reflected border, flip."""
    return [
        A.Rotate(
            limit=40,
            p=0.9,
            border_mode=cv2.BORDER_REFLECT_101,
            mask_interpolation=cv2.INTER_NEAREST,
        ),
        A.HorizontalFlip(p=0.5),
    ]


def source_004_light() -> list[Transform]:
    """RGB shift 25, blur or jitter (of .2, the default when the source was written)."""
    near = (0.8, 1.2)
    return [
        A.RGBShift(25, 25, 25, p=0.9),
        A.OneOf(
            [
                A.Blur(blur_limit=(3, 3), p=0.5),
                A.ColorJitter(near, near, near, hue=(-0.2, 0.2), p=0.5),
            ],
            p=1.0,
        ),
    ]


def nothing() -> list[Transform]:
    return []


# What a view goes through: (what moves it, what changes its light). "webcam" does not move it,
# training.compose has framed it already.
PRESETS = {
    "light": (nothing, light),
    "webcam": (nothing, camera),
    "source-000": (source_000_geometry, source_000_light),
    "source-001": (source_001_geometry, source_001_light),
    "source-002": (source_002_geometry, source_002_light),
    "source-003": (source_003_geometry, nothing),
    "source-004": (source_004_geometry, source_004_light),
}


@cache
def preset(name: str) -> tuple[A.Compose, A.Compose]:
    """A preset's two halves. Raises `ConfigError` for a name that is none."""
    if name not in PRESETS:
        raise ConfigError(f"no preset {name!r}", f"there are {', '.join(PRESETS)}")
    geometry, photometry = PRESETS[name]
    return A.Compose(geometry()), A.Compose(photometry())


def relit(name: str, image: Pixels, rng: Generator, grain: bool = True) -> Pixels:
    """The picture under another light, through another camera; `grain` false: without its noise."""
    compose = preset(name)[1]
    compose.set_random_seed(int(rng.integers(2**31)))
    out = np.asarray(compose(image=np.ascontiguousarray(image))["image"], np.uint8)
    return Grain(rng).on(out, rng) if grain and name == "webcam" else out


def moved(
    name: str, image: Pixels, masks: list[Pixels], rng: Generator
) -> tuple[Pixels, list[Pixels]]:
    """Picture and masks, turned, shifted and scaled together."""
    compose = preset(name)[0]
    if not compose.transforms:
        return image, masks
    compose.set_random_seed(int(rng.integers(2**31)))
    done = compose(image=np.ascontiguousarray(image), masks=masks)
    return done["image"], list(done["masks"])
