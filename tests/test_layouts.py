"""Folders of pictures in every layout: what is read, what is set aside, what is missing."""

from pathlib import Path

import numpy as np
import pytest

from realtime.errors import ConfigError
from tests.portraits import colours, house, people, person, plain, write
from training import packing, readers


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


def test_several_folders_are_as_many_sources(tmp_path: Path) -> None:
    for name in ("studio", "street"):
        plain(tmp_path / name, "images", number=3)
    write(tmp_path / "notes" / "1.jpg", colours(1))
    sources = readers.held_out(tmp_path)
    assert {item.source for item in people(tmp_path)} == {"studio", "street"} == sources.keys()
    (tmp_path / "street" / "mask" / "00002.png").unlink()
    assert "00002.jpg has no mask" in readers.listing(tmp_path).problems[0]


def test_folders_may_say_what_is_to_measure_by(tmp_path: Path) -> None:
    for name in ("train", "Val"):
        plain(tmp_path / name, number=12)
    assert {(item.source, item.held_out) for item in people(tmp_path)} == {
        ("train", False),
        ("val", True),
    }


def test_a_folder_of_another_layout_is_told_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder"):
        readers.listing(tmp_path / "none")
    (tmp_path / "img").mkdir()
    (tmp_path / "mask").mkdir()
    write(tmp_path / "holiday" / "1.jpg", colours(1))
    with pytest.raises(ConfigError, match=r"no training pictures.*img \+ mask.*AISegment"):
        readers.listing(tmp_path)
