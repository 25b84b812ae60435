"""What a model promises: the card in an IR's `rt_info`. Floor 0.

The engine knows networks only through this card, so a new network needs no Python at run time.
A graph that carries a card takes `image`, uint8 (1, height, width, 3) in BGR at one of `sizes`,
and gives `alpha`, float32 (1, 1, height, width) in 0..1: colour order, mean, scale and soft-max
are inside the graph. Recurrent networks name their memory as pairs (input, output); a memory
starts as zeros. A network of many classes also gives `classes`, uint8 (1, height, width): the
number of the most likely of the card's class names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from realtime.errors import ModelContract

if TYPE_CHECKING:
    import openvino as ov

CARD_KEY = "scrim"
"""Section of `rt_info` that holds the card, as one JSON text under `card`."""

IMAGE = "image"
ALPHA = "alpha"
CLASSES = "classes"

Size = tuple[int, int]
"""(width, height) in pixels."""

ALIKE = 1.6
"""Ratio of areas below which two of a network's sizes are of one kind, and differ in shape."""


class Card(BaseModel):
    """A model's card: who made it, from what, how good it is, and how to feed it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    licence: str = Field(min_length=1)
    origin: str = Field(min_length=1)
    sizes: tuple[Size, ...] = Field(min_length=1)
    """Input sizes the network was made for; the first is its usual one. Each shape may come in
    several areas: see `sizes_at`."""
    memory: tuple[tuple[str, str], ...] = ()
    classes: tuple[str, ...] = ()
    """Names of what a network of many classes tells apart, the background first; else empty."""
    figures: dict[str, float] = {}

    @classmethod
    def of(cls, model: ov.Model, where: str) -> Card:
        """Read the card of a graph. Raises `ModelContract` when it is missing or unreadable."""
        if not model.has_rt_info([CARD_KEY, "card"]):
            raise ModelContract(
                f"{where} carries no card", "convert the model with scrim-convert first"
            )
        try:
            return cls.model_validate_json(model.get_rt_info([CARD_KEY, "card"]).astype(str))
        except ValidationError as error:
            reason = error.errors()[0]
            key = ".".join(str(part) for part in reason["loc"]) or "card"
            raise ModelContract(
                f"the card of {where} is broken: {key}: {reason['msg']}",
                "convert the model again with scrim-convert",
            ) from error

    def sizes_at(self, scale: float = 1.0) -> tuple[Size, ...]:
        """Return the sizes, of all shapes, whose area is nearest to that of the usual one with its
        sides times `scale`."""
        areas = [width * height for width, height in self.sizes]
        wanted = areas[0] * scale**2
        nearest = min(areas, key=lambda area: abs(math.log(area / wanted)))
        pairs = zip(self.sizes, areas, strict=True)
        return tuple(size for size, area in pairs if 1 / ALIKE < area / nearest < ALIKE)

    def write_to(self, model: ov.Model) -> None:
        """Store this card in the graph's `rt_info`."""
        model.set_rt_info(self.model_dump_json(), [CARD_KEY, "card"])

    def hold(self, model: ov.Model, where: str) -> None:
        """Raise `ModelContract` unless the graph keeps what the card promises."""
        for complaint in self._complaints(model):
            raise ModelContract(
                f"the card of {where} contradicts its graph: {complaint}",
                "convert the model again with scrim-convert",
            )

    def _complaints(self, model: ov.Model) -> list[str]:
        inputs = {name: port for port in model.inputs for name in port.get_names()}
        outputs = {name: port for port in model.outputs for name in port.get_names()}
        found = [f"no input {name!r}" for name in self._inputs() if name not in inputs]
        found += [f"no output {name!r}" for name in self._outputs() if name not in outputs]
        if len(model.inputs) != len(self._inputs()):
            found.append(f"{len(model.inputs)} inputs where {len(self._inputs())} are named")
        if found:
            return found
        found = _image_complaints(inputs[IMAGE], self.sizes)
        if _type(outputs[ALPHA]) != "f32":
            found.append(f"output {ALPHA!r} is {_type(outputs[ALPHA])}, not f32")
        if self.classes:
            found += _classes_complaints(outputs[CLASSES], self.sizes)
        return found

    def _inputs(self) -> list[str]:
        return [IMAGE, *(pair[0] for pair in self.memory)]

    def _outputs(self) -> list[str]:
        many = [CLASSES] if self.classes else []
        return [ALPHA, *many, *(pair[1] for pair in self.memory)]


def _image_complaints(image: Any, sizes: tuple[Size, ...]) -> list[str]:
    if _type(image) != "u8":
        return [f"input {IMAGE!r} is {_type(image)}, not u8"]
    shape = image.get_partial_shape()
    if shape.rank.is_dynamic or len(shape) != 4 or not _fits(shape[3], 3):
        return [f"input {IMAGE!r} is {shape}, not (1, height, width, 3)"]
    for width, height in sizes:
        if not (_fits(shape[1], height) and _fits(shape[2], width)):
            return [f"input {IMAGE!r} of shape {shape} does not take {width}x{height}"]
    return []


def _classes_complaints(classes: Any, sizes: tuple[Size, ...]) -> list[str]:
    if _type(classes) != "u8":
        return [f"output {CLASSES!r} is {_type(classes)}, not u8"]
    shape = classes.get_partial_shape()
    flat = shape.rank.is_static and len(shape) == 3
    for width, height in sizes:
        if not (flat and all(map(_fits, shape, (1, height, width)))):
            return [f"output {CLASSES!r} of shape {shape} is not (1, {height}, {width})"]
    return []


def _type(port: Any) -> str:
    return str(port.get_element_type().get_type_name())


def _fits(dimension: Any, length: int) -> bool:
    """Whether a possibly dynamic, possibly bounded dimension takes this length."""
    return bool(dimension.compatible(type(dimension)(length)))


def nearest_size(sizes: Sequence[Size], width: int, height: int) -> Size:
    """Return the network input whose aspect ratio is nearest to the picture's (by log ratio).

    A network of several sizes of about equal area sees tall pictures unsqueezed at equal cost.
    """
    aspect = math.log(width / height)
    return min(sizes, key=lambda size: abs(math.log(size[0] / size[1]) - aspect))
