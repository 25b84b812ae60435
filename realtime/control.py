"""The controls of one line: its settings, changed while it runs. Floor 4.

Whoever changes something (the studio, a signal, a file that was edited) does it here, so that two
at once take turns and none undoes the other. What cannot be built changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.contract import nearest_size
from realtime.matting.engine import MattingModel
from realtime.runner import Runner
from realtime.stats import Stats


class Control:
    """`config` and `model` are those at work; `runner` is None where there is no camera."""

    def __init__(
        self, config: Config, model: MattingModel, stats: Stats, runner: Runner | None
    ) -> None:
        self.config = config
        self.model = model
        self.stats = stats
        self.runner = runner
        self._lock = threading.Lock()

    def change(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Go on with some keys changed. Builds beside the running line: keep it off its threads.

        Takes effect at once: the steps of a frame, the network and its device. Raises
        `ConfigError`, `ModelError`, and then nothing has changed.
        """
        with self._lock:
            config = self.config.with_values(changes)
            model = self.model if config.matting == self.config.matting else _ready_model(config)
            if self.runner:
                self.runner.swap(make_pipeline(config, model, self.stats))
            self.config, self.model = config, model


def _ready_model(config: Config) -> MattingModel:
    """Compile for the camera's size too: the first frame must not wait for it."""
    model = load_model(config.matting)
    model.compiled(nearest_size(model.card.sizes, config.camera.width, config.camera.height))
    return model
