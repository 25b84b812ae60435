"""The same pictures through the original and the IR: how far the mattes lie apart."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.table import Table

from conversion.read import Matte, Original
from realtime.contract import Size
from realtime.errors import FrameError, ModelError
from realtime.frame import Alpha, Bytes
from realtime.matting.engine import MattingModel
from realtime.matting.session import MattingSession
from realtime.pixels import from_bgr, thumbnail

LIMIT_FP16 = 0.01
"""Largest difference of alpha that weights in FP16 may make; two or three of 255 steps.

What INT8 changes is judged by what it costs on labelled pictures instead: see `quantise`.
"""


@dataclass(frozen=True, slots=True)
class Drift:
    """What conversion changed at one input size; alpha in 0..1, times are medians."""

    size: Size
    pictures: int
    coverage: float
    """Mean alpha of the original: near 0, the pictures held nobody and say little."""
    largest: float
    mean: float
    original_ms: float
    ir_ms: float


def compare(original: Original, ir: Path, pictures: Iterable[Bytes]) -> list[Drift]:
    """Matte every picture, BGR uint8 (height, width, 3), with both, at each size of the card.

    Both compute on one thread and in f32, the engine's precision. The pictures of a size are one
    stream, so that what a network remembers is compared too. Raises `ModelError` when the IR fails
    on a picture.
    """
    pictures = list(pictures)
    model = MattingModel(ir, threads=1)
    return [
        _drift(original.session(), _session(model, size), size, pictures)
        for size in original.card.sizes
    ]


def _session(model: MattingModel, size: Size) -> Matte:
    """Begin a stream of the IR at one of its sizes."""
    session = MattingSession(model.compiled, model.card, (size,))

    def alpha(bgr: Bytes) -> Alpha:
        try:
            return session.infer(bgr)
        except FrameError as error:
            raise ModelError(
                f"the IR fails on a picture: {error.message}",
                "an operation may have been converted wrongly",
            ) from error

    return alpha


def refuse(drifts: Iterable[Drift], limit: float) -> None:
    """Raise `ModelError` when a matte of the IR lies `limit` or more from the original's."""
    for drift in drifts:
        if not drift.largest < limit:  # refuses NaN too
            width, height = drift.size
            raise ModelError(
                f"the IR drifts by {drift.largest:.4f} from the original at {width}x{height}",
                f"less than {limit} is accepted; an operation may have been converted wrongly",
            )


def table(drifts: Iterable[Drift]) -> Table:
    """Return the comparison for the terminal, one row a size."""
    sheet = Table(title="IR against the original, both in f32 on one thread")
    for heading in ("size", "pictures", "coverage", "largest", "mean", "original ms", "IR ms"):
        sheet.add_column(heading, justify="right")
    for drift in drifts:
        sheet.add_row(
            "{}x{}".format(*drift.size),
            str(drift.pictures),
            f"{drift.coverage:.2f}",
            f"{drift.largest:.5f}",
            f"{drift.mean:.6f}",
            f"{drift.original_ms:.2f}",
            f"{drift.ir_ms:.2f}",
        )
    return sheet


def _drift(original: Matte, converted: Matte, size: Size, pictures: list[Bytes]) -> Drift:
    mattes, apart, times_ms = [], [], []
    for picture in pictures:
        small = thumbnail(from_bgr(picture), size)
        truth, original_ms = timed(original, small)
        alpha, ir_ms = timed(converted, small)
        mattes.append(truth)
        apart.append(np.abs(alpha - truth))
        times_ms.append((original_ms, ir_ms))
    middle_ms = np.median(times_ms, axis=0)
    return Drift(
        size,
        len(pictures),
        coverage=float(np.mean(mattes)),
        largest=float(np.max(apart)),
        mean=float(np.mean(apart)),
        original_ms=float(middle_ms[0]),
        ir_ms=float(middle_ms[1]),
    )


def timed(matte: Matte, bgr: Bytes) -> tuple[Alpha, float]:
    """Return alpha and the milliseconds of a second run: the first one warms up.

    To a network with a memory these are two frames of a person sitting still.
    """
    matte(bgr)
    started = time.perf_counter()
    alpha = matte(bgr)
    return alpha, (time.perf_counter() - started) * 1e3
