"""What the server serves: the local line, and everything that may be chosen by name."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from realtime.build import COLOURS, DEFAULT_MODEL, backdrop_files, model_names
from realtime.config import COLOUR, Config
from realtime.control import Control
from realtime.errors import ConfigError, ScrimError, UnknownName
from realtime.web.broadcast import Broadcast
from realtime.web.look import look_of, read_look, tables_of
from realtime.web.store import Store

log = logging.getLogger(__name__)

Tables = dict[str, dict[str, Any]]

NAME = r"^[A-Za-z0-9\u00c0-\ud7ff][^\u0000-\u001f\u007f/\\]{0,39}$"
"""What a preset may be called."""


class Studio:
    """`control` and `watch` are the local line's; `store` keeps presets, uploads, the last look.

    Browsers name backdrops and models; what the name stands for is found here and nowhere else.
    """

    def __init__(self, control: Control, watch: Broadcast) -> None:
        self.control = control
        self.watch = watch
        self.store = Store(control.config.web.folder)
        self._begun = control.config
        self._remembering = threading.Lock()

    @property
    def has_camera(self) -> bool:
        """Whether there is a local line to watch."""
        runner = self.control.runner
        return runner is not None and not runner.searching

    def backdrops(self) -> dict[str, Path]:
        """Return pictures and videos by name: the folder's, uploads, and what was and is shown."""
        now = self.control.config.scene
        known = backdrop_files(Path(now.folder)) | backdrop_files(self.store.uploads)
        named = (
            Path(each) for each in (self._begun.scene.backdrop, now.backdrop) if each != "blur"
        )
        return {path.name: path for path in named if path.name and path.exists()} | known

    def models(self) -> dict[str, str]:
        """Return what [matting] calls each model that may be chosen, by name."""
        named = (self._begun.matting.model, self.control.config.matting.model)
        return {name: name for name in model_names()} | {Path(each).stem: each for each in named}

    def preset(self, name: str) -> Tables:
        """Return a preset as changes of the configuration. Raises `UnknownName`."""
        presets = self.store.presets()
        if name not in presets:
            known = f"there are: {', '.join(presets)}" if presets else "scrim ctl save=NAME"
            raise UnknownName(f"no preset {name!r}", known)
        return self.tables(read_look(presets[name]))

    def save_preset(self, name: str, look: Mapping[str, Any]) -> bool:
        """Keep a look under a name; say whether the name is new.

        Raises `ConfigError`, `SinkUnavailable`.
        """
        if not re.fullmatch(NAME, name):
            hint = "begin with a letter or a digit; 40 characters at most, no / or \\"
            raise ConfigError(f"{name!r} is no name for a preset", hint)
        self.tables(look)  # names that stand for nothing are refused now, not when it is chosen
        return self.store.save_preset(name, dict(look))

    def remember(self) -> None:
        """Keep the local line's look for the next start; where that cannot be, it holds for now."""
        try:
            with self._remembering:  # of two at once the later look is written last
                self.store.remember(look_of(self.control.config))
        except ScrimError as error:
            log.warning("the look is not remembered: %s", error)

    def shown(self, config: Config) -> dict[str, Any]:
        """Return a configuration's look as browsers may see it: names, never paths."""
        look = look_of(config)
        look["scene.backdrop"] = Path(look["scene.backdrop"]).name
        model = Path(look["matting.model"]).stem
        look["matting.model"] = DEFAULT_MODEL if model == "default" else model
        return look

    def tables(self, look: Mapping[str, Any]) -> Tables:
        """Return a checked look as changes of the configuration. Raises `UnknownName`."""
        places: dict[str, Callable[[str], str]] = {
            "scene.backdrop": self._backdrop,
            "matting.model": self._model,
        }
        found = {key: places[key](value) if key in places else value for key, value in look.items()}
        return tables_of(found)

    def _backdrop(self, name: str) -> str:
        if name in ("blur", *COLOURS) or re.fullmatch(COLOUR, name):
            return name
        path = self.backdrops().get(name)
        if path is None:
            raise UnknownName(f"no backdrop {name!r}", "choose one in scene.folder")
        return str(path)

    def _model(self, name: str) -> str:
        known = self.models()
        if name not in known:
            raise UnknownName(f"no model {name!r}", f"choose one of {', '.join(known)}")
        return known[name]
