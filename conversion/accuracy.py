"""How good an IR is on labelled pictures, run as the engine runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from conversion.pictures import Labelled
from realtime.frame import Alpha, Bytes
from realtime.matting.engine import MattingModel
from realtime.matting.session import MattingSession
from realtime.pixels import from_bgr, thumbnail
from training import metrics

STILL = 4
"""Frames of each picture that a network with a memory sees, so that its memory counts too."""


@dataclass(frozen=True, slots=True)
class Score:
    """Means over pictures: foreground IoU in %, and MAD x 1000."""

    iou: float
    mad: float


def score(model: MattingModel, labelled: Sequence[Labelled]) -> Score:
    """Matte every picture as a stream of its own and compare at the picture's size."""
    session = model.session()
    frames = STILL if model.card.memory else 1
    rows = []
    for picture in labelled:
        matte = _still(session, picture.bgr, frames)
        truth = picture.alpha
        rows.append((metrics.foreground_iou(matte, truth), metrics.mad(matte, truth)))
    iou, mad = np.mean(rows, axis=0)
    return Score(float(iou), float(mad))


def _still(session: MattingSession, bgr: Bytes, frames: int) -> Alpha:
    """Return the last matte of a person sitting still, float32 (height, width) of the picture."""
    height, width = bgr.shape[:2]
    small = thumbnail(from_bgr(bgr), session.size_for(width, height))
    session.reset()
    alpha = [session.infer(small) for _ in range(frames)][-1]
    matte: Alpha = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR)
    return matte
