"""Resident memory over many frames of `Pipeline.step`: it must be small, and it must not grow."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

import typer

from benchmarks.line import SIZE
from benchmarks.meter import peak_mb, resident_mb, tell
from realtime import config as cfg
from realtime.bench import draw, replay
from realtime.build import load_model, make_pipeline
from realtime.stats import Stats

LOOKS = 10
"""Times that memory is looked at, evenly over the run."""


def measure(model: str, backdrop: str, frames: int) -> dict[str, Any]:
    """Return resident MB after each tenth of the frames, and the peak."""
    tables = {"matting": {"model": model}, "scene": {"backdrop": backdrop}}
    config = cfg.Config().with_values(tables)
    pipeline = make_pipeline(config, load_model(config.matting), Stats())
    shown, resident = replay(draw(SIZE)), []
    for _ in range(LOOKS):
        for frame in islice(shown, frames // LOOKS):
            pipeline.step(frame)
        resident.append(resident_mb())
    return {"frames": frames, "resident_mb": resident, "peak_mb": peak_mb()}


def main(
    model: Annotated[str, typer.Option(help="a name of `scrim models` or a path")] = "default",
    backdrop: Annotated[str, typer.Option(help='"blur", "#rrggbb", a picture, a video')] = "blur",
    frames: Annotated[int, typer.Option(min=LOOKS)] = 10_000,
) -> None:
    """Run many frames and print the memory held as JSON."""
    tell(measure(model, backdrop, frames))


if __name__ == "__main__":
    typer.run(main)
