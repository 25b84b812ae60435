"""GrabCut for stills: colours of person and room are learnt from the picture itself.

Rother, Kolmogorov and Blake, "GrabCut", SIGGRAPH 2004, as OpenCV has it: two mixtures of
Gaussians tell the colours apart, a graph cut finds the outline. Alone it needs a rectangle and
takes a wall of the shirt's colour for shirt; beside a network it only says where, in a narrow
band, the outline runs. Clothes and limbs gain; fine hair comes out harder, and a wall of the
hair's colour still fools it. A fifth of a second a picture and no sense of time: not for live use.
"""

from __future__ import annotations

import cv2
import numpy as np

from realtime import pixels
from realtime.contract import Size
from realtime.frame import Alpha, Bytes, Frame
from realtime.matting.refine import GuidedRefiner, Levels

LONG_SIDE = 640
"""Pixels of the longer side at which the outline is cut."""

BAND = 0.035
"""Half the width of the band in which GrabCut may choose, as a share of the longer side."""

VOICE = 0.3
"""GrabCut's share in the vote with the network, under one half: it decides where the network's
alpha lies between 0.29 and 0.71. What the network is sure of stays, however the cut fails."""

ROUNDS = 2
"""Times that colours and outline are estimated in turn."""

HALF = 127
"""Alpha above which a pixel is the person's."""

Box = tuple[int, int, int, int]
"""left, top, width, height in pixels."""


class GrabCutRefiner:
    """The network's matte and GrabCut's outline vote; the guided filter enlarges what they decide.

    `feather`, 0..1, widens the edge; `threshold`, 0..1, is the alpha that becomes half. `band`
    and `voice`, 0..0.5, are `BAND` and `VOICE`.
    """

    def __init__(
        self,
        feather: float = 0.0,
        threshold: float = 0.5,
        band: float = BAND,
        voice: float = VOICE,
    ) -> None:
        self._first = GuidedRefiner(0.0, threshold)
        self._last = GuidedRefiner(feather)
        self._band = band
        self._voice = voice

    def refine(self, alpha: Alpha, guide: Bytes, frame: Frame) -> Bytes:
        """Return alpha, uint8, at the frame's (height, width).

        The guide is the frame in BGR, uint8, at alpha's size.
        """
        work = pixels.fit(frame, _working_size(frame.size), "stretch")
        bgr = pixels.to_bgr(work)
        matte = self._first.refine(alpha, guide, work)
        outline = cut(bgr, band_around(matte, self._band))
        return self._last.refine(vote(matte, outline, self._voice), bgr, frame)


def _working_size(size: Size) -> Size:
    scale = min(1.0, LONG_SIDE / max(size))
    return pixels.even((max(1, round(size[0] * scale)), max(1, round(size[1] * scale))))


def vote(matte: Bytes, outline: Bytes, voice: float) -> Alpha:
    """Return alpha, 0..1, of a matte and a mask, uint8; 0 and 1 of the matte stay what they are."""
    both = cv2.addWeighted(matte, 1 - voice, outline, voice, 0.0, dtype=cv2.CV_32F)
    decided: Alpha = np.clip(Levels(voice, 1 - voice).remap(both / np.float32(255)), 0, 1)
    return decided


def band_around(matte: Bytes, band: float = BAND) -> Bytes:
    """Return the trimap of a matte, uint8 (height, width), in OpenCV's numbers.

    Sure beyond the band around the outline, likely the person's or the room's within it.
    """
    reach = max(1, round(band * max(matte.shape)))
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    person = cv2.compare(matte, HALF, cv2.CMP_GT)
    trimap = np.where(person, np.uint8(cv2.GC_PR_FGD), np.uint8(cv2.GC_PR_BGD))
    trimap[cv2.erode(person, window) > 0] = cv2.GC_FGD
    trimap[cv2.dilate(person, window) == 0] = cv2.GC_BGD
    return trimap


def inside(box: Box, size: Size) -> Bytes:
    """Return the trimap of a rectangle: the room outside is sure, all within may be the person."""
    trimap = np.full((size[1], size[0]), cv2.GC_BGD, np.uint8)
    left, top, width, height = box
    trimap[top : top + height, left : left + width] = cv2.GC_PR_FGD
    return trimap


def cut(bgr: Bytes, trimap: Bytes, rounds: int = ROUNDS) -> Bytes:
    """Return the person's mask, uint8 (height, width), 0 or 255; the same for the same picture.

    Where the trimap holds person or room alone there is nothing to learn from: it is the answer.
    """
    numbers = trimap.copy()
    if _learnable(numbers):
        cv2.setRNGSeed(0)
        cv2.grabCut(bgr, numbers, None, None, None, rounds, cv2.GC_INIT_WITH_MASK)
    mask: Bytes = cv2.compare(cv2.bitwise_and(numbers, 1), 0, cv2.CMP_GT)
    return mask


def _learnable(numbers: Bytes) -> bool:
    """Whether both sides have samples, and something is left to choose."""
    counts = np.bincount(numbers.ravel(), minlength=4)
    return bool((counts[0] + counts[2]) and (counts[1] + counts[3]) and counts[2] + counts[3])
