"""The networks, and how to get one back from a checkpoint."""

from importlib import import_module
from pathlib import Path
from pickle import UnpicklingError
from zipfile import is_zipfile

import numpy as np
import torch
from torch import nn

from realtime.contract import Card
from realtime.errors import ConfigError, ModelContract, ModelNotFound
from training import recipes
from training.recipe import CLASSES, Recipe

# name -> class; each in the file of its name, imported when it is asked for
NETWORKS = {
    "scrim": "Scrim",
    "munet": "MUNet",
    "sinet": "SINet",
    "portraitnet": "PortraitNet",
    "transfer": "Transfer",
    "unet": "UNet",
}

# Weights of others, by file -> whose they are.
STARTED = {
    "mobilenetv2_050_folded.npz": (
        "the MIT-licensed weights of github.com/anilsathyan7/Portrait-Segmentation"
    )
}
LICENCE = (
    "Apache-2.0 for the code; the weights as far as the licences of the pictures allow, see origin"
)


def network(used: Recipe) -> type[nn.Module]:
    """The class of a recipe's network."""
    return getattr(import_module(f"training.models.{used.network}"), NETWORKS[used.network])


def build(used: Recipe) -> nn.Module:
    """The network of a recipe, with fresh weights. Raises `ConfigError` for a bad option."""
    try:
        return network(used)(**used.options)
    except (TypeError, KeyError) as error:
        raise ConfigError(f"{used.network} does not take {used.options}: {error}") from error


def start(model: nn.Module, weights: Path) -> str:
    """Fill the encoder: folded weights (.npz), or the encoder of a checkpoint (.pt).

    Of a checkpoint whose decoder is like this one's, all that fits is taken. Gives in words where
    it started, for the card.
    """
    try:
        if weights.suffix == ".pt":
            other = read(weights)
            state = other["model"].items()
            model.encoder.fill({k.removeprefix("encoder."): v for k, v in state})
            part = "decoder" if taken(model, other["model"]) else "encoder"
            return f"Its {part} started from that of {other['recipe']}: {learnt(other)}"
        with weights.open("rb") as file:
            if not is_zipfile(file):
                raise ValueError("no archive")
            with np.load(file) as found:
                model.encoder.fill(found)
        return f"Its encoder started from {STARTED.get(weights.name, weights.name)}"
    except OSError as error:
        hint = "name the file with --weights, or start from nothing: --set pretrained=false"
        raise ModelNotFound(f"cannot read {weights}: {error}", hint) from error
    except (ValueError, KeyError, RuntimeError, AttributeError) as error:
        hint = "--weights takes a run's best.pt, or an .npz of folded weights"
        raise ModelContract(f"{weights} does not fit the encoder", hint) from error


def taken(model: nn.Module, state: dict[str, torch.Tensor]) -> bool:
    """Take the decoder too, when most weights of a name that both have fit; tell whether.

    What the model alone has, bottlenecks and memories, adds nothing at first.
    """
    own = {k: v for k, v in model.state_dict().items() if k.startswith("decoder.")}
    both = own.keys() & state.keys()
    fit = {k: state[k] for k in both if state[k].shape == own[k].shape}
    if 2 * len(fit) <= len(both):
        return False
    model.load_state_dict(fit, strict=False)
    return True


def read(path: Path) -> dict:
    """A checkpoint's content."""
    try:
        with path.open("rb") as file:
            if not is_zipfile(file):  # of other content the unpickler makes errors of every kind
                raise ValueError("no zip archive")
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
    or as many as its card names classes; one with memory takes it behind src, or nothing at the
    start, and gives (logits, *memory).
    """
    found = read(Path(path))
    used = recipes.find(found["recipe"], found.get("changes", ()))
    model = build(used)
    try:
        model.load_state_dict(found["model"])
    except RuntimeError as error:  # in words of torch that fill a page
        said = f"{path} does not fit the network of its recipe, {found['recipe']}"
        raise ModelContract(said, "the recipe has changed since, or it is another's") from error
    return model.eval(), card(found)


def card(found: dict) -> Card:
    """The card of a checkpoint's content."""
    used = recipes.find(found["recipe"], found.get("changes", ()))
    return Card(
        name=used.name,
        licence=LICENCE,
        origin=origin(used, found),
        sizes=used.sizes,
        memory=getattr(network(used), "memory", ()),
        classes=CLASSES if used.task == "parts" else (),
        figures=found.get("figures", {}),
    )


def origin(used: Recipe, found: dict) -> str:
    """In words: how it was trained, for how long, on whose pictures."""
    said = " ".join(["the recipe", used.name, *found.get("changes", ())])
    minutes, pictures = found.get("spent_s", 0) / 60, used.seen(found.get("step", 0))
    return f"Trained by {said}, {minutes:.0f} minutes, {pictures:,} pictures seen. {learnt(found)}"


def learnt(found: dict) -> str:
    """In words: what a checkpoint learnt from, and where it started; of one that was restored from
    an IR, what its card said."""
    if "learnt" in found:
        return found["learnt"]
    sources = "; ".join(f"{k} ({v})" if v else k for k, v in found.get("sources", {}).items())
    said = f"Learnt from: {sources or 'not recorded'}."
    started = found.get("started", "").replace(f": {said}", ", which learnt from the same.")
    return once(f"{said} {started}".strip())


def once(text: str) -> str:
    """The text without a sentence that is the one before it again: one a run that went on."""
    said: list[str] = []
    for sentence in text.split(". "):
        if sentence != (said or [""])[-1]:
            said.append(sentence)
    return ". ".join(said)
