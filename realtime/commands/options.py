"""Options that several commands have, and the configuration that comes of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from realtime import layers
from realtime.config import Config

Tables = dict[str, dict[str, Any]]

ConfigFile = Annotated[
    Path | None,
    typer.Option("-c", "--config", help="Configuration file; ./config.toml if there is one."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one key, e.g. scene.blur=0.8."),
]
Model = Annotated[
    str | None, typer.Option("-m", "--model", help="A name of `scrim models` or a path.")
]
Device = Annotated[str | None, typer.Option("-d", "--device", help="CPU, GPU, NPU or AUTO.")]
Backdrop = Annotated[
    str | None,
    typer.Option("--backdrop", help='"blur", "green", "#rrggbb", a picture, video or folder.'),
]


def load_config(
    path: Path | None, sets: list[str] | None, last: Tables | None = None, **shortcuts: object
) -> Config:
    """Read the effective configuration; shortcuts such as `scene_backdrop` come last."""
    changes: dict[str, dict[str, object]] = {}
    for name, value in shortcuts.items():
        if value is not None:
            table, _, key = name.partition("_")
            changes.setdefault(table, {})[key] = value
    return layers.load(config_file(path), os.environ, sets or (), last).with_values(changes)


def config_file(path: Path | None) -> Path | None:
    """Return the file that is read: the one that is named, or ./config.toml if there is one."""
    here = Path("config.toml")
    return path or (here if here.is_file() else None)
