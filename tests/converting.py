"""A network of ours, or a model of others, on its way into an IR."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from conversion.cards import Foreign
from conversion.foreign import read
from conversion.read import Original
from conversion.stamp import beside, save, stamp
from realtime.matting.engine import MattingModel
from tests.foreign import HEIGHT, WIDTH

CLOSE = 2e-5
"""Two programs that compute the same in f32, in another order."""


def table(**changes: object) -> Foreign:
    values = {
        "files": ["*"],
        "get": "the test",
        "licence": "MIT",
        "origin": "a test",
        "sizes": [[WIDTH, HEIGHT]],
    }
    return Foreign.model_validate(values | changes)


def opened(source: Path, **changes: object) -> Original:
    how = table(**changes)
    return read(source, how, how.card("test"))


def converted(original: Original, folder: Path) -> Path:
    with beside(folder, "test") as ir:
        save(stamp(original.graph, original.card, original.signature), ir)
    return folder / "test.xml"


def matte(ir: Path, bgr: np.ndarray) -> np.ndarray:
    return MattingModel(ir).session().infer(bgr)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def tiny(seed: int = 0) -> nn.Module:
    """A network with the parts that conversion must get right: batch-norm and an odd colour."""
    torch.manual_seed(seed)
    layers = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 1, 1)
    )
    layers[1].running_mean.uniform_(-1, 1)
    layers[1].running_var.uniform_(0.5, 2)
    with torch.no_grad():
        layers[3].weight *= 4
    return layers.eval()
