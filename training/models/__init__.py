"""The networks, and how to get one back from a checkpoint."""

from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from torch import nn

from realtime.contract import Card
from realtime.errors import ModelContract, ModelNotFound
from training import recipe


def munet_webcam() -> nn.Module:
    from training.models.munet import Light, MUNet

    return MUNet(Light())


def munet_128() -> nn.Module:
    from training.models.munet import MUNet, Transposed

    return MUNet(Transposed())


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "munet-webcam": munet_webcam,
    "munet-128": munet_128,
}

ORIGIN = (
    "Trained by Scrim from scratch but for its encoder, which started from the MIT-licensed "
    "weights of github.com/anilsathyan7/Portrait-Segmentation; on EG1800, CelebAMask-HQ, CCP and "
    "other photo sets that state no licence or are for research"
)
LICENCE = "Apache-2.0 for the code; weights learnt from pictures for research, see origin"


def build(name: str) -> nn.Module:
    """The network of a recipe, with fresh weights."""
    return NETWORKS[recipe.find(name).name]()


def start(model: nn.Module, weights: Path) -> None:
    """Fill the encoder with folded ImageNet-style weights (.npz)."""
    try:
        with np.load(weights) as found:
            model.encoder.fill(found)
    except OSError as error:
        hint = "name the file of encoder weights with --weights"
        raise ModelNotFound(f"cannot read {weights}: {error}", hint) from error
    except (ValueError, KeyError, RuntimeError) as error:
        raise ModelContract(f"{weights} does not fit the encoder: {error}") from error


def read(path: Path) -> dict:
    """A checkpoint's content."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelNotFound(f"cannot read {path}", "train one: scrim-train fit") from error
    except (UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise ModelContract(f"{path} is no checkpoint: {error}") from error
    if not isinstance(found, dict) or not {"recipe", "model"} <= found.keys():
        raise ModelContract(f"{path} is no checkpoint of scrim-train")
    return found


def load(path: Path | str) -> tuple[nn.Module, Card]:
    """A trained network in evaluation mode, and its card.

    The network takes src B x 3 x H x W, RGB in 0..1, and gives logits B x 1 x H x W.
    """
    found = read(Path(path))
    model = build(found["recipe"])
    try:
        model.load_state_dict(found["model"])
    except RuntimeError as error:
        raise ModelContract(
            f"{path} does not fit the network {found['recipe']}: {error}"
        ) from error
    used = recipe.find(found["recipe"])
    card = Card(
        name=used.name,
        licence=LICENCE,
        origin=f"{ORIGIN}; by the recipe {used.name}, of {used.minutes:g} minutes",
        sizes=used.sizes,
        figures=found.get("figures", {}),
    )
    return model.eval(), card
