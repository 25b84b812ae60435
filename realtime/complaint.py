"""What pydantic finds wrong with a configuration, in words of its user. Floor 0."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ValidationError

from realtime.errors import ConfigError

REASONS = {
    "string_pattern_mismatch": "",
    "string_unicode": ": it is not UTF-8",
    "string_too_short": ": it is empty",
    "model_type": ": a table is wanted",
}
"""What pydantic says in words that are no user's; a pattern is told by the key's description."""


def complaint(error: ValidationError, defaults: BaseModel, keys: Iterable[str]) -> ConfigError:
    """Return the first thing that is wrong: which key, why, and what was meant or is wanted.

    `defaults` is a configuration whose fields have descriptions, `keys` all that can be named.
    """
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    key = ".".join(path[:2])
    if first["type"] == "extra_forbidden":
        return ConfigError(f"{key}: no such key", _suggest(key, keys))
    reason = first["msg"].removeprefix("Value error, ").replace("Input should", "it has to", 1)
    reason = REASONS.get(first["type"], f": {reason}")
    message = f"{key}: {first['input']!r} is not allowed{reason}"
    return ConfigError(message, _describe(path, defaults))


def _suggest(key: str, keys: Iterable[str]) -> str:
    near = difflib.get_close_matches(key, keys, 1, 0.5)
    if near:
        return f"did you mean {near[0]}?"
    return "`scrim config --dump` lists every key"


def _describe(path: Sequence[str], defaults: BaseModel) -> str:
    table = getattr(defaults, path[0], None)
    if len(path) < 2 or not isinstance(table, BaseModel):
        return ""
    field = type(table).model_fields.get(path[1])
    return (field.description or "") if field else ""
