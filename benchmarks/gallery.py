"""All clips of a data folder, under the light that was filmed and under drawn events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from benchmarks import clips
from benchmarks.clips import Clip
from realtime import pixels
from realtime.config import Config
from realtime.errors import ConfigError
from realtime.frame import Frame
from realtime.matting.engine import MattingModel
from realtime.pipeline import Smoother
from realtime.stats import Stats
from training import metrics

Scores = dict[str, dict[str, float]]
"""Figures of clips by name."""

EACH = {"matting": {"every": 1}}
"""What a line is told whose network looks at each frame."""

OFF = EACH | {
    "temporal": {"method": "off", "patches": 0.0, "certain": 0.0},
    "light": {"time": False},
}
"""What a line without these steps is told."""

FOOTAGE_FRAMES = 60


class Gallery:
    """All clips of a data folder, read once. Raises `ConfigError` where there are none."""

    def __init__(self, data: Path, model: MattingModel) -> None:
        paths = sorted((data / "clips").glob("*.mp4"))
        if not paths:
            raise ConfigError(f"no clips in {data / 'clips'}", "give --data, see training/README")
        found = [clips.read(path, model) for path in paths]
        self.model = model
        self.plain = [clip for clip in found if "." not in clip.name]
        self.events = [clip for clip in found if "." in clip.name]
        self.footage = [
            clips.read(path, model, FOOTAGE_FRAMES)
            for path in sorted((data / "footage").glob("*.mkv"))
        ]

    def raw(self) -> Scores:
        """Return the raw network's figures of all clips."""
        every = self.plain + self.events
        return {clip.name: clips.scores(clips.unsmoothed(clip), clip.truth) for clip in every}

    def timed(
        self, config: Config, make: Callable[[], Smoother] | None = None
    ) -> tuple[Scores, float]:
        """Return the line's figures, with another smoother if one is made, and step 3's ms."""
        found, stats = {}, Stats(window=10**5)
        config = config.with_values(EACH) if make else config
        for clip in self.plain + self.events:
            outs = clips.mattes(clip, self.model, config, stats, make() if make else None)
            found[clip.name] = clips.scores(outs, clip.truth)
        return found, median(stats.times_ms()["steady"])

    def floor(self) -> Scores:
        """Return the line's figures for exact mattes of the network's size."""
        found = {}
        for clip in self.plain:
            height, width = clip.raw[0].shape
            small = [
                np.asarray(cv2.resize(pha, (width, height), interpolation=cv2.INTER_AREA))
                for pha in clip.truth
            ]
            off = Config().with_values(OFF)
            outs = clips.mattes(clip, self.model, off, raw=small)
            found[clip.name] = clips.scores(outs, clip.truth)
        return found

    def lit(self, gains: Callable[[int], float]) -> list[tuple[Clip, Clip]]:
        """Return footage beside itself under an event: a gain of the light for each frame."""
        return [
            (clip, clips.ask(clip.name, _relit(clip.frames, gains), self.model, []))
            for clip in self.footage
        ]

    def unrest(self, clip: Clip, config: Config) -> float:
        """Return how much the line's matte of a clip without truth changes, x 1000."""
        return metrics.flicker(clips.mattes(clip, self.model, config))


def lamp(number: int) -> float:
    """A lamp that goes on at once after 20 frames, of which the camera takes half back."""
    return 1.0 if number < 20 else 1.2 + 0.2 * 0.85 ** (number - 20)


def mains(number: int) -> float:
    """The beat of mains and shutter: a tenth up and down."""
    return 1 + 0.1 * float(np.sin(2.1 * number))


def _relit(frames: list[Frame], gains: Callable[[int], float]) -> list[Frame]:
    return [
        pixels.from_bgr(
            cv2.convertScaleAbs(pixels.to_bgr(frame), alpha=gains(number)),
            frame.number,
            frame.captured_at,
        )
        for number, frame in enumerate(frames)
    ]
