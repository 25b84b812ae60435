"""The peer's side of the comparison in `peers`: MediaPipe's selfie segmentation, as people use it.

    python -m benchmarks.job_mediapipe FOLDER FRAMES numpy|opencv

`numpy` composes in float, as the usual scripts do; `opencv` gives the peer our kind of
compositing, so that the two figures tell network and arithmetic apart. Runs in .venv-peers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import mediapipe as mp
import numpy as np

from benchmarks.meter import measure, tell

LANDSCAPE = 1
"""MediaPipe's `model_selection` for 256x144, the same input size as ours."""


def over_numpy(bgr: Any, backdrop: Any, alpha: Any) -> Any:
    """alpha * bgr + (1 - alpha) * backdrop, as it is usually written."""
    alpha = alpha[:, :, np.newaxis]
    return (alpha * bgr + (1 - alpha) * backdrop).astype(np.uint8)


def over_opencv(bgr: Any, backdrop: Any, alpha: Any) -> Any:
    """The same in one pass of OpenCV."""
    return cv2.blendLinear(bgr, backdrop, alpha, 1 - alpha)


def make_step(pictures: Any, backdrop: Any, over: Callable[..., Any]) -> Callable[[int], object]:
    """Return what is measured: compose the picture of a number."""
    segmenter = mp.solutions.selfie_segmentation.SelfieSegmentation(model_selection=LANDSCAPE)

    def step(number: int) -> Any:
        bgr = pictures[number % len(pictures)]
        alpha = segmenter.process(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)).segmentation_mask
        return over(bgr, backdrop, alpha)

    return step


def main(folder: Path, frames: int, compositing: str) -> None:
    """Run the job and print its figures as JSON."""
    over = {"numpy": over_numpy, "opencv": over_opencv}[compositing]
    pictures, backdrop = np.load(folder / "pictures.npy"), cv2.imread(str(folder / "backdrop.png"))
    tell(measure(make_step(pictures, backdrop, over), frames))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
