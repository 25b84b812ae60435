"""The line of one browser's own camera: source, pipeline and sink of its own, and its figures."""

from __future__ import annotations

from realtime.build import make_pipeline
from realtime.config import Config
from realtime.control import Control
from realtime.matting.engine import MattingModel
from realtime.runner import Outlet, Runner
from realtime.stats import Stats
from realtime.web.broadcast import Broadcast
from realtime.web.ladder import LAST_TRY_S, Climber, Report
from realtime.web.sound import Sound
from realtime.web.uplink import BrowserSource

EASE_S = 2.0
"""Seconds over which received and composed pictures are compared."""

KEPT_UP = 0.95
"""Share of the received pictures that is as good as all of them."""


class BrowserLine:
    """Composes what `source` receives and hands it to `broadcast`; until then the stand-by picture.

    `sound` is that of the microphone that came with it, as late as the picture.

    Building loads backdrops and may compile: keep it out of the event loop. Raises
    `ConfigError`, `ModelError`.
    """

    def __init__(self, config: Config, model: MattingModel) -> None:
        stats = Stats()
        self.source = BrowserSource()
        self.broadcast = Broadcast(self.source.fps, stats)
        self._runner = Runner(
            self.source.open,
            make_pipeline(config, model, stats),
            [Outlet("browser", lambda: self.broadcast, self.source.fps)],
            (config.camera.width, config.camera.height),
            stats,
        )
        self.control = Control(config, model, stats, self._runner)
        self.sound = Sound(self.age_s)
        self._climber = Climber(LAST_TRY_S)
        self._received, self._composed, self._eased_at = 0, 0, 0.0
        self._runner.start()

    def age_s(self) -> float:
        """Return how old a composed picture is when it is sent, the median of the last seconds."""
        return self.control.stats.snapshot()["age_ms"]["p50"] / 1000

    def ease(self, now: float) -> None:
        """Compose smaller pictures while there are more than can be composed; call it often.

        The rate comes down by itself, because only the newest picture is taken.
        """
        received, composed = self.source.received, self.control.stats.snapshot()["frames"]
        if now - self._eased_at < EASE_S:
            return
        rates = (composed - self._composed) / KEPT_UP, float(received - self._received)
        self._received, self._composed, self._eased_at = received, composed, now
        if self.source.ladder:
            rate, wanted = rates
            self.source.rung = self._climber.judge(Report(rate), wanted, self.source.ladder, now)

    def stop(self) -> None:
        """End all threads."""
        self._runner.stop()
