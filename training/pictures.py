"""Pictures, masks and clips from their files, checked at the border.

A file that is missing, truncated or cannot be what it should be is a `ConfigError` that names it.
Arrays are H x W (x 3, BGR) uint8, turned as a JPEG's EXIF orientation says.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.errors import ConfigError

Pixels = NDArray[np.uint8]

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
ANY_DEPTH = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH  # unlike UNCHANGED it heeds EXIF


def listed(folder: Path) -> list[Path]:
    """The pictures of a folder by name; none where there is no folder."""
    found = (p for p in folder.glob("*") if p.suffix.lower() in SUFFIXES)
    return sorted(p for p in found if not p.name.startswith("."))


def decoded(path: Path, flags: int) -> Pixels:
    """The file as OpenCV reads it, 8 or 16 bits."""
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise ConfigError(f"{path} is missing or no picture: {error.strerror}") from error
    read = cv2.imdecode(content, flags) if content.size else None
    if read is None:
        raise ConfigError(f"{path} is empty, truncated or no picture")
    if read.dtype not in (np.uint8, np.uint16):
        raise ConfigError(f"{path} holds {read.dtype}, wanted 8 or 16 bits a channel")
    return np.asarray(read)


def picture(path: Path) -> Pixels:
    """BGR as it stands in the file; 16 bits become 8."""
    return decoded(path, cv2.IMREAD_COLOR)


def photo(path: Path) -> Pixels:
    """A picture to train on, BGR: whole, not a cut-out."""
    if path.suffix.lower() in {".png", ".webp", ".tif", ".tiff"}:
        found = decoded(path, cv2.IMREAD_UNCHANGED)
        if (
            found.ndim == 3
            and found.shape[2] == 4
            and found[:, :, 3].min() < np.iinfo(found.dtype).max
        ):
            raise ConfigError(f"{path} is partly transparent: a cut-out, no picture with its room")
    return picture(path)


def mask(path: Path) -> Pixels:
    """A mask or matte, H x W, 0 room .. 255 person.

    Taken from: grey of 8 or 16 bits (or of 8 stored as 16), three equal channels, the alpha channel
    of a cut-out, and masks of 0 and 1. Colours, label maps and masks without a person are refused.
    """
    found = decoded(path, ANY_DEPTH)
    if found.ndim == 3:
        found = single(path, found)
    if found.dtype == np.uint16:
        found = found if found.max() <= 255 else np.rint(found / 257)
    top = int(found.max())
    if top == 0:
        raise ConfigError(f"{path} is an empty mask: nobody in it")
    if top == 1:
        return np.asarray(found * 255, np.uint8)
    if top < 128:
        raise ConfigError(f"{path} goes from 0 to {top}, wanted 0..255: is it a label map?")
    return np.asarray(found, np.uint8)


def single(path: Path, found: Pixels) -> Pixels:
    """The one channel that tells the person: alpha, or any of three equal ones."""
    whole = decoded(path, cv2.IMREAD_UNCHANGED)
    if whole.shape[2] == 4 and whole[:, :, 3].min() < np.iinfo(whole.dtype).max:
        return whole[:, :, 3]
    if (found[:, :, 0] != found[:, :, 1]).any() or (found[:, :, 1] != found[:, :, 2]).any():
        raise ConfigError(f"{path} is coloured, wanted grey (0..255) or an alpha channel")
    return found[:, :, 0]


def labels(path: Path, classes: int = 9) -> Pixels:
    """A label map, H x W: 0..classes-1, 255 where unknown."""
    found = decoded(path, ANY_DEPTH)
    if found.ndim == 3 or found.dtype != np.uint8:
        raise ConfigError(f"{path} is no label map: wanted one channel of 8 bits")
    wrong = np.setdiff1d(found, [*range(classes), 255])
    if wrong.size:
        raise ConfigError(f"{path} has label {wrong[0]}, wanted 0..{classes - 1} or 255")
    if not found.any():
        raise ConfigError(f"{path} is an empty label map: background alone")
    return found


def video(path: Path) -> Iterator[Pixels]:
    """BGR frames; a grey video comes as three equal channels with exact values."""
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise ConfigError(f"{path} is missing or no video")
    try:
        while (read := capture.read())[0]:
            yield np.asarray(read[1], np.uint8)
    finally:
        capture.release()


def same_size(path: Path, found: Pixels, other: Path, pha: Pixels) -> None:
    """Refuse a picture and a mask of different sides."""
    (height, width), (rows, columns) = found.shape[:2], pha.shape
    if (height, width) == (rows, columns):
        return
    why = (
        "; one of them is turned, by its EXIF or by hand"
        if (height, width) == (columns, rows)
        else ""
    )
    raise ConfigError(
        f"{path} and {other.name} differ in size ({width}x{height} and {columns}x{rows}{why})"
    )
