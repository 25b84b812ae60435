"""What is wrong with a folder of pictures, packs, and what is drawn from them."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.random import default_rng
from typer.testing import CliRunner

from realtime.errors import ConfigError
from tests.portraits import HEIGHT, WIDTH, colours, house, person, plain, write
from training import compose, pack, packing, readers, recipe
from training.commands import app


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


def test_links_to_nothing_and_names_of_other_codes_spoil_no_folder(tmp_path: Path) -> None:
    data = plain(tmp_path / "mine", number=3)
    (data / "img" / "00000.jpg").unlink()
    (data / "img" / "00000.jpg").symlink_to(tmp_path / "gone.jpg")
    for name in ("img/00001.jpg", "mask/00001.png"):  # Latin-1, as of an old archive
        (data / name).rename(os.fsdecode(os.fsencode(data / name).replace(b"1.", b"\xe9.")))
    with pytest.raises(ConfigError, match=r"00000\.jpg is missing"):
        packing.build(data, tmp_path / "mine.pack")
    found = packing.kept(data, tmp_path / "mine.pack", skip_bad=True)
    assert found.index["left_out"] == 1
    assert packing.kept(data, tmp_path / "mine.pack", skip_bad=True).rows == found.rows


def test_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigError, match=r"cannot write .*taken.*mine\.pack"):
        packing.build(plain(tmp_path / "mine", number=3), tmp_path / "taken" / "mine.pack")


def test_all_faults_are_listed(tmp_path: Path) -> None:
    for i in range(25):
        write(tmp_path / "img" / f"{i}.jpg", colours(0))
    (tmp_path / "mask").mkdir()
    with pytest.raises(ConfigError) as raised:
        packing.build(tmp_path, tmp_path / "x.pack")
    assert len(raised.value.message.splitlines()) == 26


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


def test_hair_is_learnt_from_soft_mattes_alone(tmp_path: Path) -> None:
    packed = packing.build(house(tmp_path / "data"), tmp_path / "data.pack")
    composers = {soft: compose.Composer(packed, recipe.Mix(soft=soft)) for soft in (True, False)}
    drawn = {
        soft: {composer.person(default_rng(seed)).soft for seed in range(40)}
        for soft, composer in composers.items()
    }
    assert drawn == {True: {True}, False: {True, False}}
    hard = packing.build(plain(tmp_path / "mine", number=4), tmp_path / "mine.pack")
    with pytest.raises(ConfigError, match="no soft mattes"):
        compose.Composer(hard, recipe.Mix(soft=True))


def test_clothes_that_nobody_wears_lie_in_a_room_and_are_no_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = packing.build(house(tmp_path / "data"), tmp_path / "data.pack")
    composer = compose.Composer(packed, recipe.Mix(composite=0, negative=1, garments=1))
    monkeypatch.setattr(composer, "room", lambda size, *_: np.zeros((*size[::-1], 3), np.uint8))
    views = [composer.draw((96, 64), default_rng(seed)) for seed in range(10)]
    assert not any(view.pha.any() for view in views)
    covered = [view.src.any(-1).mean() for view in views]
    assert min(covered) > 0 and 0.2 < np.mean(covered) < 0.9


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
