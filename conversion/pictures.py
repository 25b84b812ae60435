"""Pictures to try a network on: of a folder, labelled with masks, or the pattern's drawn person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import ConfigError, ModelError
from realtime.frame import Alpha, Bytes
from realtime.pixels import to_bgr
from realtime.sources.pattern import PatternSource
from training import readers

APART = 20
"""Frames of the pattern between two pictures, so that the person has moved."""

MOST = 400
"""Labelled pictures that are kept in memory."""


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


def read_labelled(folder: Path, whole: bool = False) -> list[Labelled]:
    """Read the pictures of a folder with their masks, in any layout that training knows.

    Those set aside to measure by are left out, unless there are no two others, or `whole` asks for
    them too. Of more than `MOST` that many are taken, evenly. Raises `ConfigError` with fewer than
    two, or for a picture without a mask of its size.
    """
    found = readers.listing(folder)
    readers.refuse(found.problems, readers.MEND)
    people = [item for item in found.items if item.kind == "person"]
    kept = [item for item in people if whole or not item.held_out]
    people = kept if len(kept) > 1 else people
    if len(people) < 2:
        raise ConfigError(f"{len(people)} pictures with masks in {folder}", "two are the least")
    pairs = (item.load() for item in people[:: -(-len(people) // MOST)])
    return [Labelled(bgr, mask.astype(np.float32) / 255) for bgr, mask in pairs]
