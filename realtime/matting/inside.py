"""Step 3 of 9: the inside of a person, where a network doubts and the backdrop would shine."""

from __future__ import annotations

import math

import cv2
import numpy as np

from realtime.frame import Alpha, Bytes

ROOM = 0.2
"""Alpha up to which a pixel may be room that is seen past an arm: no haze, and nothing is filled
near it, unless it is a hole in the person's own colours."""

DEPTH = 1 / 32
"""How far inside is, as a share of the side of a square matte: hair and blurred hands are softer
than 1, but not that far from all room."""

PERSON = 0.8
"""Alpha above which a pixel's colour is one of the person's."""

AROUND, ASKED = 1 / 24, 64
"""How far around a hole the person's colours are looked for, as a share of the side of a square
matte; and about how many of them and of the hole's are compared."""

LIKE, LIKE_SHARE = 15.0, 75
"""Distance in levels of BGR from the nearest of these colours up to which one is like them, and
the share, in %, of a hole's pixels that must be."""

MOST = 40
"""Patches and holes above which a matte is noise, and asking each of them would take long."""


def filled(alpha: Alpha, picture: Bytes) -> Alpha:
    """Return alpha, float32 (height, width), with 1 for whatever is above `ROOM` far inside.

    `picture` is what alpha was made of, BGR uint8 (height, width, 3). A hole that looks like the
    person around it is no view of the room: a hand before a chest makes a network doubt the chest.
    """
    alpha = _closed(alpha, picture)
    depth = round(DEPTH * math.sqrt(alpha.size))
    around = np.ones((2 * depth + 1, 2 * depth + 1), np.uint8)
    inside = cv2.erode(cv2.compare(alpha, ROOM, cv2.CMP_GT), around)
    share = cv2.boxFilter(inside, cv2.CV_32F, (depth, depth)) / np.float32(255)
    full: Alpha = alpha + (1 - alpha) * share
    return full


def _closed(alpha: Alpha, picture: Bytes) -> Alpha:
    """Return alpha with 1 in holes of the colours around them."""
    reach = round(AROUND * math.sqrt(alpha.size))
    some = cv2.compare(alpha, ROOM, cv2.CMP_GT)
    contours, tree = cv2.findContours(some, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if len(contours) > MOST:
        return alpha
    closed = alpha
    for contour, (*_, parent) in zip(contours, () if tree is None else tree[0], strict=True):
        if parent < 0:  # a patch, and no hole in one
            continue
        left, top, width, height = cv2.boundingRect(contour)
        left, right = max(left - reach, 0), left + width + reach
        top, bottom = max(top - reach, 0), top + height + reach
        near, colours = alpha[top:bottom, left:right], picture[top:bottom, left:right]
        within = np.zeros(near.shape, np.uint8)
        cv2.drawContours(within, [contour], 0, 1, cv2.FILLED, offset=(-left, -top))
        hole = (within > 0) & (near <= ROOM)
        if _alike(colours[hole], colours[near > PERSON]):
            closed = alpha.copy() if closed is alpha else closed
            closed[top:bottom, left:right][hole] = 1
    return closed


def _alike(colours: Bytes, others: Bytes) -> bool:
    """Say whether most of some colours, (count, 3), are near one of the others."""
    if not (len(colours) and len(others)):
        return False
    some, those = (
        every[:: -(-len(every) // ASKED)].astype(np.float32) for every in (colours, others)
    )
    apart = np.linalg.norm(some[:, np.newaxis] - those, axis=2).min(axis=1)
    return bool(np.percentile(apart, LIKE_SHARE) < LIKE)
