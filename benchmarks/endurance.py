"""A recurrent network over thousands of frames: does its memory stay bounded, its matte the same?

`python -m benchmarks.endurance models_ir/NAME.xml CLIP [--frames 10000]` plays a clip forwards and
backwards, without a cut and without a reset, and prints how far the mattes of the last round lie
from those of the first, and how large the memory became.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from realtime.contract import ALPHA, IMAGE, nearest_size
from realtime.door import enter
from realtime.errors import ConfigError
from realtime.frame import Bytes
from realtime.matting.engine import MattingModel
from realtime.matting.session import empty_memory
from training import metrics
from training.pictures import video

app = typer.Typer(add_completion=False)


def stream(model: MattingModel, thumbnails: list[Bytes]) -> Iterator[tuple[metrics.Matte, float]]:
    """Yield alpha (height, width) of the clip there and back for ever, and the largest memory."""
    height, width = thumbnails[0].shape[:2]
    compiled = model.compiled((width, height))
    memory = empty_memory(compiled, model.card)
    while True:
        for bgr in [*thumbnails, *thumbnails[-2:0:-1]]:
            outputs = compiled({IMAGE: bgr[np.newaxis], **memory})
            memory = {name: outputs[after].copy() for name, after in model.card.memory}
            yield outputs[ALPHA][0, 0].copy(), max(float(np.abs(m).max()) for m in memory.values())


def compare(model: MattingModel, clip: list[Bytes], frames: int) -> dict[str, float]:
    """Return the figures of a stream: MAD x 1000 and IoU of the last round to the first, in %."""
    height, width = clip[0].shape[:2]
    size = nearest_size(model.sizes(), width, height)
    thumbnails = [cv2.resize(bgr, size, interpolation=cv2.INTER_AREA) for bgr in clip]
    length = 2 * len(clip) - 2
    rounds = max(3, -(-frames // length))
    mattes = stream(model, thumbnails)
    for _ in islice(mattes, length):  # from an empty memory, which comes once
        pass
    first = [alpha for alpha, _ in islice(mattes, length)]
    largest = max((memory for _, memory in islice(mattes, (rounds - 3) * length)), default=0.0)
    last = [alpha for alpha, _ in islice(mattes, length)]
    pairs = list(zip(last, first, strict=True))
    return {
        "frames": float(rounds * length),
        "largest memory": largest,
        "mad x 1000": float(np.mean([metrics.mad(a, b) for a, b in pairs])),
        "iou %": float(np.mean([metrics.foreground_iou(a, b) for a, b in pairs])),
    }


@app.command()
def main(
    model: Annotated[Path, typer.Argument(help="the .xml of a network with memory")],
    clip: Annotated[Path, typer.Argument(help="a video")],
    frames: Annotated[int, typer.Option(help="at least so many")] = 10_000,
) -> None:
    """Print what a long stream does to a network with memory."""
    opened = MattingModel(model, threads=1)
    if not opened.card.memory:
        raise ConfigError(f"{model} has no memory", "name a recurrent network")
    for name, value in compare(opened, list(video(clip)), frames).items():
        typer.echo(f"{name:15} {value:.3f}")


if __name__ == "__main__":
    enter(app)
