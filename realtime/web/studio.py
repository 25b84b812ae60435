"""What the server serves: the local line with its figures, and the scenes to choose from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from realtime.build import PICTURES, backdrop_files
from realtime.config import COLOUR, Config
from realtime.control import Control
from realtime.errors import ConfigError
from realtime.web.broadcast import Broadcast

COLOURS = ("#2f3e46", "#e8e4dc", "#35524a", "#7a4b3a")
"""Colours that the studio offers beside its own colour picker."""

OPEN_KEYS = ("backdrop", "fit", "blur")
"""Keys of [scene] that a browser may change; the folder is not among them."""


class Studio:
    """`control` and `watch` are the local line's."""

    def __init__(self, control: Control, watch: Broadcast) -> None:
        self.control = control
        self.watch = watch

    @property
    def has_camera(self) -> bool:
        """Whether there is a local line to watch."""
        return self.control.runner is not None

    def state(self) -> dict[str, Any]:
        """Return what the page shows of the local line."""
        return {
            "camera": self.has_camera,
            "scene": self.shown(self.control.config),
            "figures": self.control.stats.snapshot() if self.has_camera else None,
        }

    def shown(self, config: Config) -> dict[str, Any]:
        """Return a configuration's scene as browsers may see it: names, never paths."""
        scene = config.scene
        return {
            "backdrop": Path(scene.backdrop).name,
            "fit": scene.fit,
            "blur": scene.blur,
        }

    def backdrops(self) -> list[dict[str, str]]:
        """Return names and kinds of all backdrops; colours are only a choice, any is allowed."""
        found = [{"name": "blur", "kind": "blur"}]
        found += [{"name": colour, "kind": "colour"} for colour in COLOURS]
        for name, path in backdrop_files(self.control.config.scene).items():
            kind = "picture" if path.suffix.lower() in PICTURES else "video"
            found.append({"name": name, "kind": kind})
        return found

    def scene(self, changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Return a browser's changes as changes of the configuration. Raises `ConfigError`."""
        for key in changes:
            if key not in OPEN_KEYS:
                raise ConfigError(f"scene.{key}: no such key", f"known: {', '.join(OPEN_KEYS)}")
        if "backdrop" in changes:
            changes = {**changes, "backdrop": self.backdrop(changes["backdrop"])}
        return {"scene": dict(changes)}

    def backdrop(self, name: object) -> str:
        """Return what [scene] calls a backdrop that a browser names. Raises `ConfigError`."""
        if name == "blur" or (isinstance(name, str) and re.fullmatch(COLOUR, name)):
            return str(name)
        files = backdrop_files(self.control.config.scene)
        if not isinstance(name, str) or name not in files:
            raise ConfigError(f"no backdrop {name!r}", "choose one of /api/v1/backdrops")
        return str(files[name])
