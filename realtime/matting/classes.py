"""Which class is where in a still picture: a network's map of classes at the picture's size.

The numbers of classes have no order, so a map of them cannot be interpolated: each class's own
mask is, and the strongest wins. The outline of the person is the matte's.
"""

from __future__ import annotations

import cv2
import numpy as np

from realtime.frame import Bytes

HALF = 127
"""Alpha above which a pixel is the person's."""

REACH = (3, 3)
"""Pixels of the network over which a class's mask is softened: its outline is no staircase, and
it reaches to the matte's edge where that lies a little outside."""


def enlarge_classes(numbers: Bytes, matte: Bytes) -> Bytes:
    """Return the class of each pixel, uint8, at the size (height, width) of the picture's matte.

    `numbers`, uint8, are the classes at the network's size, 0 the background; `matte` is alpha,
    uint8. A pixel outside the matte is background, and so is one where the network saw no class.
    """
    size = matte.shape[1], matte.shape[0]
    found, strongest = np.zeros_like(matte), np.zeros_like(matte)
    for number in range(1, int(numbers.max()) + 1):
        mask = cv2.compare(numbers, number, cv2.CMP_EQ)
        vote = cv2.resize(cv2.blur(mask, REACH), size, interpolation=cv2.INTER_LINEAR)
        stronger = cv2.compare(vote, strongest, cv2.CMP_GT)
        np.putmask(found, stronger, number)
        cv2.max(vote, strongest, dst=strongest)
    person: Bytes = cv2.compare(matte, HALF, cv2.CMP_GT)
    inside: Bytes = cv2.bitwise_and(found, person)
    return inside
