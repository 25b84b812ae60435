"""Patches of a matte that hang together by themselves: the person, and what is taken for one."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.frame import Alpha

HAZE = 0.1
"""Alpha up to which pixels belong to no patch."""


def without_small(alpha: Alpha, share: float) -> Alpha:
    """Return alpha, float32 (height, width), without patches of less than `share` of the largest.

    Chairs, lamps and pictures on the wall come and go as small patches beside the person. 0 keeps
    all of them, 1 the largest alone. Size is the sum of alpha.
    """
    if share == 0:
        return alpha
    mask = cv2.compare(alpha, HAZE, cv2.CMP_GT)
    count, labels = cv2.connectedComponents(mask, connectivity=4)
    if count <= 2:
        return alpha
    sizes = np.bincount(labels.ravel(), alpha.ravel(), count)[1:]
    kept = np.concatenate(([True], sizes >= share * sizes.max()))
    if kept.all():
        return alpha
    cleaned: Alpha = alpha * kept[labels]
    return cleaned
