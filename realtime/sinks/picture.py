"""Still pictures into files."""

from __future__ import annotations

from pathlib import Path

import cv2

from realtime.errors import SinkUnavailable
from realtime.frame import Bytes
from realtime.sinks.whole import write_whole

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
CLEAR = (".png", ".webp")
"""Those that can be transparent."""


def write_picture(path: Path, picture: Bytes) -> None:
    """Write a picture as `encode_picture` does; the suffix decides how.

    Raises `SinkUnavailable` for an unknown suffix or a place that cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SinkUnavailable(f"{path}: cannot write this kind", f"known: {' '.join(SUFFIXES)}")
    try:
        coded = encode_picture(path.suffix.lower(), picture)
    except cv2.error as error:
        raise SinkUnavailable(f"{path}: cannot be encoded", "WebP ends at 16383 a side") from error
    write_whole(path, coded)


def encode_picture(suffix: str, picture: Bytes) -> bytes:
    """Encode BGR, uint8 (height, width, 3), BGR with alpha, or grey, uint8 (height, width)."""
    _, coded = cv2.imencode(suffix, picture)
    return coded.tobytes()
