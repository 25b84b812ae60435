"""Still pictures as files hold them: of any depth, with alpha or without. Floor 1."""

from __future__ import annotations

import os

import cv2
import numpy as np

from realtime.errors import FrameError
from realtime.frame import Bytes

EXIF = cv2.IMAGE_METADATA_EXIF

MAX_PIXELS = int(os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"])
"""Most pixels of a picture: what `realtime` tells OpenCV."""


def decode(coded: Bytes) -> Bytes:
    """Return a picture as BGR or BGRA, uint8 (height, width, 3 or 4).

    It is upright by its EXIF tag. Raises `FrameError` for what is no picture, for one of more than
    `MAX_PIXELS`, and for one of floating point numbers: nothing says which of them is white.
    """
    try:
        stored, kinds, tags = cv2.imdecodeWithMetadata(coded, cv2.IMREAD_UNCHANGED)
        if stored is not None and stored.dtype.kind == "f":
            raise FrameError(
                "this picture holds floating point numbers", "save it with 8 or 16 bits a channel"
            )
        if stored is None or stored.ndim != 3 or stored.shape[2] != 4:
            stored = cv2.imdecode(coded, cv2.IMREAD_COLOR)  # this one heeds EXIF
        elif exif := [tag for kind, tag in zip(kinds, tags, strict=True) if kind == EXIF]:
            alpha = cv2.extractChannel(stored, 3)  # is turned as a picture of its own
            _, alone = cv2.imencodeWithMetadata(".png", alpha, [EXIF], exif)
            turned = (coded, cv2.IMREAD_COLOR), (alone, cv2.IMREAD_GRAYSCALE)
            stored = cv2.merge([cv2.imdecode(*each) for each in turned])
    except cv2.error as error:
        raise refusal(error) from error
    if stored is None:
        raise broken()
    if stored.dtype != np.uint8:
        stored = cv2.convertScaleAbs(stored, alpha=255 / np.iinfo(stored.dtype).max)
    return np.asarray(stored, np.uint8)


def flatten(stored: Bytes, paper: int) -> Bytes:
    """Return BGR of what `decode` gives, over a grey of 0..255 where it is transparent."""
    if stored.shape[2] == 3:
        return stored
    alpha = cv2.merge([cv2.extractChannel(stored, 3)] * 3)
    shown = cv2.multiply(cv2.cvtColor(stored, cv2.COLOR_BGRA2BGR), alpha, scale=1 / 255)
    behind = cv2.multiply(cv2.bitwise_not(alpha), paper, scale=1 / 255)
    over: Bytes = cv2.add(shown, behind)
    return over


def refusal(error: cv2.error) -> FrameError:
    """Say what OpenCV means."""
    return too_large() if "IMAGE_PIXELS" in str(error) else broken()


def broken() -> FrameError:
    """Say that a file is no picture."""
    return FrameError("this is no picture that can be read", "is the file whole?")


def too_large() -> FrameError:
    """Say that a picture has more than `MAX_PIXELS`."""
    return FrameError(
        "this picture is too large", f"make it smaller than {MAX_PIXELS // 1_000_000} megapixels"
    )
