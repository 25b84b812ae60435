"""Means of weights: of a run along its way, and of several: "Model soups" (Wortsman et al., 2022).

Runs that go on from one another lie in one valley, and its middle is flatter than its ends.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from realtime.errors import ModelContract
from training import models


def mean(paths: Sequence[Path]) -> dict:
    """A checkpoint with the mean of the weights of several; the rest is the last one's.

    Its steps and minutes are those of all, its figures unknown. Raises `ModelContract` where they
    are not of one network.
    """
    found = [models.read(path) for path in paths]
    last = found[-1]
    for path, other in zip(paths, found, strict=True):
        if other["recipe"] != last["recipe"] or shapes(other) != shapes(last):
            raise ModelContract(f"{path} and {paths[-1]} are not of one network")
    weights = {
        name: torch.stack([other["model"][name] for other in found]).double().mean(0).to(one.dtype)
        for name, one in last["model"].items()
    }
    before = last.get("started", "").removesuffix(".")
    said = f"{before and f'{before}. '}Its weights are the mean of {len(found)} runs'."
    sums = {key: sum(other.get(key, 0) for other in found) for key in ("step", "spent_s")}
    return last | sums | {"model": weights, "started": said, "figures": {}}


def shapes(found: dict) -> dict:
    """Names and shapes of a checkpoint's weights."""
    return {name: one.shape for name, one in found["model"].items()}


@torch.no_grad()
def follow(ema: nn.Module, model: nn.Module, keep: float) -> None:
    """Move the average towards the model; counters are copied."""
    pairs = list(zip(ema.state_dict().values(), model.state_dict().values(), strict=True))
    floats = [(a, b) for a, b in pairs if a.is_floating_point()]
    torch._foreach_lerp_([a for a, _ in floats], [b for _, b in floats], 1 - keep)
    for a, b in pairs:
        if not a.is_floating_point():
            a.copy_(b)
