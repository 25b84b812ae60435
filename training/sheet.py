"""Contact sheets, to look at: what a recipe trains on, and where a network is worst."""

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import ConfigError
from training.data import Batch
from training.evaluate import Score
from training.pack import Pixels

SIDE = 120  # pixels of a tile
COLUMNS = 4
WORST = 24


def worst(scores: Sequence[Score], path: Path) -> None:
    """The worst pictures, 24 in all, set by set: picture, what was found, truth.

    Each set gives its worst, then its second worst, ...: as many of each, where there are.
    """
    tiles = []
    turns = zip_longest(*([(number, *item) for item in s.worst] for number, s in enumerate(scores)))
    chosen = [item for turn in turns for item in turn if item][:WORST]
    for _, _, name, *images in sorted(chosen, key=lambda item: item[0]):
        tile = np.hstack([boxed(image) for image in images])
        tiles.append(cv2.putText(tile, name, (2, 12), 0, 0.35, (0, 0, 255)))
    write(tiles, path)


def batches(found: Sequence[Batch], path: Path) -> None:
    """Training pictures beside the same with the room in green and unknown labels in violet."""
    tiles = []
    for src, pha, weight in (parts for batch in found for parts in zip(*batch, strict=True)):
        bgr = np.ascontiguousarray(src.permute(1, 2, 0).numpy()[:, :, ::-1])
        alpha = pha[0, :, :, None].numpy() / np.float32(255 if pha.max() > 8 else 8)  # or classes
        known = weight[0, :, :, None].numpy()
        cut = bgr * (0.3 + 0.7 * alpha) + np.array([0, 70, 0]) * (1 - alpha)
        cut = np.where(known > 0, cut, np.array([130, 0, 130]))
        tiles.append(np.hstack([boxed(bgr), boxed(cut.clip(0, 255).astype(np.uint8))]))
    write(tiles, path)


def boxed(image: Pixels) -> Pixels:
    """Fitted into a square, black around."""
    height, width = image.shape[:2]
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    tile = np.zeros((SIDE, SIDE, 3), np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return tile


def write(tiles: list[Pixels], path: Path) -> None:
    """Tiles in rows of COLUMNS. Raises `ConfigError` where they cannot be written."""
    if not tiles:
        return
    tiles = tiles + [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = cv2.imencode(path.suffix, np.vstack(rows))[1]
        path.write_bytes(content.tobytes())
    except cv2.error as error:
        raise ConfigError(f"{path} is no name of a picture", "end it in .jpg or .png") from error
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}", "name another place") from error
