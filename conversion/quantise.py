"""Quantise an IR to INT8 by NNCF, after training, within an accuracy budget.

Where batch-norms are folded into weights, the channels of the first convolutions lie so far apart
that 256 steps do not hold them all: in munet-128 the first depthwise one alone costs eight tenths
of what is lost. On portraits alone the loss may hide: scrim-r kept the budget on EG1800 with none
spared, and lost 0.3 points of IoU on clips and 2.6 on whole bodies. With the second and the third
spared that is 0.04 and 0.2; a fourth costs 7 % of the time and gains a tenth of a point. The first
reads bytes, which eight bits hold exactly: sparing it as well costs 4 % and gains scrim-r nothing.
So those two stay as they are from the beginning (but in networks of fewer than six convolutions),
then more and more at the ends, and the first IR that keeps the budget is taken.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from rich.table import Table

from conversion.accuracy import Score, score
from conversion.check import timed
from conversion.pictures import Labelled
from conversion.stamp import save
from realtime.contract import IMAGE, Card
from realtime.door import how_to_install
from realtime.errors import ModelError
from realtime.frame import Bytes
from realtime.matting.engine import MattingModel
from realtime.matting.session import empty_memory
from realtime.pixels import from_bgr, thumbnail

SPARED = ((1, 3, 0), (0, 3, 0), (0, 8, 0), (0, 16, 0), (0, 16, 8))
"""Convolutions that are not quantised, in order of trial: from the first number to before the
second, and as many of the last as the third says."""

FEEDS = 300
"""Pictures times sizes that ranges are taken from; NNCF's own default."""

TIMED = 30
"""Inferences that a time is the median of."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Points of foreground IoU, in %, and of MAD x 1000 that INT8 costs on average."""

    iou: float
    mad: float

    def within(self, budget: Loss) -> bool:
        """Whether no more is lost than a budget allows."""
        return self.iou <= budget.iou and self.mad <= budget.mad


BUDGET = Loss(iou=0.3, mad=1.0)


@dataclass(frozen=True, slots=True)
class Report:
    """An IR before and after, and the convolutions that were spared."""

    before: Score
    after: Score
    kilobytes: tuple[float, float]
    ms: tuple[float, float]
    """Median time of one inference on one thread."""
    spared: tuple[str, ...]


def quantise(
    ir: Path,
    into: Path,
    calibration: Sequence[Bytes],
    labelled: Sequence[Labelled],
    budget: Loss = BUDGET,
) -> Report:
    """Write an IR in INT8 that keeps the budget, with a card of its own.

    Ranges are taken from the calibration pictures, BGR uint8 (height, width, 3), at every size of
    the card: frames of a clip in their order, where the network has a memory. Raises `ModelError`
    without NNCF, and with the smallest loss when no trial keeps the budget.
    """
    model = MattingModel(ir, threads=1)
    before = score(model, labelled)
    feeds = _feeds(model, calibration)
    losses = []
    for spared in _trials(ov.Core().read_model(ir)):
        graph = _quantised(ir, feeds, spared)
        after = _score_unsaved(graph, labelled)
        losses.append(Loss(before.iou - after.iou, after.mad - before.mad))
        if losses[-1].within(budget):
            _card(model.card, losses[-1]).write_to(graph)
            save(graph, into)
            kilobytes = _kilobytes(ir), _kilobytes(into)
            return Report(before, after, kilobytes, _times_ms(ir, into, labelled[0].bgr), spared)
    least = min(losses, key=lambda loss: loss.iou)
    raise ModelError(
        f"INT8 costs {model.card.name} {least.iou:.2f} points of IoU and {least.mad:.2f} of MAD",
        f"{budget.iou} and {budget.mad} are accepted; calibrate with more pictures of real use",
    )


def table(report: Report) -> Table:
    """Return the comparison for the terminal."""
    sheet = Table(title=f"INT8 but for {len(report.spared)} convolutions; times on one thread")
    for heading in ("", "file kB", "IoU %", "MAD x1000", "ms"):
        sheet.add_column(heading, justify="right")
    scores = report.before, report.after
    rows = zip(("before", "INT8"), scores, report.kilobytes, report.ms, strict=True)
    for name, seen, kilobytes, ms in rows:
        sheet.add_row(name, f"{kilobytes:.0f}", f"{seen.iou:.2f}", f"{seen.mad:.2f}", f"{ms:.2f}")
    return sheet


def _trials(graph: ov.Model) -> Iterator[tuple[str, ...]]:
    """Give names of convolutions to spare, at most half of them."""
    names = [
        node.get_friendly_name()
        for node in graph.get_ordered_ops()
        if "Convolution" in node.get_type_name()
    ]
    for first, end, last in SPARED if len(names) >= 2 * SPARED[0][1] else ((0, 0, 0),):
        if end - first + last <= len(names) // 2:
            yield (*names[first:end], *names[len(names) - last :])


def _quantised(ir: Path, feeds: Sequence[dict[str, Any]], spared: Sequence[str]) -> ov.Model:
    try:
        import nncf
    except ImportError as error:
        raise ModelError("INT8 needs NNCF", how_to_install("conversion")) from error
    # nncf.set_log_level would change the levels of others' handlers too.
    logging.getLogger("nncf").setLevel(logging.ERROR)
    try:
        return nncf.quantize(
            ov.Core().read_model(ir),
            nncf.Dataset(feeds),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(feeds),
            ignored_scope=nncf.IgnoredScope(names=list(spared)),
        )
    except (nncf.ValidationError, nncf.InternalError, nncf.UnsupportedModelError) as error:
        raise ModelError(f"NNCF cannot quantise {ir.name}: {error}") from error


def _feeds(model: MattingModel, pictures: Sequence[Bytes]) -> list[dict[str, Any]]:
    """Return what the engine would feed: thumbnails, and the memory that each picture left."""
    step = -(-len(pictures) * len(model.card.sizes) // FEEDS)
    feeds = []
    for size in model.card.sizes:
        compiled = model.compiled(size)
        memory = empty_memory(compiled, model.card)
        for picture in pictures[::step]:
            feed = {IMAGE: thumbnail(from_bgr(picture), size)[np.newaxis], **memory}
            feeds.append(feed)
            if memory:
                outputs = compiled(feed)
                memory = {name: outputs[after].copy() for name, after in model.card.memory}
    return feeds


def _score_unsaved(graph: ov.Model, labelled: Sequence[Labelled]) -> Score:
    with tempfile.TemporaryDirectory(prefix="scrim-") as scratch:
        save(graph, Path(scratch) / "trial.xml")
        return score(MattingModel(Path(scratch) / "trial.xml", threads=1), labelled)


def _card(card: Card, loss: Loss) -> Card:
    figures = {"int8 iou lost": round(loss.iou, 3), "int8 mad added": round(loss.mad, 3)}
    changes = {
        "name": f"{card.name}-int8",
        "origin": f"{card.origin}; quantised to INT8 from {card.name}, whose figures these are",
        "figures": card.figures | figures,
    }
    return card.model_copy(update=changes)


def _kilobytes(ir: Path) -> float:
    return sum(part.stat().st_size for part in (ir, ir.with_suffix(".bin"))) / 1000


def _times_ms(before: Path, after: Path, bgr: Bytes) -> tuple[float, float]:
    """Return the median times of both, taken in turns: what else runs slows both alike."""
    sessions = [MattingModel(ir, threads=1).session() for ir in (before, after)]
    small = thumbnail(from_bgr(bgr), sessions[0].size_for(*bgr.shape[1::-1]))
    times_ms = [[timed(session.infer, small)[1] for session in sessions] for _ in range(TIMED)]
    first, second = np.median(times_ms, axis=0)
    return float(first), float(second)
