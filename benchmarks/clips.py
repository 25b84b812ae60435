"""Clips with an exact matte through the real line."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np

from realtime import pixels
from realtime.build import make_pipeline
from realtime.config import Config
from realtime.contract import Size
from realtime.errors import ConfigError
from realtime.frame import Alpha, Bytes, Frame
from realtime.matting.engine import MattingModel
from realtime.matting.session import MattingSession
from realtime.pipeline import Smoother
from realtime.sources.video import VideoSource
from realtime.stats import Stats
from training import metrics
from training.metrics import Matte
from training.pictures import video

FPS = 30.0


@dataclass
class Clip:
    """Frames, what the network says of each at its own size, and the true mattes if known."""

    name: str
    frames: list[Frame]
    raw: list[Alpha]
    truth: list[Matte] = field(default_factory=list)


class Replay:
    """A model whose only session says what it is told, a matte for each frame of a clip."""

    def __init__(self, model: MattingModel, mattes: list[Alpha]) -> None:
        self.size_for = model.session().size_for
        self._mattes = iter(mattes)

    def session(self, scale: float = 1.0) -> Replay:
        """Return itself: the sizes are those of the model."""
        return self

    def infer(self, bgr: Bytes) -> Alpha:
        """Return the next matte."""
        return next(self._mattes)

    def reset(self) -> None:
        """There is no memory."""


def read(path: Path, model: MattingModel, frames: int | None = None) -> Clip:
    """Read a clip and ask the network; `NAME.alpha.mkv` beside NAME[.EVENT].mp4 is its truth."""
    source = VideoSource(path)
    shown = list(islice(source, frames))
    source.close()
    alpha = path.with_name(f"{path.name.split('.')[0]}.alpha.mkv")
    truth = [grey[:, :, 0] / np.float32(255) for grey in video(alpha)] if alpha.exists() else []
    if truth and len(truth) != len(shown):
        raise ConfigError(f"{path}: {len(shown)} frames, but {len(truth)} of {alpha.name}")
    return ask(path.stem, shown, model, truth)


def ask(name: str, frames: list[Frame], model: MattingModel, truth: list[Matte]) -> Clip:
    """Return a clip of these frames with the network's mattes."""
    session = model.session()
    raw = [session.infer(_thumbnail(frame, session)) for frame in frames]
    return Clip(name, frames, raw, truth)


def _thumbnail(frame: Frame, session: MattingSession) -> Bytes:
    return pixels.thumbnail(frame, session.size_for(*frame.size))


def unsmoothed(clip: Clip) -> list[Matte]:
    """Return the raw network's mattes, interpolated to the frames' size."""
    size: Size = clip.frames[0].size
    return [np.asarray(cv2.resize(a, size, interpolation=cv2.INTER_LINEAR)) for a in clip.raw]


def mattes(
    clip: Clip,
    model: MattingModel,
    config: Config,
    stats: Stats | None = None,
    smoother: Smoother | None = None,
    raw: list[Alpha] | None = None,
) -> list[Matte]:
    """Return the line's mattes of a clip; `raw` stands in for what the network says."""
    network = model if raw is None else Replay(model, raw)
    line = make_pipeline(config, network, stats or Stats(), live=False, smoother=smoother)
    return [line.matte(frame).alpha / np.float32(255) for frame in clip.frames]


def scores(found: list[Matte], truth: list[Matte]) -> dict[str, float]:
    """Return IoU, MAD, dtSSD, flicker, and `fast`, the IoU where the true alpha changes most."""
    ious = np.array([metrics.foreground_iou(*pair) for pair in zip(found, truth, strict=True)])
    change = [0.0] + [float(np.abs(b - a).mean()) for a, b in pairwise(truth)]
    fastest = np.argsort(change)[-max(1, len(truth) // 10) :]
    return {
        "iou": float(ious.mean()),
        "mad": float(np.mean([metrics.mad(*pair) for pair in zip(found, truth, strict=True)])),
        "dtssd": metrics.dtssd(found, truth),
        "flicker": metrics.flicker(found, truth),
        "fast": float(ious[fastest].mean()),
    }
