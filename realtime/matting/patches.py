"""Step 3 of 9: patches of a matte that hang together by themselves, people or taken for one."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from realtime.frame import Alpha, Bytes

HAZE = 0.1
"""Alpha up to which pixels belong to no patch."""

CERTAIN = 0.95
"""Alpha above which the network is certain of a pixel."""

KNOWN = 0.5
"""A patch that stood there in the frame before needs this share of the certainty of a new one."""

Counts = npt.NDArray[np.intp]


def people(alpha: Alpha, share: float, certain: float = 0.0, before: Alpha | None = None) -> Alpha:
    """Return alpha, float32 (height, width), without the patches that are hardly people.

    A patch counts as large as its pixels that are rather person than room. Chairs, lamps and
    pictures on the wall come and go as patches of less than `share` of the largest: 1 leaves the
    largest alone. Clothes on a hanger and pets are patches of which less than the share `certain`
    is certainly person: of a true person it is nearly all, in the dark more than half. 0 switches
    either off. `before` is the matte of the frame before, if that says anything.
    """
    if share == certain == 0:
        return alpha
    count, labels = cv2.connectedComponents(cv2.compare(alpha, HAZE, cv2.CMP_GT), connectivity=4)
    if count == 1:
        return alpha
    person = cv2.compare(alpha, 0.5, cv2.CMP_GT)
    sizes = _count(labels, person, count)
    kept = np.ones(count, bool)
    if share:
        kept[1:] = sizes[1:] >= max(share * sizes[1:].max(), min(1, sizes[1:].max()))
    if certain:
        sure = _count(labels, cv2.compare(alpha, CERTAIN, cv2.CMP_GT), count)
        enough = sure >= certain * sizes
        if before is not None and not enough.all():
            stood = cv2.bitwise_and(person, cv2.compare(before, 0.5, cv2.CMP_GT))
            known = 2 * _count(labels, stood, count) > sizes
            enough |= known & (sure >= KNOWN * certain * sizes)
        kept[1:] &= enough[1:] & (sure > 0)[1:]
    if kept.all():
        return alpha
    cleaned: Alpha = alpha * kept[labels]
    return cleaned


def _count(labels: npt.NDArray[np.int32], where: Bytes, count: int) -> Counts:
    """Return how many pixels of each label are in a mask, which lies within the patches."""
    if count == 2:  # one patch, as nearly always
        return np.array([0, cv2.countNonZero(where)])
    return np.bincount(labels[where > 0], minlength=count)
