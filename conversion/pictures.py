"""Pictures to try a network on: of a folder, labelled with masks, or the pattern's drawn person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import ModelError
from realtime.frame import Alpha, Bytes
from realtime.pixels import to_bgr
from realtime.sources.pattern import PatternSource

APART = 20
"""Frames of the pattern between two pictures, so that the person has moved."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A picture, BGR uint8 (height, width, 3), and its true alpha, float32 (height, width)."""

    bgr: Bytes
    alpha: Alpha


def read_folder(folder: Path) -> list[Bytes]:
    """Read every picture of a folder as BGR. Raises `ModelError` when there is none."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [bgr for file in files if file.is_file() and (bgr := cv2.imread(str(file))) is not None]
    if not found:
        raise ModelError(f"no pictures in {folder}", "--pictures takes a folder of JPEG or PNG")
    return found


def draw(count: int = 4) -> list[Bytes]:
    """Draw the pattern's person, BGR 640x360."""
    pattern = PatternSource((640, 360), realtime=False)
    frames = [pattern.read() for _ in range(count * APART)]
    return [to_bgr(frame) for frame in frames[::APART]]


def read_labelled(folder: Path) -> list[Labelled]:
    """Read img/ and mask/ of a folder, or of each folder in it: NAME.* and its NAME.png in grey.

    Raises `ModelError` with fewer than two, or for a picture without a mask of its size.
    """
    images = [*folder.glob("img/*"), *folder.glob("*/img/*")]
    if len(images) < 2:
        raise ModelError(
            f"{len(images)} pictures in {folder}/img where two are the least",
            "give a folder with img and mask in it",
        )
    return [_labelled(image) for image in sorted(images)]


def _labelled(image: Path) -> Labelled:
    mask = image.parent.parent / "mask" / f"{image.stem}.png"
    bgr = cv2.imread(str(image))
    grey = cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE) if mask.is_file() else None
    if bgr is None or grey is None or grey.shape != bgr.shape[:2]:
        raise ModelError(f"{image} has no mask of its size", f"expected {mask}")
    return Labelled(bgr, grey.astype(np.float32) / 255)
