"""Still pictures into files that are whole as soon as they have their name."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import cv2

from realtime.errors import SinkUnavailable
from realtime.frame import Bytes

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def write_picture(path: Path, picture: Bytes) -> None:
    """Write BGR, uint8 (height, width, 3), or grey, uint8 (height, width); the suffix decides how.

    Raises `SinkUnavailable` for an unknown suffix or a place that cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SinkUnavailable(f"{path}: cannot write this kind", f"known: {' '.join(SUFFIXES)}")
    try:
        _, coded = cv2.imencode(path.suffix.lower(), picture)
    except cv2.error as error:
        raise SinkUnavailable(f"{path}: cannot be encoded", "WebP ends at 16383 a side") from error
    temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        temporary.write_bytes(coded.tobytes())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        reason = (error.strerror or str(error)).lower()
        raise SinkUnavailable(f"{path}: {reason}", "choose a folder you can write to") from error
