"""Checkpoints are written whole or not at all; `training.models.read` reads them."""

import os
from pathlib import Path

import torch

from training import models


def write(path: Path, content: dict) -> None:
    """Save atomically."""
    part = path.with_suffix(".part")
    torch.save(content, part)
    os.replace(part, path)


def note(checkpoint: Path, figures: dict[str, float]) -> None:
    """Write figures into a checkpoint, for its card."""
    write(checkpoint, models.read(checkpoint) | {"figures": figures})
