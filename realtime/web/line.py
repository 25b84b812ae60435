"""The line of one browser's own camera: source, pipeline and sink of its own, and its figures."""

from __future__ import annotations

from realtime.build import make_pipeline
from realtime.config import Config
from realtime.control import Control
from realtime.delivery import Outlet
from realtime.matting.engine import MattingModel
from realtime.runner import Runner
from realtime.stats import Stats
from realtime.turns import Turns
from realtime.web.broadcast import Broadcast
from realtime.web.ladder import MAX_RUNGS
from realtime.web.load import Report
from realtime.web.sound import Sound
from realtime.web.uplink import BrowserSource


class BrowserLine:
    """Composes what `source` receives and hands it to `broadcast`; until then the stand-by picture.

    `sound` is that of the microphone that came with it, as late as the picture, and as hidden.

    Building loads backdrops and may compile: keep it out of the event loop. Raises
    `ConfigError`, `ModelError`.
    """

    def __init__(self, config: Config, model: MattingModel, turns: Turns) -> None:
        stats = Stats()
        self.source = BrowserSource()
        self.broadcast = Broadcast(self.source.fps, stats)
        self._runner = Runner(
            self.source.open,
            make_pipeline(config, model, stats),
            [Outlet("browser", lambda: self.broadcast, self.source.fps)],
            (config.camera.width, config.camera.height),
            stats,
            turns,
        )
        self.source.leaves_out = self._runner.thinning.leaves_out
        self.control = Control(config, model, stats, self._runner)
        self.sound = Sound(self.age_s, lambda: self.control.hidden)
        self._received, self._composed, self._level = 0, 0, 0
        self._runner.start()

    def age_s(self) -> float:
        """Return how old a composed picture is when it is sent, the median of the last seconds."""
        return self.control.stats.snapshot()["age_ms"]["p50"] / 1000

    @property
    def most(self) -> int:
        """How many steps there are to give up."""
        return len(self.control.steps()) + MAX_RUNGS - 1

    def lately(self) -> Report:
        """Tell what has become of the pictures that came since the last call."""
        figures, received = self.control.stats.snapshot(), self.source.received
        came, composed = received - self._received, figures["frames"] - self._composed
        self._received, self._composed = received, figures["frames"]
        rate = self.source.fps / self._every(self._level - 1)
        busy = self.control.stats.picture_s(max(1, composed)) * rate
        return Report(came, min(came, composed * self._runner.thinning.every), busy)

    def ease(self, level: int) -> None:
        """Give up quality, then pictures, in the end their size; builds. Raises `ScrimError`."""
        if self.control.config.governor.enabled:
            steps = len(self.control.steps())
            self.control.ease(min(level, steps))
            self.source.rung = max(0, level - steps)
            self._level = level

    def _every(self, level: int) -> float:
        taken = self.control.steps()[: max(0, level)]
        return taken[-1].every if taken else 1

    def stop(self) -> None:
        """End all threads."""
        self._runner.stop()
