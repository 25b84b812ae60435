"""Pictures from outside: known by their content, bounded before they are opened, made ours.

A file of a few kilobytes can claim more pixels than memory holds, so its header is asked first.
What is kept was encoded here: no tag, no second file behind the first, no name of theirs.
"""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import PurePath
from unicodedata import normalize

from PIL import Image, ImageOps

from realtime.errors import BadPicture

FORMATS = ("JPEG", "PNG", "WEBP")

MAX_PIXELS = 50_000_000
"""Most pixels of a picture: the largest telephones' have them."""

KEPT = (3840, 3840)
"""Longest sides of what is kept: no camera shows more."""

QUALITY = 92


def expect_picture(data: bytes) -> Image.Image:
    """Return a picture that is not decoded yet. Raises `BadPicture`."""
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadPicture("this is no JPEG, PNG or WebP", "save it as one of them") from error
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise BadPicture(f"{width}x{height} is too large", f"at most {MAX_PIXELS:,} pixels")
    return picture


def as_backdrop(data: bytes) -> bytes:
    """Return an uploaded picture as a JPEG of ours, upright, over black. Raises `BadPicture`."""
    picture = expect_picture(data)
    try:
        if picture.mode == "I;16":  # grey of 16 bits, which `convert` would clip
            picture = picture.point(lambda value: value / 256).convert("L")
        picture.draft("RGB", KEPT)
        picture.getexif()  # from now on the picture knows its side without the tags:
        picture.info.pop("exif", None)  # written again, which some cannot be, they would go along
        picture.thumbnail(KEPT)
        upright = ImageOps.exif_transpose(picture)
        black = Image.new("RGBA", upright.size, "black")
        flat = Image.alpha_composite(black, upright.convert("RGBA")).convert("RGB")
        kept = io.BytesIO()
        flat.save(kept, "JPEG", quality=QUALITY)
    except (OSError, ValueError, SyntaxError) as error:
        raise BadPicture("this picture is broken", "open it and save it again") from error
    return kept.getvalue()


def own_name(title: str, data: bytes) -> str:
    """Return a file name of ours: what letters a title has, and what the content is."""
    plain = normalize("NFKD", PurePath(title).stem).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40]
    return f"{words or 'picture'}-{hashlib.sha256(data).hexdigest()[:8]}.jpg"
