"""The line of one browser's own camera: source, pipeline and sink of its own, and its figures."""

from __future__ import annotations

from realtime.build import make_pipeline
from realtime.config import Config
from realtime.control import Control
from realtime.matting.engine import MattingModel
from realtime.runner import Outlet, Runner
from realtime.stats import Stats
from realtime.web.broadcast import Broadcast
from realtime.web.uplink import BrowserSource


class BrowserLine:
    """Composes what `source` receives and hands it to `broadcast`; until then the stand-by picture.

    Building loads backdrops and may compile: keep it out of the event loop. Raises
    `ConfigError`, `ModelError`.
    """

    def __init__(self, config: Config, model: MattingModel) -> None:
        stats = Stats()
        self.source = BrowserSource()
        self.broadcast = Broadcast(self.source.fps)
        self._runner = Runner(
            self.source.open,
            make_pipeline(config, model, stats),
            [Outlet("browser", lambda: self.broadcast, self.source.fps)],
            (config.camera.width, config.camera.height),
            stats,
        )
        self.control = Control(config, model, stats, self._runner)
        self._runner.start()

    def stop(self) -> None:
        """End all threads."""
        self._runner.stop()
