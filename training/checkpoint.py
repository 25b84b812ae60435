"""Checkpoints are written whole or not at all; `training.models.read` reads them."""

import os
from contextlib import suppress
from pathlib import Path

import torch

from realtime.errors import ConfigError
from training import models


def write(path: Path, content: dict) -> None:
    """Save atomically, its folder too. Raises `ConfigError` where that cannot be written."""
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(content, part)
        os.replace(part, path)
    except (OSError, RuntimeError) as error:  # torch's own when the disk is full
        with suppress(OSError):
            part.unlink()
        raise ConfigError(f"cannot write {path}", "make room, or name another place") from error


def note(checkpoint: Path, figures: dict[str, float]) -> None:
    """Write figures into a checkpoint, for its card."""
    write(checkpoint, models.read(checkpoint) | {"figures": figures})
