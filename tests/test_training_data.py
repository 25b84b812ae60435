"""Folders of pictures in every layout, what is wrong with them, and packs: on drawn pictures."""

import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.random import default_rng
from typer.testing import CliRunner

from realtime.errors import ConfigError
from training import compose, pack, packing, pictures, readers, recipe
from training.__main__ import app

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


def turned(path: Path, orientation: int) -> Path:
    """A JPEG with an EXIF orientation (TIFF tag 274)."""
    content = cv2.imencode(".jpg", colours(0))[1].tobytes()
    tag = struct.pack("<HHIHH", 274, 3, 1, orientation, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + tag + bytes(4)
    path.parent.mkdir(parents=True, exist_ok=True)
    size = struct.pack(">H", len(exif) + 2)
    path.write_bytes(content[:2] + b"\xff\xe1" + size + exif + content[2:])
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


def test_folders_of_pictures_and_masks(tmp_path: Path) -> None:
    for number, (one, other) in enumerate(
        (("img", "mask"), ("Images", "masks"), ("image", "alpha"))
    ):
        items = people(plain(tmp_path / str(number), one, other))
        assert len(items) == 20 and {item.source for item in items} == {str(number)}
        assert {item.soft for item in items} == {other == "alpha"}
        assert 0 < sum(item.held_out for item in items) < 6


def test_what_is_set_aside_depends_on_the_name_alone(tmp_path: Path) -> None:
    before = {i.name for i in people(plain(tmp_path / "a")) if i.held_out}
    after = {i.name for i in people(plain(tmp_path / "b", number=30)) if i.held_out}
    assert before == {name for name in after if int(name) < 20}
    assert sum(i.held_out for i in people(plain(tmp_path / "c", number=2))) == 1
    assert [i.held_out for i in people(plain(tmp_path / "d", number=1))] == [False]


def test_masks_beside_their_pictures(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.png", "c.jpeg"):
        write(tmp_path / name, colours(1))
    for name in ("a.png", "b_mask.png", "c_mask.png", "c_matte.png"):
        write(tmp_path / name, person())
    found = {item.name: (item.mask.name, item.soft) for item in people(tmp_path) if item.mask}
    assert found == {
        "a": ("a.png", False),
        "b": ("b_mask.png", False),
        "c": ("c_matte.png", True),
    }


def test_eg1800_goes_by_its_lists(tmp_path: Path) -> None:
    data = plain(tmp_path / "EG1800", "Images", "Labels", number=6)
    write(data / "Labels" / "00099.png", person())  # the release has labels without pictures
    (data / "eg1800_train.txt").write_text("00000.png\n00001.png\n00002.png\n")
    (data / "eg1800_test.txt").write_text("00003.png\n")
    items = people(data)
    assert {item.source for item in items} == {"eg1800"}
    assert [(i.name, i.held_out) for i in items] == [
        *((f"0000{n}", False) for n in range(3)),
        ("00003", True),
    ]
    (data / "eg1800_test.txt").write_text("00003.png\n00098.png\n")
    assert "00098" in readers.listing(data).problems[0]


def test_aisegment_has_its_matte_in_the_fourth_channel(tmp_path: Path) -> None:
    for i in range(3):
        write(tmp_path / f"clip_img/180315/clip_0000000{i}/180315-{i}.jpg", colours(i))
        cut_out = np.dstack([colours(i), person()])
        write(tmp_path / f"matting/180315/matting_0000000{i}/180315-{i}.png", cut_out)
    items = people(tmp_path)
    assert len(items) == 3 and all(item.soft and item.source == "aisegment" for item in items)
    assert np.array_equal(items[0].load()[1], person())


def test_the_house_layout(tmp_path: Path) -> None:
    found = readers.listing(house(tmp_path))
    assert not found.problems
    counts: dict[tuple[str, bool], int] = {}
    for item in found.items:
        key = (item.kind, item.held_out)
        counts[key] = counts.get(key, 0) + 1
    assert counts == {
        ("person", False): 5,
        ("person", True): 3,
        ("parts", False): 1,
        ("parts", True): 1,
        ("sequence", False): 1,
        ("negative", False): 2,
        ("negative", True): 2,
        ("background", False): 4,
    }
    assert [i.name for i in found.items if i.soft] == ["00002", "00000", "00001", "a"]
    assert [i.name for i in readers.held_out(tmp_path)["ccp"]] == ["00000", "00001", "00002"]
    rooms = [readers.held_out(tmp_path, "negative", skip_bad) for skip_bad in (False, True)]
    assert rooms[0] == rooms[1] and len(rooms[0]["negative"]) > 0


def test_a_manifest_tells_what_should_be_there_and_whose_it_is(tmp_path: Path) -> None:
    data = house(tmp_path)
    stills = [f"{split},ccp,{i:05},Apache-2.0" for split in ("train", "val") for i in range(3)]
    rows = ["split,source,name,licence", *stills, "parts,ccp,*,MIT", "background,rooms,0,"]
    (data / "manifest.csv").write_text("\n".join(rows))
    (data / "pseudo" / "manifest.csv").write_text("file,licence stated\n00000,MIT\n00001,CC0\n")
    packed = packing.build(data, tmp_path / "all.pack")
    assert packed.licences == {
        "ccp": "Apache-2.0",
        "parts": "MIT",
        "background": "none stated",
        "pseudo": "MIT, CC0",
        "negative": "",
        "sequence": "",
    }
    (data / "manifest.csv").write_text("\n".join([*rows, "train,ccp,lost,MIT"]))
    assert readers.listing(data).problems == [
        f"{data}/stills/train/ccp/img/lost: missing, manifest names it"
    ]
    (data / "manifest.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"manifest\.csv is no CSV"):
        readers.listing(data)


def test_a_folder_of_another_layout_is_told_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder"):
        readers.listing(tmp_path / "none")
    (tmp_path / "img").mkdir()
    (tmp_path / "mask").mkdir()
    write(tmp_path / "holiday" / "1.jpg", colours(1))
    with pytest.raises(ConfigError, match=r"no training pictures.*img \+ mask.*AISegment"):
        readers.listing(tmp_path)


MASKS = {
    "zero and one": (person() // 128, (person() // 128) * 255),
    "sixteen bits": (person().astype(np.uint16) * 257, person()),
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


def spoil(data: Path) -> None:
    """Eight faults in a plain folder of twenty."""
    write(data / "img" / "lonely.jpg", colours(0))
    write(data / "mask" / "orphan.png", person())
    write(data / "mask" / "00000.png", person()[:-1])
    write(data / "mask" / "00001.png", np.zeros((HEIGHT, WIDTH), np.uint8))
    write(data / "mask" / "00002.png", person() // 20)
    broken = data / "img" / "00003.jpg"
    broken.write_bytes(broken.read_bytes()[:-200])
    (data / "img" / "00004.jpg").write_bytes(b"")
    (data / "img" / "00005.heic").write_bytes(b"phone")


def test_all_faults_are_told_at_once_and_left_out_only_when_asked(tmp_path: Path) -> None:
    data = plain(tmp_path / "mine")
    spoil(data)
    out = tmp_path / "mine.pack"
    with pytest.raises(ConfigError) as raised:
        packing.build(data, out)
    assert raised.value.message.startswith("8 of the files")
    for name in ("lonely", "orphan", "00000", "00001", "00002", "00003", "00004", "00005.heic"):
        assert name in raised.value.message
    assert "--skip-bad" in raised.value.hint and not list(tmp_path.glob("*.pack*"))
    found = packing.build(data, out, skip_bad=True)
    assert found.index["left_out"] == 8
    good = {row.name for row in found.rows}
    good |= {item.name for item in readers.held_out(data, skip_bad=True)["mine"]}
    assert good == {f"{i:05}" for i in range(5, 20)}
    with pytest.raises(ConfigError, match="lonely"):
        readers.held_out(data)


def test_faults_are_listed_up_to_twenty(tmp_path: Path) -> None:
    for i in range(25):
        write(tmp_path / "img" / f"{i}.jpg", colours(0))
    (tmp_path / "mask").mkdir()
    with pytest.raises(ConfigError) as raised:
        packing.build(tmp_path, tmp_path / "x.pack")
    assert len(raised.value.message.splitlines()) == 22 and "and 5 more" in raised.value.message


def test_a_pack_gives_back_what_went_in(tmp_path: Path) -> None:
    found = packing.build(house(tmp_path / "data"), tmp_path / "data.pack")
    assert {source: len(rows) for source, rows in found.sources.items()} == {
        "ccp": 3,
        "parts": 1,
        "pseudo": 2,
        "sequence": 2,
        "negative": 2,
        "background": 4,
    }
    row = found.sources["ccp"][1]
    pixels = found.read(row)
    assert pixels.shape == (HEIGHT, WIDTH, 4) and np.array_equal(pixels[:, :, 3], person())
    assert cv2.PSNR(pixels[:, :, 2::-1].copy(), colours(1)) > 30
    assert row.box == (10, 20, 23, 60) and not row.soft and found.sources["ccp"][2].soft
    labels = found.read(found.sources["parts"][0])[:, :, 3]
    assert set(np.unique(labels)) == {0, 8, 255}
    assert found.sources["parts"][0].box == (10, 20, 30, 50)
    assert found.read(found.sources["background"][0]).shape == (HEIGHT, WIDTH, 3)


def test_pictures_are_shrunk_to_the_long_side(tmp_path: Path) -> None:
    data = house(tmp_path / "data")
    found = packing.build(
        data, tmp_path / "x.pack", pack.Quality(30, ".webp", 80), ["person", "parts"]
    )
    assert set(found.sources) == {"ccp", "pseudo", "parts"}
    assert found.read(found.sources["ccp"][0]).shape == (30, 24, 4)
    parts = found.read(found.sources["parts"][0])
    assert parts.shape[0] == 38 and set(np.unique(parts[:, :, 3])) <= {0, 8, 255}


def test_a_pack_of_so_many_bytes(tmp_path: Path) -> None:
    data = plain(tmp_path / "data", number=40)
    best = packing.build(data, tmp_path / "best.pack").bytes.size
    small = packing.build_within(0.8e-6 * best, data, tmp_path / "small.pack")
    assert small.bytes.size <= 0.8 * best and len(small.rows) == len(
        pack.Pack(tmp_path / "best.pack").rows
    )
    with pytest.raises(ConfigError, match="not even"):
        packing.build_within(1e-4, data, tmp_path / "tiny.pack")


def test_a_pack_is_made_again_when_the_folder_changes(tmp_path: Path) -> None:
    data, out = plain(tmp_path / "data"), tmp_path / "data.pack"
    first = packing.kept(data, out)
    made = out.stat().st_ino
    assert packing.kept(data, out).rows == first.rows and out.stat().st_ino == made
    os.utime(data / "mask" / "00007.png", ns=(1, 1))
    packing.kept(data, out)
    assert out.stat().st_ino != made
    plain(data, number=21)
    names = {row.name for row in packing.kept(data, out).rows}
    assert names | {item.name for item in readers.held_out(data)["data"]} >= {"00020"}


def test_what_is_no_pack_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.pack"
    for content in (
        b"",
        b"not a pack",
        b"812345".ljust(64),
        b"scrim-pack-2 64 9".ljust(64) + b"x" * 9,
    ):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=r"broken\.pack"):
            pack.Pack(path)


def test_own_pictures_without_empty_rooms_are_shown_as_they_are(tmp_path: Path) -> None:
    packed = packing.build(plain(tmp_path / "mine", number=4), tmp_path / "mine.pack")
    composer = compose.Composer(packed, recipe.Mix())
    views = [composer.draw((64, 36), default_rng(seed)) for seed in range(20)]
    assert all(view.pha.shape == (36, 64) and view.pha.max() > 100 for view in views)


def test_sources_the_mix_does_not_name_count_as_the_mean(tmp_path: Path) -> None:
    packed = packing.build(house(tmp_path / "data"), tmp_path / "data.pack")
    shares = compose.people(packed, recipe.Mix(people=(("ccp", 0.2), ("pseudo", 0.4))))
    assert shares == {"ccp": 0.2, "pseudo": 0.4, "sequence": pytest.approx(0.3)}
    empty = packing.build(tmp_path / "data", tmp_path / "empty.pack", kinds=["background"])
    with pytest.raises(ConfigError, match="no people"):
        compose.people(empty, recipe.Mix())


def test_packing_from_the_command_line(tmp_path: Path) -> None:
    data, out = plain(tmp_path / "mine"), tmp_path / "x.pack"
    words = ["pack", "--data", str(data), "--out", str(out)]
    done = CliRunner().invoke(app, [*words, "--megabytes", "1"])
    assert done.exit_code == 0 and "long side 400" in done.output, done.output
    done = CliRunner().invoke(app, [*words, "--kind", "people"])
    assert isinstance(done.exception, ConfigError) and "person" in done.exception.hint
