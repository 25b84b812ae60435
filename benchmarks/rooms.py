"""Rooms without people that look as if there were one, through the real line."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

import cv2

from benchmarks.page import Target
from realtime import pixels
from realtime.build import make_pipeline
from realtime.config import Config
from realtime.errors import ConfigError
from realtime.frame import Alpha, Bytes
from realtime.matting.engine import MattingModel
from realtime.stats import Stats
from training import readers
from training.pictures import picture


def measure(data: Path, model: MattingModel) -> Target:
    """Return the share of pixels called person, in %, by the network and by the line."""
    items = readers.held_out(data, "negative", skip_bad=True).get("negative", [])
    if not items:
        raise ConfigError(f"no rooms set aside in {data / 'negatives'}", "give --data")
    raw, ours = [], []
    line, session = make_pipeline(Config(), model, Stats(), live=False), model.session()
    for item in items:
        frame = pixels.from_bgr(picture(item.picture))
        session.reset()
        alpha = session.infer(pixels.thumbnail(frame, session.size_for(*frame.size)))
        raw.append(called_person(alpha, 0.5))
        line.reset()
        ours.append(called_person(line.matte(frame).alpha, 127))
    return Target("rooms without people: % of pixels called person", mean(raw), mean(ours), 0.3)


def called_person(alpha: Alpha | Bytes, half: float) -> float:
    """Return the share of pixels above half, in %."""
    return 100 * cv2.countNonZero(cv2.compare(alpha, half, cv2.CMP_GT)) / alpha.size
