"""Pictures to compare a network with: those of a folder, or the drawn person of the pattern."""

from __future__ import annotations

from pathlib import Path

import cv2

from realtime.errors import ModelError
from realtime.frame import Bytes
from realtime.pixels import to_bgr
from realtime.sources.pattern import PatternSource

APART = 20
"""Frames of the pattern between two pictures, so that the person has moved."""


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
