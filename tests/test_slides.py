"""Step 5: the pictures of a folder in turns."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from realtime import pixels
from realtime.build import make_backdrop
from realtime.config import Scene
from realtime.errors import ConfigError
from realtime.scene import backdrop as backdrops
from realtime.scene.media import Picture, read_picture
from tests.scenes import SIZE, frame_at, nobody, save


def test_the_pictures_of_a_folder_take_turns(tmp_path: Path) -> None:
    for name, level in {"a": 40, "b": 140, "d": 240}.items():
        save(tmp_path / f"{name}.png", np.full((36, 64, 3), level, np.uint8))
    (tmp_path / "c.png").write_bytes(b"not a picture")
    (tmp_path / "notes.txt").write_text("no picture either")
    backdrop = make_backdrop(Scene(backdrop=str(tmp_path), slide=2.0))
    assert backdrop.alone(SIZE).y[0, 0] < 60, "there is one before the first frame"
    levels = [pixels.to_bgr(backdrop.picture(frame_at(9.0 + n), nobody())).mean() for n in range(8)]
    assert [round(level / 100) for level in levels] == [0, 0, 1, 1, 2, 2, 0, 0]
    backdrop._coming.result()
    for path in tmp_path.glob("*.png"):
        path.rename(path.with_suffix(".away"))
    later = [pixels.to_bgr(backdrop.picture(frame_at(99.0 + 2 * n), nobody())) for n in range(3)]
    assert [round(bgr.mean() / 100) for bgr in later] == [1, 1, 1], "read before, and stays"
    assert backdrop._coming.exception(), "there is none"
    (tmp_path / "d.away").rename(tmp_path / "d.png")
    later = [pixels.to_bgr(backdrop.picture(frame_at(105.0 + 2 * n), nobody())) for n in range(2)]
    assert round(later[-1].mean() / 100) == 2, "it has come back"


def test_the_next_picture_of_a_folder_is_read_while_one_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        save(tmp_path / f"{name}.png", np.full((36, 64, 3), 140, np.uint8))
    readers: list[str] = []

    def noted(path: Path) -> Picture:
        readers.append(threading.current_thread().name)
        return read_picture(path)

    monkeypatch.setattr(backdrops, "read_picture", noted)
    backdrop = make_backdrop(Scene(backdrop=str(tmp_path), slide=2.0))
    for seconds in (9.0, 11.0, 13.0):
        backdrop.picture(frame_at(seconds), nobody())
    assert readers[:3] == [threading.current_thread().name, "slides_0", "slides_0"]


def test_a_picture_that_fails_oddly_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, level in {"a": 40, "b": 140, "c": 240}.items():
        save(tmp_path / f"{name}.png", np.full((36, 64, 3), level, np.uint8))

    def short_of_memory(path: Path) -> Picture:
        if path.name == "b.png":
            raise MemoryError
        return read_picture(path)

    monkeypatch.setattr(backdrops, "read_picture", short_of_memory)
    backdrop = make_backdrop(Scene(backdrop=str(tmp_path), slide=2.0))
    levels = [
        pixels.to_bgr(backdrop.picture(frame_at(9.0 + 2 * n), nobody())).mean() for n in range(3)
    ]
    assert [round(level / 100) for level in levels] == [0, 0, 2]


def test_a_folder_without_a_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{tmp_path.name}: no picture in this folder"):
        make_backdrop(Scene(backdrop=str(tmp_path)))
    (tmp_path / "c.png").write_bytes(b"not a picture")
    with pytest.raises(ConfigError, match=r"c\.png"):
        make_backdrop(Scene(backdrop=str(tmp_path)))
