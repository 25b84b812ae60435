"""Stills with a true mask: network, GrabCut, and both together.

    python -m benchmarks.photo --data DIR

DIR holds one folder a set, each with img/ and mask/ (PNG of the same stem, 0 or 255). Every second
picture, by name, is half A, on which constants were chosen; half B was only looked at. Cells are
foreground IoU in % / boundary IoU in % (2 % of the diagonal) / MAD x 1000 (`training.metrics`); a
half's is the mean of its sets. Prints a table in Markdown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from conversion.pictures import read_labelled
from realtime import pixels
from realtime.build import find_model
from realtime.door import enter
from realtime.errors import ConfigError
from realtime.frame import Alpha, Bytes, Frame
from realtime.matting.engine import MattingModel
from realtime.matting.grabcut import HALF, Box, GrabCutRefiner, band_around, cut, inside
from realtime.matting.refine import GuidedRefiner
from realtime.matting.session import MattingSession
from realtime.pipeline import Refiner
from training import metrics

ROUNDS = 5
"""GrabCut's rounds where it has only a rectangle to begin with."""

MARGIN = 0.05
"""Room left, above and right of the rectangle in the whole picture; people reach the bottom."""

GROWTH = 0.03
"""Share of its size by which the network's box grows on each side."""


@dataclass(frozen=True)
class Still:
    """A picture, its truth, 0..1, and what the network says at its own size."""

    group: str
    half: str
    bgr: Bytes
    pha: Alpha
    frame: Frame
    thumbnail: Bytes
    alpha: Alpha


Method = Callable[[Still], Bytes | Alpha]
Figures = tuple[float, float, float]


def stills(data: Path, session: MattingSession) -> Iterator[Still]:
    """Read every picture of every set and ask the network.

    Raises `ConfigError` without a set, with one of fewer than two pictures, and for a picture
    without a mask of its size.
    """
    folders = sorted(folder.parent for folder in data.glob("*/img"))
    if not folders:
        raise ConfigError(f"no set in {data}", "expected DIR/<set>/img and DIR/<set>/mask")
    for folder in folders:
        for number, picture in enumerate(read_labelled(folder, whole=True)):
            frame = pixels.from_bgr(picture.bgr)
            thumbnail = pixels.thumbnail(frame, session.size_for(*frame.size))
            session.reset()
            alpha = session.infer(thumbnail)
            half = "AB"[number % 2]
            yield Still(folder.name, half, picture.bgr, picture.alpha, frame, thumbnail, alpha)


def bilinear(still: Still) -> Alpha:
    """The network's matte as it is."""
    up: Alpha = cv2.resize(still.alpha, still.frame.size, interpolation=cv2.INTER_LINEAR)
    return up


def refined(refiner: Refiner) -> Method:
    """The network's matte and step 4."""
    return lambda still: refiner.refine(still.alpha, still.thumbnail, still.frame)


def from_rectangle(still: Still) -> Bytes:
    """GrabCut alone, as in its paper: all but a margin may be the person."""
    height, width = still.bgr.shape[:2]
    left, top = round(MARGIN * width), round(MARGIN * height)
    box = (left, top, width - 2 * left, height - top)
    return cut(still.bgr, inside(box, (width, height)), ROUNDS)


def from_box(still: Still) -> Bytes:
    """GrabCut in the box of what the network found; a box as large as the picture is all person:
    no room is left to learn from."""
    height, width = still.bgr.shape[:2]
    box = grown(cv2.boundingRect(cv2.compare(matte_of(still), HALF, cv2.CMP_GT)))
    return cut(still.bgr, inside(box, (width, height)), ROUNDS)


def from_mask(still: Still) -> Bytes:
    """GrabCut in the band around the network's outline, and never outvoted."""
    return cut(still.bgr, band_around(matte_of(still)))


def matte_of(still: Still) -> Bytes:
    height, width = still.bgr.shape[:2]
    matte = GuidedRefiner().refine(still.alpha, still.thumbnail, still.frame)
    return matte[:height, :width]


def grown(box: Box) -> Box:
    """Return the box with its margin; what lies outside the picture is cut off by slicing."""
    left, top, width, height = box
    x, y = max(0, left - round(GROWTH * width)), max(0, top - round(GROWTH * height))
    return x, y, left + round((1 + GROWTH) * width) - x, top + round((1 + GROWTH) * height) - y


METHODS: dict[str, Method] = {
    "network, bilinear": bilinear,
    "network, guided filter (default)": refined(GuidedRefiner()),
    "GrabCut from a rectangle": from_rectangle,
    "GrabCut from the network's box": from_box,
    "GrabCut from the network's mask": from_mask,
    "vote, band 0.01, voice 0.3": refined(GrabCutRefiner(band=0.01)),
    "vote, band 0.02, voice 0.2": refined(GrabCutRefiner(band=0.02, voice=0.2)),
    "vote, band 0.02, voice 0.3": refined(GrabCutRefiner(band=0.02)),
    "vote, band 0.02, voice 0.4": refined(GrabCutRefiner(band=0.02, voice=0.4)),
    "**vote, band 0.035, voice 0.3** (`--refine grabcut`)": refined(GrabCutRefiner()),
}


def figures(out: Bytes | Alpha, pha: Alpha) -> Figures:
    """Compare a matte, uint8 or 0..1, with the truth; rows that made it even are left out."""
    height, width = pha.shape
    matte = out[:height, :width].astype(np.float32) / (255 if out.dtype == np.uint8 else 1)
    return (
        metrics.foreground_iou(matte, pha),
        metrics.boundary_iou(matte, pha),
        metrics.mad(matte, pha),
    )


def row(name: str, method: Method, pictures: list[Still]) -> str:
    """Measure a method and return its line of the table."""
    began = time.process_time()
    outs = [method(still) for still in pictures]
    spent_ms = 1000 * (time.process_time() - began) / len(pictures)
    found: dict[tuple[str, str], list[Figures]] = {}
    for still, out in zip(pictures, outs, strict=True):
        found.setdefault((still.group, still.half), []).append(figures(out, still.pha))
    groups = sorted({group for group, _ in found})
    halves = [
        mean([mean(rows) for (_, at), rows in sorted(found.items()) if at == half])
        for half in sorted({half for _, half in found})
    ]
    whole = [mean([f for at in found if at[0] == group for f in found[at]]) for group in groups]
    cells = ["{:.2f} / {:.2f} / {:.1f}".format(*cell) for cell in [*halves, *whole]]
    return f"| {' | '.join([name, *cells, f'{spent_ms:.0f}'])} |"


def mean(rows: list[Figures]) -> Figures:
    iou, boundary, mad = (float(value) for value in np.mean(rows, axis=0))
    return iou, boundary, mad


def main(
    data: Annotated[Path, typer.Option(help="folder of sets")],
    model: Annotated[str, typer.Option(help="a name of `scrim models` or a path")] = "default",
) -> None:
    """Measure every method on every picture and print the table."""
    pictures = list(stills(data, MattingModel(find_model(model), threads=1).session()))
    groups = sorted({still.group for still in pictures})
    counts = [str(sum(still.group == group for still in pictures)) for group in groups]
    halves = [f"half {half}" for half in sorted({still.half for still in pictures})]
    named = [f"{group} ({count})" for group, count in zip(groups, counts, strict=True)]
    heads = ["", *halves, *named, "CPU ms"]
    print(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    for name, method in METHODS.items():
        print(row(name, method, pictures), flush=True)


if __name__ == "__main__":
    enter(lambda: typer.run(main))
