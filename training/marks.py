"""Weights that are known again by their values, wherever a converter has put them.

`scatter` gives a network random values, `gather` fills it from the constants of a converted graph,
beside those of the graph that the scattered one became. See `conversion.restore`.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from realtime.errors import ModelContract

Floats = NDArray[np.float32]

CLOSE = 5e-3
"""Largest relative difference between a weight and its constant, which may be kept in FP16."""


def scatter(network: nn.Module) -> None:
    """Give every weight, bias, norm and share values of its own, by which it is known again."""
    torch.manual_seed(0)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.zero_()
                module.running_var.fill_(1 - module.eps)
        for parameter in network.parameters():
            parameter.normal_().add_(torch.where(parameter < 0, -0.5, 0.5))


def gather(network: nn.Module, twin: list[Floats], found: list[Floats], name: str) -> None:
    """Fill the network with the constants `found`, each where the twin's came from."""
    if [part.shape for part in twin] != [part.shape for part in found]:
        hint = "take an IR that is not INT8, or convert its checkpoint again"
        raise ModelContract(f"{name} has another graph than its recipe", hint)
    marks = {key: value.detach().numpy().copy() for key, value in network.named_parameters()}
    state = network.state_dict()
    for key, mark in marks.items():
        if is_factor(key, mark):  # what stays folded multiplies by nothing
            state[key].fill_(1.0)
    for mark, value in zip(twin, found, strict=True):
        if np.array_equal(mark, value):  # a border or a scale, which nobody learns
            continue
        key, turned = origin(mark, marks, name)
        filled = value.reshape(state[key].shape)
        state[key].copy_(torch.from_numpy((filled[:, ::-1] if turned else filled).copy()))
    network.load_state_dict(state)


def is_factor(key: str, mark: Floats) -> bool:
    """Say whether a parameter is a norm's weight or a share."""
    return key.endswith(".share") or (key.endswith(".weight") and mark.ndim == 1)


def origin(mark: Floats, marks: dict[str, Floats], name: str) -> tuple[str, bool]:
    """Return the parameter that a twin's constant comes from, and whether its colours are turned.

    A convolution's rows (a transposed one's columns) may be multiplied by a norm or a share, its
    bias by a share.
    """
    alike = {key: value for key, value in marks.items() if value.size == mark.size}
    for key, value in alike.items():
        if value.size > max(value.shape):
            for turned in (False, True):
                own = value[:, ::-1] if turned else value
                if any(same_slices(own, mark.reshape(own.shape), axis) for axis in (0, 1)):
                    return key, turned
        elif any(same(value.ravel() * by, mark.ravel()) for by in factors(alike)):
            return key, False
    raise ModelContract(f"{name}: a weight of {mark.shape} is of no known layer")


def factors(alike: dict[str, Floats]) -> list[Floats]:
    shares = [value.ravel() for key, value in alike.items() if key.endswith(".share")]
    return [np.ones(1, np.float32), *shares]


def same_slices(a: Floats, b: Floats, axis: int) -> bool:
    """Say whether each slice of `b` along the axis is a multiple of that of `a`."""
    others = tuple(other for other in range(a.ndim) if other != axis)
    gain = (a * b).sum(others, keepdims=True) / (a * a).sum(others, keepdims=True)
    return same(a * gain, b)


def same(a: Floats, b: Floats) -> bool:
    return bool(np.abs(a - b).max() < CLOSE * np.abs(b).max())
