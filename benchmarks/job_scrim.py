"""Our side of the comparison in `peers`: steps 2 to 8 with the default configuration.

    python -m benchmarks.job_scrim FOLDER FRAMES MODEL i420|bgr

`i420` is how the line runs: cameras and virtual cameras speak it. `bgr` adds a conversion at both
ends, which makes input and output the same as the peer's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.meter import measure, tell
from realtime import config as cfg
from realtime.bench import FPS
from realtime.build import load_model, make_pipeline
from realtime.frame import Bytes, Frame
from realtime.pipeline import Pipeline
from realtime.pixels import from_bgr, to_bgr
from realtime.stats import Stats


def make_step(pictures: Bytes, pipeline: Pipeline, colour: str) -> Callable[[int], object]:
    """Return what is measured: compose the picture of a number."""
    frames = [] if colour == "bgr" else [from_bgr(bgr).i420 for bgr in pictures]

    def step_i420(number: int) -> Frame:
        return pipeline.step(Frame(frames[number % len(frames)], number, number / FPS))

    def step_bgr(number: int) -> Bytes:
        bgr = pictures[number % len(pictures)]
        return to_bgr(pipeline.step(from_bgr(bgr, number, number / FPS)))

    return step_bgr if colour == "bgr" else step_i420


def main(folder: Path, frames: int, model: str, colour: str) -> None:
    """Run the job and print its figures as JSON."""
    tables = {"matting": {"model": model}, "scene": {"backdrop": str(folder / "backdrop.png")}}
    config = cfg.Config().with_values(tables)
    pipeline = make_pipeline(config, load_model(config.matting), Stats())
    pictures = np.load(folder / "pictures.npy")
    tell(measure(make_step(pictures, pipeline, colour), frames))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
