"""The picture in figures: how steady a matte is, what a change of light does to it, and how the
person fits the new scene.

`python -m benchmarks.picture --data DIR` asks the network for the clips of DIR once, lets the real
line make mattes of what it said, and writes its part of README.md. A few minutes.
"""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import page, rooms, scene, steadiness
from benchmarks.gallery import Gallery
from benchmarks.line import SIZE
from benchmarks.page import Target
from realtime.bench import draw, replay
from realtime.build import find_model, make_pipeline
from realtime.config import Config
from realtime.door import enter
from realtime.matting.engine import MattingModel
from realtime.pipeline import Pipeline
from realtime.stats import Stats

BARE = {
    "temporal": {"method": "off", "patches": 0.0, "certain": 0.0},
    "light": {"time": False, "scene": 0.0},
    "edges": {"despill": 0.0, "wrap": 0.0},
}
"""A line without any of the steps that this page is about; the default has them all."""

LIT = Path(__file__).parent.parent / "backdrops" / "evening-lights.jpg"
"""A backdrop whose light is far from the drawn person's, so that the match has to work."""

ROUNDS, FRAMES = 7, 30
"""Turns that the line with and the line without our steps take, and frames of each turn."""


def costs(model: MattingModel) -> Target:
    """Return what our steps add to the line's time a frame, in turns with one without them."""
    picture = {"scene": {"backdrop": str(LIT)}}
    lines = [
        make_pipeline(Config().with_values(tables), model, Stats())
        for tables in ({**picture, **BARE}, picture)
    ]
    shown, spent = replay(draw(SIZE)), ([], [])
    for _ in range(ROUNDS):
        for line, times in zip(lines, spent, strict=True):
            times.append(_cpu_ms(line, list(islice(shown, FRAMES))))
    without, found = (median(times[1:]) for times in spent)
    what = f"cost at {SIZE[0]}x{SIZE[1]}: CPU ms a frame more (without: the whole line)"
    return Target(what, without, found - without, 4)


def _cpu_ms(line: Pipeline, frames: list) -> float:
    began_s = time.process_time()
    for frame in frames:
        line.step(frame)
    return (time.process_time() - began_s) / len(frames) * 1e3


def main(
    data: Annotated[Path, typer.Option(help="data folder: clips, footage, negatives")],
    model: Annotated[str, typer.Option(help="a name of `scrim models` or a path")] = "default",
    output: Annotated[Path, typer.Option(help="the page to write")] = page.PAGE,
) -> None:
    """Measure the picture and write its part of the page."""
    console = Console(stderr=True)
    loaded = MattingModel(find_model(model), threads=1)
    with console.status("clips, footage and all smoothers") as status:
        found, texts = steadiness.measure(Gallery(data, loaded))
        status.update("light in the scene, edges")
        more, below = scene.measure(data, loaded)
        found += [rooms.measure(data, loaded), *more, costs(loaded)]
    parts = [
        "## The picture",
        f"`python -m benchmarks.picture --data DIR`, network {loaded.card.name}.",
        page.targets(found),
        *texts,
        *below,
    ]
    page.put("picture", "\n\n".join(parts), output)
    console.print(f"wrote {output}")


if __name__ == "__main__":
    enter(lambda: typer.run(main))
