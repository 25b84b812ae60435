"""The look of a line: what a browser may see and change of its settings.

A key has the name that `--set` knows, "scene.blur". A number or a choice can be no path, so every
one of the tables below is open; the three keys that are text hold names, never paths, on this
side of the server (see `studio`).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.fields import FieldInfo

from realtime.config import Config
from realtime.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)

TABLES = ("scene", "light", "edges", "temporal", "refine", "matting")
NAMED = ("scene.backdrop", "matting.model", "matting.device")
CLOSED = ("matting.threads",)
"""How many processors may be taken is the owner's to say."""


class Strict(BaseModel):
    """Takes what JSON says as it is: "0.5" is no number."""

    model_config = ConfigDict(strict=True, extra="forbid", populate_by_name=False)


def _open_fields() -> dict[str, FieldInfo]:
    found = {}
    for table in TABLES:
        for key, field in type(getattr(Config(), table)).model_fields.items():
            name = f"{table}.{key}"
            if name in NAMED or (_is_plain(field.annotation) and name not in CLOSED):
                found[name] = field
    return found


def _is_plain(kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return True
    return (
        all(_is_plain(part) for part in get_args(kind))
        if get_args(kind)
        else kind in (bool, int, float)
    )


def _aliased(name: str, field: FieldInfo) -> tuple[Any, FieldInfo]:
    aliased = copy.copy(field)
    aliased.title = name
    aliased.alias = aliased.validation_alias = aliased.serialization_alias = name
    return field.annotation, aliased


Look = create_model(
    "Look",
    __base__=Strict,
    __doc__="Settings of a line that may be changed while it runs; those left out stay.",
    **{name.replace(".", "_"): _aliased(name, field) for name, field in _open_fields().items()},  # type: ignore[call-overload]
)


def checked(kind: type[Model], given: object) -> Model:
    """Return what a browser sent as a model of ours. Raises `ConfigError`."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the body"
        known = [field.alias or name for name, field in kind.model_fields.items()]
        hint = f"known: {', '.join(known)}" if first["type"] == "extra_forbidden" else ""
        raise ConfigError(f"{key}: {first['msg'].lower()}", hint) from error


def read_look(given: object) -> dict[str, Any]:
    """Return the keys that a browser wants changed. Raises `ConfigError`."""
    return checked(Look, given).model_dump(by_alias=True, exclude_unset=True)


def look_of(config: Config) -> dict[str, Any]:
    """Return the open keys of a configuration, names still as paths."""
    tables = config.model_dump()
    return {name: tables[name.split(".")[0]][name.split(".")[1]] for name in _open_fields()}


def tables_of(look: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a look as tables of the configuration."""
    tables: dict[str, dict[str, Any]] = {}
    for name, value in look.items():
        table, _, key = name.partition(".")
        tables.setdefault(table, {})[key] = value
    return tables
