"""Back from an IR of ours to a checkpoint that `scrim-train` goes on from.

Runs are large and stay where they were trained; what is kept is the IR. A twin of its network with
random weights is converted in the same way, so the constants of both graphs come in the same
order, and the twin's tell which weight each one is. Batch-norms and shares that conversion has
folded into a convolution stay folded: the network computes the same, and learns on from there.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import openvino as ov

from conversion.check import LIMIT_FP16, compare, refuse
from conversion.pictures import draw
from conversion.read import from_torch
from conversion.stamp import save, stamp
from realtime.contract import Card
from realtime.errors import ConfigError, ModelContract, ModelError
from realtime.frame import Alpha
from realtime.matting.engine import read_card

if TYPE_CHECKING:
    from torch import nn

CLOSE = 5e-3
"""Largest relative difference between a weight and its constant, which may be kept in FP16."""


def restore(ir: Path, checkpoint: Path) -> None:
    """Write the checkpoint of an IR that `scrim-convert` wrote, INT8 ones aside.

    Raises `ConfigError` when the checkpoint is there already or cannot be written, `ModelError`
    without PyTorch or the IR, `ModelContract` when its graph is that of no recipe here.
    """
    if checkpoint.exists():
        raise ConfigError(f"{checkpoint} is there already", "name another, or move it away")
    card = read_card(ir)
    try:
        from training import models, recipes
    except ImportError as error:
        hint = "pip install 'scrim[training,conversion]'"
        raise ModelError("writing a checkpoint needs PyTorch", hint) from error
    if card.name not in recipes.RECIPES:
        raise ModelContract(f"{card.name} is no recipe", f"known: {', '.join(recipes.RECIPES)}")
    network = models.build(recipes.find(card.name)).eval()
    _scatter(network)
    twin, found = _constants(_converted(network, card)), _constants(ov.Core().read_model(ir))
    _gather(network, twin, found, ir.name)
    refuse(compare(from_torch(network, card), ir, draw()), LIMIT_FP16)
    content = {"recipe": card.name, "model": network.state_dict(), "figures": card.figures}
    _write(checkpoint, content | {"learnt": _learnt(card)})


def _write(checkpoint: Path, content: dict[str, object]) -> None:
    import torch

    part = checkpoint.with_suffix(".part")
    try:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        torch.save(content, part)
        os.replace(part, checkpoint)
    except (OSError, RuntimeError) as error:  # torch's own when the disk is full
        raise ConfigError(f"cannot write {checkpoint}", "name another place") from error


def _learnt(card: Card) -> str:
    """Return what a card says of what its network learnt from; see `training.models.learnt`."""
    return card.origin[max(0, card.origin.find("Learnt from:")) :]


def _scatter(network: nn.Module) -> None:
    """Give every weight, bias, norm and share values of its own, by which it is known again."""
    import torch

    torch.manual_seed(0)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.zero_()
                module.running_var.fill_(1 - module.eps)
        for parameter in network.parameters():
            parameter.normal_().add_(torch.where(parameter < 0, -0.5, 0.5))


def _converted(network: nn.Module, card: Card) -> ov.Model:
    """Return a network's graph as it is read from a file: stamped, large weights in FP16."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "twin.xml"
        save(stamp(from_torch(network, card).graph, card), path)
        twin = ov.Core().read_model(path)
        return twin.clone()


def _constants(graph: ov.Model) -> list[Alpha]:
    """Return a graph's numbers in its own order."""
    nodes = [node for node in graph.get_ordered_ops() if node.get_type_name() == "Constant"]
    kinds = ("f16", "f32")
    found = [node for node in nodes if node.get_element_type().get_type_name() in kinds]
    return [np.array(node.data, np.float32) for node in found]


def _gather(network: nn.Module, twin: list[Alpha], found: list[Alpha], name: str) -> None:
    """Fill the network with the constants `found`, each where the twin's came from."""
    import torch

    if [part.shape for part in twin] != [part.shape for part in found]:
        hint = "take an IR that is not INT8, or convert its checkpoint again"
        raise ModelContract(f"{name} has another graph than its recipe", hint)
    marks = {key: value.detach().numpy().copy() for key, value in network.named_parameters()}
    state = network.state_dict()
    for key, mark in marks.items():
        if _is_factor(key, mark):  # what stays folded multiplies by nothing
            state[key].fill_(1.0)
    for mark, value in zip(twin, found, strict=True):
        if np.array_equal(mark, value):  # a border or a scale, which nobody learns
            continue
        key, turned = _origin(mark, marks, name)
        filled = value.reshape(state[key].shape)
        state[key].copy_(torch.from_numpy((filled[:, ::-1] if turned else filled).copy()))
    network.load_state_dict(state)


def _is_factor(key: str, mark: Alpha) -> bool:
    """Say whether a parameter is a norm's weight or a share."""
    return key.endswith(".share") or (key.endswith(".weight") and mark.ndim == 1)


def _origin(mark: Alpha, marks: dict[str, Alpha], name: str) -> tuple[str, bool]:
    """Return the parameter that a twin's constant comes from, and whether its colours are turned.

    A convolution's rows may be multiplied by a norm or a share, its bias by a share.
    """
    alike = {key: value for key, value in marks.items() if value.size == mark.size}
    for key, value in alike.items():
        if value.size > max(value.shape):
            for turned in (False, True):
                own = value[:, ::-1] if turned else value
                if _same_rows(own.reshape(len(own), -1), mark.reshape(len(own), -1)):
                    return key, turned
        elif any(_same(value.ravel() * by, mark.ravel()) for by in _factors(alike)):
            return key, False
    raise ModelContract(f"{name}: a weight of {mark.shape} is of no known layer")


def _factors(alike: dict[str, Alpha]) -> list[Alpha]:
    shares = [value.ravel() for key, value in alike.items() if key.endswith(".share")]
    return [np.ones(1, np.float32), *shares]


def _same_rows(a: Alpha, b: Alpha) -> bool:
    """Say whether each row of `b` is a multiple of that of `a`."""
    gain = (a * b).sum(1, keepdims=True) / (a * a).sum(1, keepdims=True)
    return _same(a * gain, b)


def _same(a: Alpha, b: Alpha) -> bool:
    return bool(np.abs(a - b).max() < CLOSE * np.abs(b).max())
