"""Still pictures, as files hold them."""

from __future__ import annotations

from pathlib import Path

import cv2

from realtime.errors import SinkUnavailable
from realtime.frame import Bytes

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
CLEAR = (".png", ".webp")
"""Those that can be transparent."""

WEBP_SIDE = 16383


def encode_for(path: Path, picture: Bytes) -> bytes:
    """Encode a picture as `encode_picture` does; the path's suffix decides how.

    Raises `SinkUnavailable` for an unknown suffix and a picture that is too large for it.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SinkUnavailable(f"{path}: cannot write this kind", f"known: {' '.join(SUFFIXES)}")
    if path.suffix.lower() == ".webp" and max(picture.shape) > WEBP_SIDE:
        raise SinkUnavailable(f"{path}: too large", f"WebP ends at {WEBP_SIDE} pixels a side")
    return encode_picture(path.suffix.lower(), picture)


def encode_picture(suffix: str, picture: Bytes) -> bytes:
    """Encode BGR, uint8 (height, width, 3), BGR with alpha, or grey, uint8 (height, width)."""
    _, coded = cv2.imencode(suffix, picture)
    return coded.tobytes()
