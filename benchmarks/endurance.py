"""A recurrent network over thousands of frames: does its memory stay bounded, its matte the same?

`python -m benchmarks.endurance --data DIR [--frames 10000]` plays the clips of DIR/clips one after
the other, forwards and backwards, without a cut and without a reset, to what is shipped, in f32 and
in INT8, and writes README.md's part "drift": how large the memory became, and how far the mattes of
the last round lie from those of the first.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from benchmarks import page
from realtime.build import find_model
from realtime.contract import ALPHA, IMAGE, nearest_size
from realtime.door import enter
from realtime.errors import ConfigError
from realtime.frame import Bytes
from realtime.matting.engine import MattingModel
from realtime.matting.session import empty_memory
from training import metrics
from training.pictures import video

MODELS = ("scrim-r", "scrim-r-int8")

app = typer.Typer(add_completion=False)


def film(data: Path) -> Iterator[Bytes]:
    """Yield the frames of all clips, those under a light event aside. Raises `ConfigError`."""
    clips = sorted(path for path in (data / "clips").glob("*.mp4") if "." not in path.stem)
    if not clips:
        raise ConfigError(f"no clips in {data}/clips", "name the folder of Scrim's own pictures")
    return chain.from_iterable(map(video, clips))


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


def compare(model: MattingModel, clip: Iterable[Bytes], frames: int) -> dict[str, float]:
    """Return the figures of a stream: MAD x 1000 and IoU of the last round to the first, in %."""
    size, thumbnails = model.sizes()[0], []
    for bgr in clip:
        size = size if thumbnails else nearest_size(model.sizes(), *bgr.shape[1::-1])
        thumbnails.append(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA))
    length = 2 * len(thumbnails) - 2
    rounds = max(3, -(-frames // length))
    mattes = stream(model, thumbnails)
    largest = [memory for _, memory in islice(mattes, length)]  # it began empty, which comes once
    first = list(islice(mattes, length))
    largest += [memory for _, memory in islice(mattes, (rounds - 3) * length)]
    last = list(islice(mattes, length))
    pairs = [(alpha, before) for (alpha, _), (before, _) in zip(last, first, strict=True)]
    return {
        "frames": float(rounds * length),
        "largest memory": max(largest + [memory for _, memory in first + last]),
        "mad x 1000": float(np.mean([metrics.mad(a, b) for a, b in pairs])),
        "iou %": float(np.mean([metrics.foreground_iou(a, b) for a, b in pairs])),
    }


def part(f32: dict[str, float], int8: dict[str, float]) -> str:
    """Return the page's part."""
    rows = (("largest memory", 1.05), ("mad x 1000", 1.0))
    about = (
        f"`python -m benchmarks.endurance --data DIR`: {int8['frames']:.0f} frames in one stream,\n"
        "the clips there and back again; MAD is of the last round's mattes to those of the first."
    )
    found = [page.Target(key, f32[key], int8[key], limit) for key, limit in rows]
    return f"## A network that lasts\n\n{about}\n\n{page.targets(found, *MODELS)}"


@app.command()
def main(
    data: Annotated[Path, typer.Option(help="data folder: clips")],
    frames: Annotated[int, typer.Option(help="at least so many")] = 10_000,
    output: Annotated[Path, typer.Option(help="the page to write")] = page.PAGE,
) -> None:
    """Play a long stream to the network in f32 and in INT8, print what it does, write the page."""
    found = []
    for name in MODELS:
        found.append(compare(MattingModel(find_model(name), threads=1), film(data), frames))
        typer.echo(f"{name}: {', '.join(f'{key} {value:.3f}' for key, value in found[-1].items())}")
    page.put("drift", part(*found), output)


if __name__ == "__main__":
    enter(app)
