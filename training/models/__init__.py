"""The networks, and how to get one back from a checkpoint."""

from importlib import import_module
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from torch import nn

from realtime.contract import Card
from realtime.errors import ConfigError, ModelContract, ModelNotFound
from training import recipe
from training.recipe import CLASSES, Recipe

# name -> class; each in the file of its name, imported when it is asked for
NETWORKS = {
    "munet": "MUNet",
    "sinet": "SINet",
    "portraitnet": "PortraitNet",
    "transfer": "Transfer",
    "unet": "UNet",
}

STARTED = (
    "Its encoder started from the MIT-licensed weights of "
    "github.com/anilsathyan7/Portrait-Segmentation"
)
LICENCE = (
    "Apache-2.0 for the code; the weights as far as the licences of the pictures allow, see origin"
)


def build(used: Recipe) -> nn.Module:
    """The network of a recipe, with fresh weights. Raises `ConfigError` for a bad option."""
    module = import_module(f"training.models.{used.network}")
    try:
        return getattr(module, NETWORKS[used.network])(**used.options)
    except (TypeError, KeyError) as error:
        raise ConfigError(f"{used.network} does not take {used.options}: {error}") from error


def start(model: nn.Module, weights: Path) -> str:
    """Fill the encoder: folded weights (.npz), or the encoder of a checkpoint (.pt).

    Gives in words where it started, for the card.
    """
    try:
        if weights.suffix == ".pt":
            other = read(weights)
            state = other["model"].items()
            model.encoder.fill({k.removeprefix("encoder."): v for k, v in state})
            return (
                f"Its encoder started from that of {other['recipe']}, in its turn: {learnt(other)}"
            )
        with np.load(weights) as found:
            model.encoder.fill(found)
            return STARTED
    except OSError as error:
        hint = "name the file with --weights, or start from nothing: --set pretrained=false"
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
        # torch's own words advise to load it unsafely
        raise ModelContract(f"{path} is no checkpoint", "name a run's best.pt") from error
    if not isinstance(found, dict) or not {"recipe", "model"} <= found.keys():
        raise ModelContract(f"{path} is no checkpoint of scrim-train")
    return found


def load(path: Path | str) -> tuple[nn.Module, Card]:
    """A trained network in evaluation mode, and its card.

    The network takes src B x 3 x H x W, RGB in 0..1, and gives logits B x K x H x W, one
    or as many as its card names classes.
    """
    found = read(Path(path))
    used = recipe.find(found["recipe"], found.get("changes", ()))
    model = build(used)
    try:
        model.load_state_dict(found["model"])
    except RuntimeError as error:
        raise ModelContract(
            f"{path} does not fit the network {found['recipe']}: {error}"
        ) from error
    return model.eval(), card(found)


def card(found: dict) -> Card:
    """The card of a checkpoint's content."""
    used = recipe.find(found["recipe"], found.get("changes", ()))
    return Card(
        name=used.name,
        licence=LICENCE,
        origin=origin(used, found),
        sizes=used.sizes,
        classes=CLASSES if used.task == "parts" else (),
        figures=found.get("figures", {}),
    )


def origin(used: Recipe, found: dict) -> str:
    """In words: how it was trained, for how long, on whose pictures."""
    said = " ".join(["the recipe", used.name, *found.get("changes", ())])
    minutes, pictures = found.get("spent_s", 0) / 60, found.get("step", 0) * used.batch
    return f"Trained by {said}, {minutes:.0f} minutes, {pictures:,} pictures seen. {learnt(found)}"


def learnt(found: dict) -> str:
    """In words: what a checkpoint learnt from, and where it started."""
    sources = "; ".join(f"{k} ({v})" if v else k for k, v in found.get("sources", {}).items())
    return f"Learnt from: {sources or 'not recorded'}. {found.get('started', '')}".strip()
