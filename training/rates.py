"""How fast what learns: optimisers, groups of parameters, the rate over a run."""

import math

import torch
from torch import Tensor, nn

from training.recipe import Recipe

OPTIMISERS = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}


def groups(model: nn.Module, recipe: Recipe) -> list[dict]:
    """Parameter groups: the pretrained encoder learns slower; norms and biases do not decay."""
    found: dict[tuple[float, float], list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        peak = recipe.encoder_rate if name.startswith("encoder.") else recipe.decoder_rate
        decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
        found.setdefault((peak, decay), []).append(parameter)
    return [
        {"params": parameters, "lr": peak, "peak": peak, "weight_decay": decay}
        for (peak, decay), parameters in found.items()
    ]


def schedule(recipe: Recipe, progress: float) -> float:
    """Factor on the rate: a linear rise, then half a cosine down to 1 %, or a polynomial.

    Its power of 0.9 is that of SINet's authors; source 000 takes 1.
    """
    if progress < recipe.warm_up:
        return max(0.01, progress / recipe.warm_up)
    share = (progress - recipe.warm_up) / (1 - recipe.warm_up)
    if recipe.schedule == "plateau":
        return 1.0  # Trainer.judge slows down
    if recipe.schedule == "polynomial":
        return max(0.001, (1 - share) ** 0.9)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share))
