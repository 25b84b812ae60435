"""Where a person goes in a view: which part of a photo is cut out, and how it is set into another.

Sizes are (width, height), photos H x W x 4 with the label last. What is random is drawn from a
numpy Generator alone.
"""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.pack import Pixels, Row

Floats = NDArray[np.float32]


def largest(
    inside: tuple[int, int], shape: tuple[int, int], stretch: float = 1.0
) -> tuple[float, float]:
    """The largest (width, height) of an aspect that fits; the aspect may be bent by `stretch`."""
    aspect = shape[0] / shape[1] * stretch
    return min(inside[0], inside[1] * aspect), min(inside[1], inside[0] / aspect)


def fitted(
    image: Pixels, size: tuple[int, int], mirrored: bool, mode: int = cv2.INTER_AREA
) -> Pixels:
    """Resize to (width, height), area-averaging as at run time; the right way round or not."""
    out = cv2.resize(image, size, interpolation=mode)
    return np.asarray(cv2.flip(out, 1) if mirrored else out, np.uint8)


def window(row: Row, size: tuple[int, int], rng: Generator) -> tuple[slice, slice]:
    """A cut of the view's shape with the person's head in it.

    Whole bodies are cut at the waist or so: webcams show heads and shoulders.
    """
    x0, y0, x1, y1 = row.box
    bottom = row.height
    if y1 - y0 > 1.9 * (x1 - x0) and rng.random() < 0.85:
        bottom = int(y0 + (y1 - y0) * rng.uniform(0.3, 0.6))
    width, height = largest((row.width, bottom), size, rng.uniform(0.87, 1.15))
    zoom = rng.uniform(0.65, 1.0) if rng.random() < 0.6 else 1.0
    width, height = max(16, int(width * zoom)), max(16, int(height * zoom))
    centre = (x0 + x1) / 2 + rng.normal(0, 0.12) * width
    left = int(np.clip(centre - width / 2, 0, row.width - width))
    top = int(np.clip(y0 - rng.uniform(-0.06, 0.25) * height, 0, max(0, bottom - height)))
    return slice(top, top + height), slice(left, left + width)


def placement(row: Row, size: tuple[int, int], rng: Generator) -> tuple[float, float, float, int]:
    """Where a person goes: scale, left and top of their photo in the view, rows of it to keep.

    Where the photo cuts the person off, the view's own border does so too, if it can; but now and
    then a shoulder ends in mid-air, so that the network outlines what is there, not what should be.
    """
    width, height = size
    x0, y0, x1, y1 = row.box
    bottom = row.height
    if y1 - y0 > 1.9 * (x1 - x0) and rng.random() < 0.85:
        bottom = int(y0 + (y1 - y0) * rng.uniform(0.28, 0.6))
    tall = max(8, min(bottom, y1) - y0)
    cut_below, cut_left, cut_right = y1 >= bottom - 2, x0 <= 1, x1 >= row.width - 1
    share = rng.choice(
        [rng.uniform(0.3, 0.55), rng.uniform(0.55, 1.0), rng.uniform(1.0, 1.5)],
        p=[0.06, 0.82, 0.12],
    )
    scale = share * height / tall
    if y0 <= 1 and cut_below:  # cut at head and foot: must fill the height
        scale = max(scale, height / tall)
    if cut_left and cut_right and width > scale * row.width and rng.random() < 0.35:
        scale = min(width / row.width, 1.4 * height / tall)
    centre = rng.uniform(-0.1, 1.1) if rng.random() < 0.12 else rng.normal(0.5, 0.13)
    left = centre * width - scale * (x0 + x1) / 2
    if rng.random() < 0.6:
        left = min(left, 0.0) if cut_left and not cut_right else left
        left = max(left, width - scale * row.width) if cut_right and not cut_left else left
    below = abs(rng.normal(0, 0.06)) if cut_below else rng.normal(-0.02, 0.1)
    top = height * (1 + below) - scale * min(bottom, y1)
    if y0 <= 1:
        top = min(top, 0.0)
    if scale * tall > height:  # too tall for the view: lose the legs, not the head
        top = max(top, height * rng.uniform(-0.06, 0.12) - scale * y0)
    return scale, left, top, bottom


def mirrored(pixels: Pixels, row: Row) -> tuple[Pixels, Row]:
    x0, y0, x1, y1 = row.box
    box = (row.width - x1, y0, row.width - x0, y1)
    return pixels[:, ::-1], Row(**{**row.__dict__, "box": box})


def turned(pixels: Pixels, degrees: float) -> Pixels:
    """Rotated about the middle of the lower edge, with nothing behind."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height), degrees, 1.0)
    return np.asarray(cv2.warpAffine(pixels, matrix, (width, height)), np.uint8)


def pasted(
    pixels: Pixels, scale: float, left: float, top: float, size: tuple[int, int]
) -> tuple[Pixels, Floats]:
    """A photo, scaled, with its corner at (left, top) of an empty view."""
    width, height = size
    fgr, pha = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.float32)
    rows, columns = pixels.shape[:2]
    sx0, sx1 = (int(np.clip((x - left) / scale, 0, columns)) for x in (0, width))
    sy0, sy1 = (int(np.clip((y - top) / scale, 0, rows)) for y in (0, height))
    dx0, dx1 = (int(np.clip(round(x * scale + left), 0, width)) for x in (sx0, sx1))
    dy0, dy1 = (int(np.clip(round(y * scale + top), 0, height)) for y in (sy0, sy1))
    if min(sx1 - sx0, sy1 - sy0, dx1 - dx0, dy1 - dy0) < 2:
        return fgr, pha
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    cut = np.ascontiguousarray(pixels[sy0:sy1, sx0:sx1])
    out = cv2.resize(cut, (dx1 - dx0, dy1 - dy0), interpolation=mode)
    fgr[dy0:dy1, dx0:dx1] = out[:, :, :3]
    pha[dy0:dy1, dx0:dx1] = out[:, :, 3] / np.float32(255)
    return fgr, pha
