"""How good a matte is. numpy and OpenCV only, so that conversion and benchmarks can use it too.

A matte is H x W float32 in 0..1; `pha` is the truth. Figures are in the units they are printed
in: IoUs in %, MAD, MSE and flicker x 1000, dtSSD x 100.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Matte = NDArray[np.float32]
Mask = NDArray[np.bool_]


def iou(out: Mask, true: Mask) -> float:
    """Intersection over union in %; 100 where both are empty."""
    union = np.count_nonzero(out | true)
    return 100 * np.count_nonzero(out & true) / union if union else 100.0


def foreground_iou(out: Matte, pha: Matte) -> float:
    """IoU of the person at threshold 0.5, in %."""
    return iou(out > 0.5, pha > 0.5)


def boundary(mask: Mask, reach: int) -> Mask:
    """The mask's pixels within `reach` of its contour; the picture's border counts as outside."""
    inside = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    core = cv2.erode(inside, np.ones((3, 3), np.uint8), iterations=reach)[1:-1, 1:-1]
    return mask & (core == 0)


def boundary_iou(out: Matte, pha: Matte, share: float = 0.02) -> float:
    """IoU of the two contours' bands, `share` of the diagonal wide, in % (Cheng et al. 2021)."""
    reach = max(1, round(share * float(np.hypot(*pha.shape))))
    return iou(boundary(out > 0.5, reach), boundary(pha > 0.5, reach))


def mad(out: Matte, pha: Matte) -> float:
    """Mean absolute difference x 1000."""
    return 1000 * float(np.abs(out - pha).mean())


def mse(out: Matte, pha: Matte) -> float:
    """Mean squared difference x 1000."""
    return 1000 * float(np.square(out - pha).mean())


def dtssd(outs: Sequence[Matte], phas: Sequence[Matte]) -> float:
    """Error of the change from frame to frame x 100 (Erofeev et al. 2015, dtSSD).

    Per pair of frames the root of the mean over pixels of the squared difference of the temporal
    derivatives; then the mean over pairs.
    """
    if len(outs) < 2:
        return 0.0
    errors = [
        np.sqrt(np.square((b - a) - (q - p)).mean())
        for a, b, p, q in zip(outs, outs[1:], phas, phas[1:], strict=False)
    ]
    return 100 * float(np.mean(errors))


def flicker(outs: Sequence[Matte], phas: Sequence[Matte] | None = None) -> float:
    """Mean |change of alpha| over the pixels whose true alpha does not change, x 1000.

    Without truth, over all pixels.
    """
    changes = []
    for number in range(1, len(outs)):
        change = np.abs(outs[number] - outs[number - 1])
        if phas is not None:
            change = change[phas[number] == phas[number - 1]]
        if change.size:
            changes.append(float(change.mean()))
    return 1000 * float(np.mean(changes)) if changes else 0.0


class Pixels:
    """Counts over all pixels of a set, for the two-class mIoU (mean of person's and room's)."""

    def __init__(self) -> None:
        self.both = self.only_out = self.only_true = self.neither = 0

    def add(self, out: Matte, pha: Matte) -> None:
        a, b = out > 0.5, pha > 0.5
        both = int(np.count_nonzero(a & b))
        self.both += both
        self.only_out += int(np.count_nonzero(a)) - both
        self.only_true += int(np.count_nonzero(b)) - both
        self.neither += int(np.count_nonzero(~(a | b)))

    def miou(self) -> float:
        """In %."""
        wrong = self.only_out + self.only_true
        classes = [n / (n + wrong) if n + wrong else 1.0 for n in (self.both, self.neither)]
        return 100 * sum(classes) / 2
