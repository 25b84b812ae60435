"""Where settings come from, one layer over the other, and how they are written. Floor 0.

Order: defaults < file < the studio's last look < `SCRIM_<TABLE>_<KEY>` environment
< `--set table.key=value`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from realtime.config import Config, Table, check, known_keys, merge
from realtime.errors import ConfigError


def load(
    path: Path | None,
    environment: Mapping[str, str] | None = None,
    sets: Iterable[str] = (),
    last: Mapping[str, Mapping[str, Any]] | None = None,
) -> Config:
    """Read the effective configuration; `path` None means defaults. Raises `ConfigError`.

    `last` are the tables that were changed while Scrim ran last: they come after the file.
    """
    tables: dict[str, Any] = {}
    for layer in (
        _read_file(path) if path else {},
        last or {},
        _read_environment(environment or {}),
        read_sets(sets),
    ):
        merge(tables, layer)
    return check(tables)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        check(tables)
        return tables
    except ConfigError as error:  # many programs have a config.toml: say which one it is
        raise ConfigError(f"{path}: {error.message}", error.hint) from error
    except FileNotFoundError as error:
        raise ConfigError(
            f"no configuration file {path}", "write one with `scrim config --dump`"
        ) from error
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # no number of 5000 digits, no 1000 brackets
        raise ConfigError(f"{path} is no valid TOML: {error}") from error


def _read_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for name, value in environment.items():
        if name.startswith("SCRIM_"):
            table, _, key = name.removeprefix("SCRIM_").lower().partition("_")
            if f"{table}.{key}" not in known_keys():
                raise ConfigError(f"{name}: no such key", "SCRIM_SCENE_BLUR stands for scene.blur")
            tables.setdefault(table, {})[key] = value
    return tables


def read_sets(sets: Iterable[str]) -> dict[str, Any]:
    """Read texts of the form `table.key=value` into tables. Raises `ConfigError`."""
    tables: dict[str, Any] = {}
    for text in sets:
        name, equals, value = text.partition("=")
        table, _, key = name.strip().partition(".")
        if not (equals and table and key):
            raise ConfigError(f"{text!r} is not of the form table.key=value", "as scene.blur=0.8")
        tables.setdefault(table, {})[key] = value
    return tables


def to_environment(sets: Iterable[str]) -> dict[str, str]:
    """Return texts of the form `table.key=value` as variables that `load` reads back."""
    tables = read_sets(sets).items()
    return {
        f"SCRIM_{table}_{key}".upper(): value
        for table, keys in tables
        for key, value in keys.items()
    }


def to_toml(config: Config) -> str:
    """Write a configuration as TOML, every key with a comment. `load` reads it back."""
    lines = []
    for table, model in config:
        lines.append(f"[{table}]")
        for key, value in model:
            comment = type(model).model_fields[key].description
            lines.append(f"{key} = {_toml_value(value)}".ljust(32) + f"# {comment}")
        lines.append("")
    return "\n".join(lines)


def _toml_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml_value, value))}]"
    if isinstance(value, Table):
        return f"{{{', '.join(f'{key} = {_toml_value(part)}' for key, part in value)}}}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
