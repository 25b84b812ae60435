"""The same job done by us and by the usual script: MediaPipe and numpy, at 1280x720.

Both replace the room by the same picture, from the same input, in processes of their own and in
turns (A B A B), so that whatever else the machine does touches both alike. Ours also steadies
the matte over time and refines its edges, which the script does not. MediaPipe + OpenCV is the
same script with the picture composed in one pass of OpenCV: it tells network and numpy apart.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import cv2
import numpy as np
import typer

from benchmarks.line import SIZE
from benchmarks.meter import tell
from benchmarks.process import ROOT, run
from realtime.bench import draw
from realtime.pixels import to_bgr
from realtime.sources.drawing import draw_room

ENVIRONMENT = ROOT / ".venv-peers"
PEER = "mediapipe==0.10.21"
NEEDED = (
    *("numpy<2", "protobuf<5", "absl-py", "attrs", "flatbuffers"),
    *("matplotlib", "opencv-python-headless<4.12"),
)
"""What importing MediaPipe takes; its wheel asks for jax and sounds too, which this job never
touches."""

NEWEST = (3, 12)
"""Newest Python that the wheel is built for."""

PICTURES = 8
"""Pictures in memory, shown forth and back."""

OURS, OURS_BGR = "Scrim, I420 in and out", "Scrim, BGR in and out"
THEIRS, THEIRS_OPENCV = "MediaPipe + numpy", "MediaPipe + OpenCV"

Figures = dict[str, float]


def environment() -> str:
    """Return the peer's own Python; makes its environment when it is missing."""
    python = ENVIRONMENT / "bin" / "python"
    ready = ENVIRONMENT / PEER
    if not ready.exists():
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _call([_base_python(), "-m", "venv", "--clear", str(ENVIRONMENT)])
        _call([*install, *NEEDED])
        _call([*install, "--no-deps", PEER])
        ready.touch()
    return str(python)


def _base_python() -> str:
    return sys.executable if sys.version_info[:2] <= NEWEST else "python{}.{}".format(*NEWEST)


def _call(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, stdout=sys.stderr)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: no environment for the peer: {error}\n  it needs the network, once")


def prepare(folder: Path) -> None:
    """Write the pictures and the backdrop that every job reads."""
    pictures = [to_bgr(frame) for frame in draw(SIZE)[:PICTURES]]
    np.save(folder / "pictures.npy", np.stack(pictures + pictures[-2:0:-1]))
    cv2.imwrite(str(folder / "backdrop.png"), cv2.flip(draw_room(SIZE), 1))


def compare(model: str, rounds: int, frames: int) -> dict[str, Any]:
    """Return each job's figures (medians over the rounds) and how many times ours is cheaper."""
    theirs = environment()
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name))
        given = name, str(frames)
        found: list[dict[str, Figures]] = [
            {
                OURS: run("benchmarks.job_scrim", *given, model, "i420"),
                THEIRS: run("benchmarks.job_mediapipe", *given, "numpy", python=theirs),
                OURS_BGR: run("benchmarks.job_scrim", *given, model, "bgr"),
                THEIRS_OPENCV: run("benchmarks.job_mediapipe", *given, "opencv", python=theirs),
            }
            for _ in range(rounds)
        ]
    return {"jobs": _medians(found), "ratios": _ratios(found), "rounds": rounds, "frames": frames}


def _medians(found: list[dict[str, Figures]]) -> dict[str, Figures]:
    return {
        job: {key: median(one[job][key] for one in found) for key in found[0][job]}
        for job in found[0]
    }


def _ratios(found: list[dict[str, Figures]]) -> dict[str, dict[str, list[float]]]:
    """Theirs / ours in each round, so that the spread between rounds can be seen."""
    return {
        ours: {key: [one[THEIRS][key] / one[ours][key] for one in found] for key in found[0][ours]}
        for ours in (OURS, OURS_BGR)
    }


def main(
    model: Annotated[str, typer.Option(help="a name of `scrim models` or a path")] = "default",
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    frames: Annotated[int, typer.Option(min=1, help="frames a job and round")] = 200,
) -> None:
    """Measure both and print the figures as JSON."""
    tell(compare(os.path.abspath(model) if model.endswith(".xml") else model, rounds, frames))


if __name__ == "__main__":
    typer.run(main)
