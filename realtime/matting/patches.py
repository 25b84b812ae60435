"""Patches of a matte that hang together by themselves: the person, and what is taken for one."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.frame import Alpha

HAZE = 0.1
"""Alpha up to which pixels belong to no patch."""


def without_small(alpha: Alpha, share: float) -> Alpha:
    """Return alpha, float32 (height, width), without patches of less than `share` of the largest.

    Chairs, lamps and pictures on the wall come and go as small patches beside the person. A
    patch is as large as its pixels that are rather person than room: one without any vanishes
    beside a person, whatever its extent. A share of 0 keeps all, 1 the largest alone.
    """
    if share == 0:
        return alpha
    count, labels = cv2.connectedComponents(cv2.compare(alpha, HAZE, cv2.CMP_GT), connectivity=4)
    if count <= 2:
        return alpha
    sizes = np.bincount(labels.ravel(), (alpha > 0.5).ravel(), count)[1:]
    kept = np.concatenate(([True], sizes >= max(share * sizes.max(), min(1, sizes.max()))))
    if kept.all():
        return alpha
    cleaned: Alpha = alpha * kept[labels]
    return cleaned
