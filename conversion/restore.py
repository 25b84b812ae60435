"""Back from an IR of ours to a checkpoint that `scrim-train` goes on from.

Runs are large and stay where they were trained; what is kept is the IR. A twin of its network with
random weights is converted in the same way, so the constants of both graphs come in the same
order, and the twin's tell which weight each one is. Batch-norms and shares that conversion has
folded into a convolution stay folded: the network computes the same, and learns on from there.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import openvino as ov

from conversion.check import LIMIT_FP16, compare, refuse
from conversion.pictures import draw
from conversion.read import Original, from_torch
from conversion.stamp import save, stamp
from realtime.contract import Card
from realtime.door import how_to_install
from realtime.errors import ConfigError, ModelContract, ModelError
from realtime.frame import Alpha
from realtime.matting.engine import read_card


def restore(ir: Path, checkpoint: Path) -> None:
    """Write the checkpoint of an IR that `scrim-convert` wrote, INT8 ones aside.

    Raises `ConfigError` when the checkpoint is there already or cannot be written, `ModelError`
    without PyTorch or the IR, `ModelContract` when it is INT8 or its graph that of no recipe here.
    """
    if checkpoint.exists():
        raise ConfigError(f"{checkpoint} is there already", "name another, or move it away")
    card = read_card(ir)
    _refuse_int8(ir, card)
    try:
        from training import checkpoint as kept
        from training import marks, models, recipes
    except ImportError as error:
        hint = how_to_install("training,conversion")
        raise ModelError("writing a checkpoint needs PyTorch", hint) from error
    if card.name not in recipes.RECIPES:
        raise ModelContract(f"{card.name} is no recipe", f"known: {', '.join(recipes.RECIPES)}")
    network = models.build(recipes.find(card.name)).eval()
    marks.scatter(network)
    twin, found = _converted(from_torch(network, card)), ov.Core().read_model(ir)
    marks.gather(network, _constants(twin), _constants(found), ir.name)
    refuse(compare(from_torch(network, card), ir, draw()), LIMIT_FP16)
    content = {"recipe": card.name, "model": network.state_dict(), "figures": card.figures}
    kept.write(checkpoint, content | {"learnt": _learnt(card)})


def _refuse_int8(ir: Path, card: Card) -> None:
    """Raise `ModelContract` for an IR in INT8, whose weights are rounded."""
    whole = ir.with_name(f"{ir.stem.removesuffix('-int8')}.xml")
    if card.name.endswith("-int8"):
        hint = f"take {whole}" if whole != ir and whole.is_file() else "take what it was made from"
        raise ModelContract(f"{ir} is INT8: its weights are rounded", hint)


def _learnt(card: Card) -> str:
    """Return what a card says of what its network learnt from; see `training.models.learnt`."""
    return card.origin[max(0, card.origin.find("Learnt from:")) :]


def _converted(original: Original) -> ov.Model:
    """Return a network's graph as it is read from a file: stamped, large weights in FP16."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "twin.xml"
        save(stamp(original.graph, original.card), path)
        twin = ov.Core().read_model(path)
        return twin.clone()


def _constants(graph: ov.Model) -> list[Alpha]:
    """Return a graph's numbers in its own order."""
    nodes = [node for node in graph.get_ordered_ops() if node.get_type_name() == "Constant"]
    kinds = ("f16", "f32")
    found = [node for node in nodes if node.get_element_type().get_type_name() in kinds]
    return [np.array(node.data, np.float32) for node in found]
