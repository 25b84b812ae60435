"""One packed file of all training pictures: raw pixels behind an index, read through memory.

Decoding JPEGs costs more than all augmentation together; raw bytes in a mapped file cost nothing.
The file: a line of JSON with its own length, the index as JSON, then the pixels of each picture
(H x W x 4 uint8, RGB and alpha; H x W x 3 where no person is), area-downscaled to `LONG_SIDE`.

Expected under the data folder (see its README): stills/train/<source>/{img,mask,matte},
pseudo/{img,mask}, sequences/<name>.{mp4,alpha.mkv}, negatives/img, backgrounds.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.errors import ConfigError

LONG_SIDE = 400
HEADER = 64  # bytes of the first line
HELD_OUT = 10  # every tenth negative is kept for measuring, see training.evaluate

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Row:
    """One picture: where it came from, where it lies, and where the person is."""

    source: str
    name: str
    height: int
    width: int
    channels: int
    offset: int = 0
    box: tuple[int, int, int, int] = (0, 0, 0, 0)  # x0 y0 x1 y1 of alpha > 0.5
    soft: bool = False  # a soft matte rather than a hand mask


class Pack:
    """A packed file opened for reading; `rows` by source in `sources`."""

    def __init__(self, path: Path):
        try:
            with path.open("rb") as file:
                size = int(file.readline())
                file.seek(HEADER)
                rows = json.loads(file.read(size))
            self.pixels = np.memmap(path, np.uint8, "r", offset=HEADER + size)
        except (OSError, ValueError) as error:
            hint = "build it with scrim-train pack"
            raise ConfigError(f"{path} is no packed data: {error}", hint) from error
        self.rows = [Row(**{**row, "box": tuple(row["box"])}) for row in rows]
        self.sources: dict[str, list[Row]] = {}
        for row in self.rows:
            self.sources.setdefault(row.source, []).append(row)

    def read(self, row: Row) -> Pixels:
        """H x W x channels, read-only."""
        end = row.offset + row.height * row.width * row.channels
        return self.pixels[row.offset : end].reshape(row.height, row.width, row.channels)


def build(data: Path, out: Path) -> Pack:
    """Pack the folder `data` into the file `out` (written whole or not at all)."""
    if not data.is_dir():
        raise ConfigError(f"no folder {data}", "name the folder of training pictures with --data")
    out.parent.mkdir(parents=True, exist_ok=True)
    body, part = out.with_suffix(".body"), out.with_suffix(".part")
    rows, offset = [], 0
    with body.open("wb") as file:
        for row, pixels in pictures(data):
            rows.append(asdict(row) | {"offset": offset})
            offset += file.write(pixels.tobytes())
    if not rows:
        body.unlink()
        raise ConfigError(f"no training pictures under {data}", "see the layout in training.pack")
    index = json.dumps(rows).encode()
    with part.open("wb") as file:
        file.write(str(len(index)).encode().ljust(HEADER - 1) + b"\n" + index)
        with body.open("rb") as source:
            while chunk := source.read(1 << 24):
                file.write(chunk)
    body.unlink()
    os.replace(part, out)
    return Pack(out)


def pictures(data: Path) -> Iterator[tuple[Row, Pixels]]:
    """Every training picture of the folder, shrunk, with its row."""
    for folder in sorted((data / "stills" / "train").glob("*")):
        for path in listed(folder / "img"):
            yield person(folder.name, path, folder / "mask", folder / "matte")
    for path in listed(data / "pseudo" / "img"):
        yield person("pseudo", path, None, data / "pseudo" / "mask")
    for path in sorted((data / "sequences").glob("*.alpha.mkv")):
        yield from frames(path)
    for path in [p for i, p in enumerate(listed(data / "negatives" / "img")) if i % HELD_OUT]:
        yield empty("negative", path)
    for path in listed(data / "backgrounds"):
        yield empty("background", path)


def listed(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"})


def person(source: str, path: Path, masks: Path | None, mattes: Path) -> tuple[Row, Pixels]:
    """A still with its matte where it has one, else its mask."""
    matte = mattes / f"{path.stem}.png"
    soft = matte.is_file()
    if not soft and masks:
        matte = masks / f"{path.stem}.png"
    return labelled(source, path.stem, picture(path), picture(matte, grey=True), soft)


def frames(path: Path) -> Iterator[tuple[Row, Pixels]]:
    """Every second frame of a clip and its matte."""
    name = path.name.removesuffix(".alpha.mkv")
    both = zip(video(path.with_name(f"{name}.mp4")), video(path), strict=True)
    for number, (bgr, pha) in enumerate(both):
        if number % 2 == 0:
            yield labelled("sequence", f"{name}:{number}", bgr, pha[:, :, 0], True)


def labelled(source: str, name: str, bgr: Pixels, pha: Pixels, soft: bool) -> tuple[Row, Pixels]:
    """Join colour and alpha, refusing pairs that do not fit."""
    if bgr.shape[:2] != pha.shape:
        sides = f"{bgr.shape[1]}x{bgr.shape[0]} and {pha.shape[1]}x{pha.shape[0]}"
        raise ConfigError(f"{source}/{name}: picture and matte differ in size ({sides})")
    rgb = shrink(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
    pixels = np.dstack([rgb, shrink(pha)])
    box = cv2.boundingRect((pixels[:, :, 3] > 127).astype(np.uint8))
    x, y, w, h = (int(v) for v in box)
    return Row(source, name, *pixels.shape, box=(x, y, x + w, y + h), soft=soft), pixels


def empty(source: str, path: Path) -> tuple[Row, Pixels]:
    pixels = shrink(cv2.cvtColor(picture(path), cv2.COLOR_BGR2RGB))
    return Row(source, path.stem, *pixels.shape), pixels


def picture(path: Path, grey: bool = False) -> Pixels:
    """Read BGR, or one grey channel."""
    read = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR)
    if read is None:
        raise ConfigError(f"{path} is missing or no picture")
    return np.asarray(read, np.uint8)


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


def shrink(image: Pixels) -> Pixels:
    """Area-downscale to a long side of at most LONG_SIDE."""
    height, width = image.shape[:2]
    scale = LONG_SIDE / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
