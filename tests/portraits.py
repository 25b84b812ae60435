"""Drawn people with their masks, as files, in the layouts that training reads."""

from pathlib import Path

import cv2
import numpy as np
from numpy.random import default_rng

from training import readers

HEIGHT, WIDTH = 60, 48


def colours(seed: int) -> np.ndarray:
    """A picture as smooth as a photograph."""
    coarse = default_rng(seed).integers(0, 255, (6, 5, 3), np.uint8)
    return cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def person() -> np.ndarray:
    """A mask 0..255 with every value on the way."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[20:, 10:36] = np.linspace(255, 0, 26).astype(np.uint8)
    return mask


def write(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
    return path


def plain(root: Path, pictures: str = "img", masks: str = "mask", number: int = 20) -> Path:
    for i in range(number):
        write(root / pictures / f"{i:05}.jpg", colours(i))
        write(root / masks / f"{i:05}.png", person())
    return root


def house(root: Path) -> Path:
    """Scrim's own layout, with all there can be."""
    for split in ("train", "val"):
        plain(root / "stills" / split / "ccp", number=3)
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        labels[20:50, 10:30] = 8
        labels[50] = 255
        write(root / "parts" / split / "00001.png", labels)
    write(root / "stills/train/ccp/matte/00002.png", person())
    plain(root / "pseudo", number=2)
    for i in range(4):
        write(root / f"negatives/img/{i}.jpg", colours(i))
        write(root / f"backgrounds/{i}.jpg", colours(i))
    (root / "sequences").mkdir()
    for name, shown in (("a.mp4", colours(1)), ("a.alpha.mkv", np.dstack([person()] * 3))):
        code = cv2.VideoWriter.fourcc(*("mp4v" if name.endswith("mp4") else "FFV1"))
        film = cv2.VideoWriter(str(root / "sequences" / name), code, 10, (WIDTH, HEIGHT))
        for _ in range(3):
            film.write(shown)
        film.release()
    return root


def people(data: Path) -> list[readers.Item]:
    found = readers.listing(data)
    assert not found.problems
    return [item for item in found.items if item.kind == "person"]
