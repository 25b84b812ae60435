"""A decoded picture of a clip, as it is to be seen: upright, of square pixels, in our colours.

It is turned as the clip's display matrix says, and stretched as the shape of its pixels says: those
of DV and DVD, and of some old webcams, are not square. A picture of high definition that does not
name its colours is taken for BT.709, as players and browsers do. High dynamic range (PQ and HLG of
ITU-R BT.2100, which telephones film in) is mapped to the standard one, or it would look pale.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    VideoReformatter,
)

from realtime.contract import Size
from realtime.frame import MAX_SIDE, Bytes, Frame
from realtime.pixels import blank, even, planes_of, writable_planes

UNNAMED_COLOURS = 2
"""AVCOL_SPC_UNSPECIFIED of FFmpeg."""

STANDARD_COLUMNS, STANDARD_LINES = 1024, 576
"""Up to this size unnamed colours are BT.601, above they are BT.709; a wide film has few lines."""

HIGH_RANGE = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
"""Transfer functions PQ and HLG."""

_TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, -90: cv2.ROTATE_90_CLOCKWISE}


def upright(picture: Any, reformatter: VideoReformatter, pixel: Fraction | None = None) -> Bytes:
    """Convert a decoded frame of any kind into an upright I420 array of even size.

    The reformatter is the clip's own: it keeps what it needs for pictures of that kind. `pixel` is
    the width of its pixels as a multiple of their height.
    """
    unnamed = picture.colorspace == UNNAMED_COLOURS and not picture.format.is_rgb
    high = unnamed and (picture.height > STANDARD_LINES or picture.width > STANDARD_COLUMNS)
    width, height = _squared((picture.width, picture.height), pixel)
    bright = picture.color_trc in HIGH_RANGE
    converted: Any = reformatter.reformat(
        picture,
        width,
        height,
        format="yuv420p",
        src_colorspace=Colorspace.ITU709 if high else None,
        dst_colorspace=Colorspace.ITU601,
        dst_color_range=ColorRange.MPEG,
        dst_color_trc=ColorTrc.BT709 if bright else None,
        dst_color_primaries=ColorPrimaries.BT709 if bright else None,
    )
    i420 = blank(even((converted.width, converted.height)))
    for plane, target in zip(converted.planes, writable_planes(i420), strict=True):
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        part = rows[: plane.height, : plane.width]
        below, beside = target.shape[0] - plane.height, target.shape[1] - plane.width
        cv2.copyMakeBorder(part, 0, below, 0, beside, cv2.BORDER_REPLICATE, dst=target)
    return _turned(i420, picture.rotation)


def _squared(size: Size, pixel: Fraction | None) -> Size:
    """Return the size that a picture has in square pixels; it never loses any."""
    width, height = size
    if not pixel or pixel == 1:
        return size
    shown = (round(width * pixel), height) if pixel > 1 else (width, round(height / pixel))
    return shown if max(shown) <= MAX_SIDE else size  # the file is wrong about its pixels


def _turned(i420: Bytes, degrees: int) -> Bytes:
    """Turn an I420 array counterclockwise by a multiple of 90 degrees."""
    how = _TURNS.get(degrees if degrees != -180 else 180)
    if how is None:
        return i420
    frame = Frame(i420)
    turned = blank(frame.size if abs(degrees) == 180 else frame.size[::-1])
    for source, target in zip(planes_of(frame), writable_planes(turned), strict=True):
        cv2.rotate(source, how, dst=target)
    return turned
