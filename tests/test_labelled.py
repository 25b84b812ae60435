"""Pictures that conversion compares, calibrates and judges with."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from conversion import pictures
from conversion.pictures import draw, read_folder, read_labelled
from realtime.errors import ConfigError, ModelError
from tests.portraits import HEIGHT, WIDTH, colours, house, person, plain, write


def test_pictures_of_a_folder_are_read_and_others_skipped(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), draw(1)[0])
    (tmp_path / "notes.txt").write_text("no picture")
    assert np.array_equal(read_folder(tmp_path)[0], draw(1)[0])
    with pytest.raises(ModelError, match="no pictures"):
        read_folder(tmp_path / "nowhere")


def test_what_trains_a_network_calibrates_it_too(tmp_path: Path) -> None:
    """Whatever the layout: side by side, with masks of 0 and 1, or several sources in a folder."""
    for i in range(3):
        write(tmp_path / f"one/{i}.jpg", colours(i))
        write(tmp_path / f"one/{i}_mask.png", person() // 128)
    found = read_labelled(tmp_path / "one")
    assert [one.bgr.shape for one in found] == [(HEIGHT, WIDTH, 3)] * 2  # one is set aside
    assert np.array_equal(found[0].alpha, person() // 128)
    plain(tmp_path / "two" / "eg1800", number=3)
    plain(tmp_path / "two" / "own", "images", "matte", number=3)
    found = read_labelled(tmp_path / "two")
    assert len(found) == 4
    assert np.array_equal(found[3].alpha, person() / np.float32(255))


def test_what_is_measured_by_does_not_calibrate(tmp_path: Path) -> None:
    """Three of stills/train and two of a teacher stay, three of stills/val do not."""
    assert len(read_labelled(house(tmp_path / "ours"))) == 5
    assert len(read_labelled(plain(tmp_path / "all" / "val", number=2).parent)) == 2


def test_who_measures_gets_all_of_them(tmp_path: Path) -> None:
    data = plain(tmp_path / "mine", number=20)
    assert len(read_labelled(data)) < len(read_labelled(data, whole=True)) == 20


def test_so_many_are_taken_from_all_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST", 3)
    data = plain(tmp_path / "many", number=10)
    found = read_labelled(data)
    third = cv2.imread(str(data / "img" / "00003.jpg"))
    assert len(found) == 3 and np.array_equal(found[1].bgr, third)


def test_pictures_that_cannot_judge_are_told(tmp_path: Path) -> None:
    data = plain(tmp_path / "mine", number=2)
    (data / "mask" / "00001.png").unlink()
    with pytest.raises(ConfigError, match=r"00001\.jpg has no mask") as refusal:
        read_labelled(data)
    assert "--skip-bad" not in refusal.value.hint
    (data / "img" / "00001.jpg").unlink()
    with pytest.raises(ConfigError, match="1 pictures with masks"):
        read_labelled(data)
    with pytest.raises(ConfigError, match="no folder"):
        read_labelled(tmp_path / "nowhere")
