"""One small file of all training pictures, behind an index: what a run reads, and can be carried.

The file: a line of text (version, offset and length of the index), then of each picture its colours
(JPEG, or WebP where the file must be small) and, where there is a person, its alpha or label map
(WebP without loss), then the index: zlib-packed JSON. Pictures are area-downscaled to a long side.
Decoding adds about a fifth to the cost of a batch (WebP two fifths): nothing is kept unpacked.

`training.packing` makes it from a folder.
"""

import json
import zlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np

from realtime.errors import ConfigError
from training.pictures import Pixels

HEADER = 64  # bytes of the first line
VERSION = "scrim-pack-2"


@dataclass(frozen=True)
class Quality:
    """How small pictures are made. Label maps and their pictures keep 1.28 times the side."""

    long_side: int = 400  # pixels
    codec: str = ".jpg"
    level: int = 92  # 0..100
    every: int = 1  # keep every n-th background and frame of clips

    def __str__(self) -> str:
        thinned = f", every {self.every}. background and frame" if self.every > 1 else ""
        return f"long side {self.long_side}, {self.codec[1:]} {self.level}{thinned}"


@dataclass(frozen=True)
class Row:
    """One picture: where it came from, where it lies, and where the person is."""

    source: str
    name: str
    height: int
    width: int
    channels: int  # 4 with alpha or labels, else 3
    offset: int = 0
    colours: int = 0  # bytes
    alpha: int = 0  # bytes, right behind the colours
    box: tuple[int, int, int, int] = (0, 0, 0, 0)  # x0 y0 x1 y1 of alpha > 0.5
    soft: bool = False  # a soft matte rather than a hand mask


class Pack:
    """A packed file opened for reading; `rows` by source in `sources`."""

    def __init__(self, path: Path):
        try:
            with path.open("rb") as file:
                version, *place = file.read(HEADER).decode().split() or [""]
                if version != VERSION or len(place) != 2:
                    raise ValueError(f"its first line says {version!r}, wanted {VERSION}")
                offset, size = map(int, place)
                file.seek(offset)
                self.index: dict[str, Any] = json.loads(zlib.decompress(file.read(size)))
            self.bytes = np.memmap(path, np.uint8, "r")
        except (OSError, ValueError, zlib.error) as error:
            hint = "build it with scrim-train pack"
            raise ConfigError(f"{path} is no packed data: {error}", hint) from error
        self.rows = [Row(**{**row, "box": tuple(row["box"])}) for row in self.index["rows"]]
        self.sources: dict[str, list[Row]] = {}
        for row in self.rows:
            self.sources.setdefault(row.source, []).append(row)

    @property
    def licences(self) -> dict[str, str]:
        """The licence stated for each source in the pack, empty where none is known."""
        return {source: self.index["licences"].get(source, "") for source in self.sources}

    def read(self, row: Row) -> Pixels:
        """H x W x channels: RGB, or RGB and alpha (or label)."""
        middle = row.offset + row.colours
        bgr = cv2.imdecode(self.bytes[row.offset : middle], cv2.IMREAD_COLOR)
        if row.channels == 3:
            return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
        out = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGBA)
        alpha = cv2.imdecode(self.bytes[middle : middle + row.alpha], cv2.IMREAD_GRAYSCALE)
        return np.asarray(cv2.insertChannel(alpha, out, 3), np.uint8)


def encoded(pixels: Pixels, quality: Quality) -> tuple[bytes, bytes]:
    """Colours and alpha (nothing without one) as they stand in the file."""
    flag = cv2.IMWRITE_JPEG_QUALITY if quality.codec == ".jpg" else cv2.IMWRITE_WEBP_QUALITY
    bgr = np.ascontiguousarray(pixels[:, :, :3])
    colours = cv2.imencode(quality.codec, bgr, [flag, quality.level])[1].tobytes()
    if pixels.shape[2] == 3:
        return colours, b""
    alpha = cv2.cvtColor(np.ascontiguousarray(pixels[:, :, 3]), cv2.COLOR_GRAY2BGR)
    without_loss = [cv2.IMWRITE_WEBP_QUALITY, 101]
    return colours, cv2.imencode(".webp", alpha, without_loss)[1].tobytes()


def add(file: BinaryIO, row: Row, pixels: Pixels, quality: Quality) -> dict[str, Any]:
    """Write a picture; gives its row."""
    colours, alpha = encoded(pixels, quality)
    offset = file.tell()
    file.write(colours + alpha)
    return asdict(replace(row, offset=offset, colours=len(colours), alpha=len(alpha)))


def close(file: BinaryIO, index: dict[str, Any]) -> None:
    """Write index and first line."""
    packed, offset = zlib.compress(json.dumps(index).encode()), file.tell()
    file.write(packed)
    file.seek(0)
    file.write(f"{VERSION} {offset} {len(packed)}".encode().ljust(HEADER - 1) + b"\n")
