"""Tables of foreign models: `cards.toml`, and a user's own file of the same form.

A table says in words and figures what Python would otherwise have to know: where the file comes
from, whose it is, how it takes a picture and what it gives.
"""

from __future__ import annotations

import os
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from conversion.nodes import NODES
from realtime.contract import Card
from realtime.errors import ConfigError, ModelNotFound

SHIPPED = Path(__file__).with_name("cards.toml")
HOW = "write a table of your own and name its file with --cards; conversion/README.md says how"

Text = Annotated[str, Field(min_length=1)]
Pixels = Annotated[int, Field(gt=0, le=4096)]
Triple = tuple[float, float, float]
Scale = Annotated[float, Field(gt=0)]
Tensor = Text | Annotated[int, Field(ge=0)]


class Signature(BaseModel):
    """How a graph takes a picture and what it gives, as its authors left it.

    A network of ours, the default: RGB (1, 3, H, W) in 0..1 -> logits (1, K, H, W).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    input: Tensor = 0
    """The picture's tensor: its name, or its place among the inputs that nothing else names."""
    output: Tensor = 0
    """The matte's tensor, likewise."""
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    colour: Literal["RGB", "BGR"] = "RGB"
    mean: Triple = (0, 0, 0)
    """Of values 0..255, in the order of `colour`: the graph takes (value - mean) / scale."""
    scale: tuple[Scale, Scale, Scale] = (255, 255, 255)
    kind: Literal["alpha", "logits", "two-class", "two-class-logits"] = "logits"
    """`alpha`: 0..1; `logits`: before the sigmoid, or before the soft-max of a card with classes;
    `two-class`: a probability each of background and person; `two-class-logits`: before soft-max.
    """
    channel: int = Field(1, ge=0, le=1)
    """The person's, of two classes."""
    constants: dict[Text, float] = {}
    """Inputs that always take the same value."""


OURS = Signature()
"""Of every network that `scrim-train` makes."""


class Foreign(BaseModel):
    """One table: a model of others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[Text, ...] = Field(min_length=1)
    """Names that the file usually has; * and ? stand for any characters."""
    inside: str = ""
    """Path of the model within a .whl or .zip."""
    get: Text
    """How a user comes by the file."""
    licence: Text
    origin: Text
    sizes: tuple[tuple[Pixels, Pixels], ...] = Field(min_length=1)
    """(width, height), the usual one first."""
    memory: tuple[tuple[Text, Text], ...] = ()
    classes: tuple[Text, ...] = ()
    custom_nodes: tuple[str, ...] = ()
    """Operations of the file that OpenVINO lacks and `conversion/nodes.py` rewrites."""
    budget: float | None = Field(None, gt=0, lt=0.1)
    """Largest difference of alpha between original and IR, where the usual one does not do."""
    signature: Signature = OURS

    @field_validator("custom_nodes")
    @classmethod
    def _known(cls, nodes: tuple[str, ...]) -> tuple[str, ...]:
        for node in nodes:
            if node not in NODES:
                raise ValueError(f"{node!r} is none of {', '.join(NODES)}")
        return nodes

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.memory and len(self.sizes) > 1:
            raise ValueError("a network with memory takes one size")
        if self.classes and self.signature.kind != "logits":
            raise ValueError("classes go with kind 'logits'")
        return self

    def card(self, name: str) -> Card:
        """Return the card that the IR will carry. Raises `ConfigError` for a name that is none."""
        facts = self.model_dump(include={"licence", "origin", "sizes", "memory", "classes"})
        try:
            return Card.model_validate(facts | {"name": name})
        except ValidationError as error:
            hint = "use a-z, 0-9, '.', '_', '-'"
            raise ConfigError(f"{name!r} is no model's name", hint) from error


def load(path: Path = SHIPPED) -> dict[str, Foreign]:
    """Read all tables of a file. Raises `ConfigError` with the table and the key."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", HOW) from error
    except ValueError as error:  # of TOML and of UTF-8
        raise ConfigError(f"{path} is no TOML: {error}") from error
    return {name: _table(path, name, table) for name, table in tables.items()}


def _table(path: Path, name: str, table: object) -> Foreign:
    try:
        return Foreign.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in (name, *first["loc"]))
        unknown = first["type"] == "extra_forbidden"
        reason = "no such key" if unknown else first["msg"].removeprefix("Value error, ")
        model = Signature if first["loc"][:1] == ("signature",) else Foreign
        raise ConfigError(
            f"{path.name}: {key}: {reason}", f"keys: {', '.join(model.model_fields)}"
        ) from error


def choose(source: Path, name: str, tables: dict[str, Foreign]) -> tuple[str, Foreign]:
    """Return the table of that name, or without one the table whose file this is.

    Raises `ConfigError` when there is none or when several fit, `ModelNotFound` when there is not
    even a file.
    """
    known = f"cards: {', '.join(sorted(tables))}; {HOW}"
    if name:
        if name not in tables:
            raise ConfigError(f"no card {name!r}", known)
        return name, tables[name]
    fit = [key for key, table in tables.items() if _fits(source.name, table)]
    if not fit and not os.path.exists(source):
        raise ModelNotFound(f"no model {source}", "and no card tells where to get it")
    if not fit:
        raise ConfigError(f"no card fits {source.name}; choose one with --card", known)
    if len(fit) > 1:
        raise ConfigError(
            f"several cards fit {source.name}", f"choose one with --card: {', '.join(sorted(fit))}"
        )
    return fit[0], tables[fit[0]]


def _fits(file: str, table: Foreign) -> bool:
    return any(fnmatch(file, pattern) for pattern in table.files)
