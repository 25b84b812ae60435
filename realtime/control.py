"""The controls of one line: its settings, changed while it runs. Floor 4.

Whoever changes something (the studio, a signal, a file that was edited) does it here, so that two
at once take turns and none undoes the other. What cannot be built changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.contract import nearest_size
from realtime.governor import Step, eased, steps
from realtime.matting.engine import MattingModel
from realtime.runner import Runner
from realtime.stats import Stats

AT_START = (
    *("camera.width", "camera.height", "camera.fps", "camera.on_demand", "camera.linger"),
    "camera.hidden",
    *("virtualcam", "recording", "web", "publish"),
)
"""Keys and tables that are read once: who watches a virtual camera must not see its size change."""

MEMORY = ("temporal", "light", "matting")
"""Tables that make what a stream remembers; while they stay, so does the memory."""

PIPELINE = {"every", "scale", "mirrored"}
"""Keys of [matting] that need no other network."""

LIGHT = ("scene", "light")
"""Tables that make the light that a person is put in."""


class Control:
    """`config` and `model` are those at work; `runner` is None where there is no camera.

    `room` is the developer's view.
    """

    def __init__(
        self,
        config: Config,
        model: MattingModel,
        stats: Stats,
        runner: Runner | None,
        *,
        room: bool = False,
    ) -> None:
        self.config = config
        self.model = model
        self.stats = stats
        self.runner = runner
        self._taken: list[Step] = []
        self._room = room
        self._lock = threading.Lock()

    def change(self, changes: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Go on with some keys changed. Builds beside the running line: keep it off its threads.

        Takes effect at once: the steps of a frame, the network and its device, which camera. The
        keys that only the next start can change are returned. Raises `ConfigError`, `ModelError`,
        and then nothing has changed.
        """
        with self._lock:
            return self._change(changes)

    def lose(self, backdrop: str) -> bool:
        """Go on with blur where a backdrop is shown whose file is gone; say whether it was."""
        with self._lock:
            shown = self.config.scene.backdrop == backdrop
            if shown:
                self._change({"scene": {"backdrop": "blur"}})
            return shown

    def ease(self, level: int) -> None:
        """Give up the first `level` steps of `steps()`, and take back all others."""
        with self._lock:
            taken = self.steps()[:level]
            if self.runner and taken != self._taken:
                self._take(self.runner, self.config, self.model, taken)
                self.runner.thinning.every = taken[-1].every if taken else 1
            self._taken = taken
            self.stats.eased = taken[-1].name if taken else ""

    def steps(self) -> list[Step]:
        """Return what can be given up under load."""
        return steps(self.config, self.model)

    def prepare(self, changes: Mapping[str, Mapping[str, Any]]) -> tuple[Config, MattingModel]:
        """Return what another line begins with that is like this one but for some keys.

        Raises what `change` does.
        """
        config = self.config.with_values(changes)
        return config, self._model_for(config)

    def _change(self, changes: Mapping[str, Mapping[str, Any]]) -> list[str]:
        config, waiting = _without_late(self.config.with_values(changes), self.config)
        model = self._model_for(config)
        if self.runner and config != self.config:
            self._take(self.runner, config, model, self._taken)
        elif config != self.config:  # it is refused here, not in each browser's own line
            make_pipeline(config, model, self.stats, passthrough=self._room)
        self.config, self.model = config, model
        return waiting

    def _model_for(self, config: Config) -> MattingModel:
        changed = config.changes_since(self.config).get("matting", {})
        if changed.keys() <= PIPELINE:
            return self.model
        model = load_model(config.matting)
        _compile(model, config)
        return model

    @property
    def hidden(self) -> bool:
        """Whether the camera is off for privacy."""
        return self.runner is not None and self.runner.hidden

    def hide(self, hidden: bool) -> None:
        """Turn the camera off and show the slate, or go on."""
        if self.runner:
            self.runner.hidden = hidden

    def _take(
        self, runner: Runner, config: Config, model: MattingModel, taken: Sequence[Step]
    ) -> None:
        now = eased(config, taken)
        changed = now.changes_since(eased(self.config, self._taken))
        pipeline = make_pipeline(now, model, self.stats, passthrough=self._room)
        if changed.get("matting", {}).keys() <= {"every"}:
            changed.pop("matting", None)
        else:
            _compile(model, now)

        matte, light = (changed.keys().isdisjoint(tables) for tables in (MEMORY, LIGHT))
        runner.swap(pipeline, partial(pipeline.follow, matte=matte, light=light))
        if "camera" in changed:
            self.config = config
            runner.renew_source()


def _without_late(config: Config, now: Config) -> tuple[Config, list[str]]:
    """Return a configuration without what only the next start can change, and those keys."""
    late: dict[str, dict[str, Any]] = {}
    for table, keys in config.changes_since(now).items():
        for key in keys:
            if table in AT_START or f"{table}.{key}" in AT_START:
                late.setdefault(table, {})[key] = getattr(getattr(now, table), key)
    return config.with_values(late), [f"{table}.{key}" for table in late for key in late[table]]


def _compile(model: MattingModel, config: Config) -> None:
    """Compile for the camera's size too: the first frame must not wait for it."""
    sizes = model.sizes(config.matting.scale)
    model.compiled(nearest_size(sizes, config.camera.width, config.camera.height))
