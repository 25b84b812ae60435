"""Pictures and masks of every depth, and those that cannot be right."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.errors import ConfigError
from tests.portraits import HEIGHT, WIDTH, colours, person, write
from training import pictures, readers


def turned(path: Path, orientation: int) -> Path:
    """A JPEG with an EXIF orientation (TIFF tag 274)."""
    content = cv2.imencode(".jpg", colours(0))[1].tobytes()
    tag = struct.pack("<HHIHH", 274, 3, 1, orientation, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + tag + bytes(4)
    path.parent.mkdir(parents=True, exist_ok=True)
    size = struct.pack(">H", len(exif) + 2)
    path.write_bytes(content[:2] + b"\xff\xe1" + size + exif + content[2:])
    return path


MASKS = {
    "zero and one": (person() // 128, (person() // 128) * 255),
    "sixteen bits": (person().astype(np.uint16) * 257, person()),
    "sixteen bits, 0..255": (person().astype(np.uint16), person()),
    "sixteen bits, zero and one": ((person() // 128).astype(np.uint16), (person() // 128) * 255),
    "three channels": (np.dstack([person()] * 3), person()),
    "opaque, three channels": (np.dstack([person()] * 3 + [person() | 255]), person()),
    "cut-out": (np.dstack([colours(0), person()]), person()),
}


@pytest.mark.parametrize("kind", MASKS)
def test_masks_that_mean_the_same(kind: str, tmp_path: Path) -> None:
    written, meant = MASKS[kind]
    found = pictures.mask(write(tmp_path / "x.png", written))
    assert found.dtype == np.uint8 and np.array_equal(found, meant)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((4, 4), np.uint8), "nobody"),
        (np.full((4, 4), 7, np.uint8), "from 0 to 7, wanted 0..255"),
        (colours(3), "coloured"),
    ],
)
def test_masks_that_cannot_be_right(image: np.ndarray, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        pictures.mask(write(tmp_path / "x.png", image))


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((4, 4), np.uint8), "empty"),
        (np.full((4, 4), 9, np.uint8), "label 9"),
        (colours(1), "one channel"),
    ],
)
def test_label_maps_that_cannot_be_right(image: np.ndarray, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        pictures.labels(write(tmp_path / "x.png", image))


def test_pictures_grey_deep_or_cut_out(tmp_path: Path) -> None:
    grey = colours(0)[:, :, 0]
    assert np.array_equal(pictures.photo(write(tmp_path / "g.png", grey)), np.dstack([grey] * 3))
    deep = pictures.photo(write(tmp_path / "d.png", colours(0).astype(np.uint16) * 257))
    assert deep.dtype == np.uint8 and np.array_equal(deep, colours(0))
    whole = np.dstack([colours(0), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    assert np.array_equal(pictures.photo(write(tmp_path / "w.png", whole)), colours(0))
    with pytest.raises(ConfigError, match="cut-out"):
        pictures.photo(write(tmp_path / "c.png", np.dstack([colours(0), person()])))


def test_pictures_of_floats_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "f.tiff", person().astype(np.float32) / 255)
    with pytest.raises(ConfigError, match="float32"):
        pictures.mask(path)


def test_a_turned_photo_needs_a_mask_that_is_turned_too(tmp_path: Path) -> None:
    photo = turned(tmp_path / "img" / "a.jpg", 6)
    mask = write(tmp_path / "mask" / "a.png", person())
    item = readers.Item("person", "x", "a", photo, mask)
    with pytest.raises(ConfigError, match=r"60x48 and 48x60; .*EXIF"):
        item.load()
    write(mask, cv2.rotate(person(), cv2.ROTATE_90_CLOCKWISE))
    bgr, pha = item.load()
    right = cv2.rotate(colours(0), cv2.ROTATE_90_CLOCKWISE)
    assert bgr.shape[:2] == pha.shape and cv2.PSNR(bgr, right) > 30
