"""Read a trained network: the graph, the card, and the original itself to compare with."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import openvino as ov
from openvino.frontend import OpConversionFailure
from pydantic import ValidationError

from conversion import picture
from conversion.cards import OURS, Signature
from realtime.contract import Card, Size
from realtime.door import how_to_install
from realtime.errors import ConfigError, ModelError, ModelNotFound
from realtime.frame import Alpha, Bytes

if TYPE_CHECKING:
    from torch import nn


Matte = Callable[[Bytes], Alpha]
"""A stream's next matte: BGR uint8 (height, width, 3) -> float32 (height, width) in 0..1."""


@dataclass(frozen=True, slots=True)
class Original:
    """A network as its authors left it.

    `graph` takes a picture and gives a matte as `signature` says. `session` begins a stream in
    `runtime`, where the network was made; its memory, if it has one, starts as zeros. `budget` is
    the difference of alpha that its card allows, None for the usual one.
    """

    graph: ov.Model
    card: Card
    session: Callable[[], Matte]
    signature: Signature = OURS
    runtime: str = "PyTorch"
    budget: float | None = None


def read(path: Path, name: str = "") -> Original:
    """Read a checkpoint that `scrim-train` wrote, under another name if one is given.

    Raises `ModelNotFound` without the file, `ModelContract` when it is no checkpoint of ours,
    `ConfigError` for a name that is none, `ModelError` without PyTorch or when OpenVINO lacks an
    operation.
    """
    if not os.path.isfile(path):
        raise ModelNotFound(f"no checkpoint {path}", "scrim-train writes runs/<name>/best.pt")
    try:
        from training.models import load
    except ImportError as error:
        hint = how_to_install("conversion")
        raise ModelError("reading a checkpoint needs PyTorch", hint) from error
    module, card = load(path)
    return from_torch(module, _renamed(card, name) if name else card)


def _renamed(card: Card, name: str) -> Card:
    try:
        return Card.model_validate(card.model_dump() | {"name": name})
    except ValidationError as error:
        raise ConfigError(f"{name!r} is no model's name", "use a-z, 0-9, '.', '_', '-'") from error


def from_torch(module: nn.Module, card: Card) -> Original:
    """Read a module in evaluation mode: RGB (1, 3, H, W) in 0..1 -> logits (1, K, H, W).

    K is 1, or the number of the card's classes, of which the first is the background. One whose
    card names a memory takes it behind the picture, or nothing at the start, and gives a tuple of
    logits and memory.

    From here on PyTorch computes on one thread, or its waiting threads and OpenVINO's would take
    turns in each other's way (25 ms become 600).
    """
    import torch

    torch.set_num_threads(1)

    def session() -> Matte:
        memory: list[torch.Tensor] = []

        def alpha(bgr: Bytes) -> Alpha:
            with torch.inference_mode():
                out = module(torch.from_numpy(picture.feed(bgr, OURS)), *memory)
            logits, *memory[:] = out if card.memory else (out,)
            return picture.matte(logits.numpy(), OURS, card, bgr.shape[:2])

        return alpha

    try:
        graph = _traced(module, card)
        _name(graph, card)
    except (RuntimeError, OpConversionFailure) as error:
        reason = str(error.__cause__ or error).strip().splitlines()[-1]
        raise ModelError(
            f"OpenVINO cannot convert {card.name}: {reason.lstrip('- ')}",
            "build the network from operations that OpenVINO knows",
        ) from error
    return Original(graph, card, session)


def _traced(module: nn.Module, card: Card) -> ov.Model:
    """Return a module's graph, of open sides where the card has several sizes."""
    import torch

    width, height = card.sizes[0]
    src = torch.zeros(1, 3, height, width)
    with torch.no_grad():
        memory = module(src)[1:] if card.memory else ()
    shapes = [
        ov.PartialShape([1, 3, *sides(card.sizes)]),
        *(ov.PartialShape([1, part.shape[1], -1, -1]) for part in memory),
    ]
    with warnings.catch_warnings():
        # OpenVINO traces; what torch.export offers instead fixes the size of a graph whose sides
        # may be odd.
        warnings.filterwarnings("ignore", ".*torch.jit.trace", DeprecationWarning)
        return ov.convert_model(module, input=shapes, example_input=(src, *memory))


def _name(graph: ov.Model, card: Card) -> None:
    """Name the memory's ports as the card does; they follow the picture and the matte."""
    for place, (source, target) in enumerate(card.memory, 1):
        graph.inputs[place].set_names({source})
        graph.outputs[place].set_names({target})


def sides(sizes: tuple[Size, ...]) -> tuple[ov.Dimension, ov.Dimension]:
    """Return the range of heights and of widths; a range of one is a fixed length."""
    widths, heights = zip(*sizes, strict=True)
    return ov.Dimension(min(heights), max(heights)), ov.Dimension(min(widths), max(widths))
