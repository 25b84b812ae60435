"""Step 5: clips go by the clock, loop, and outlive their files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime import pixels
from realtime.errors import ConfigError
from realtime.scene.backdrop import FileBackdrop, video_backdrop
from tests.scenes import SIZE, frame_at, nobody

FPS = 10.0


LEVELS = [40, 90, 140, 190, 240]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Make clips of grey pictures, 10 a second, of the first so many levels."""
    folder = tmp_path_factory.mktemp("clips")

    def make(count: int) -> Path:
        path = folder / f"{count}.avi"
        fourcc = cv2.VideoWriter.fourcc(*"MJPG")
        writer = cv2.VideoWriter(str(path), fourcc, FPS, (64, 36))
        for level in LEVELS[:count]:
            writer.write(np.full((36, 64, 3), level, np.uint8))
        writer.release()
        return path

    return make


def shown_at(backdrop: FileBackdrop, seconds: float) -> int:
    """Return which of the clip's pictures is shown at a time."""
    level = pixels.to_bgr(backdrop.picture(frame_at(seconds), nobody())).mean()
    return int(np.argmin(np.abs(np.array(LEVELS) - level)))


def test_a_clip_goes_by_the_clock_and_loops(clip: Callable[[int], Path]) -> None:
    backdrop = video_backdrop(clip(5))
    times = [100.0 + n * 0.1 for n in range(12)]
    assert [shown_at(backdrop, at) for at in times] == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]


def test_a_clip_skips_for_a_slow_camera_and_waits_for_a_quick_one(
    clip: Callable[[int], Path],
) -> None:
    slow, quick = video_backdrop(clip(5)), video_backdrop(clip(5))
    assert [shown_at(slow, 7.0 + n * 0.3) for n in range(4)] == [0, 3, 1, 4]
    assert [shown_at(quick, 7.0 + n * 0.04) for n in range(5)] == [0, 0, 1, 1, 2]


def test_a_show_of_slides_takes_its_time(tmp_path: Path) -> None:
    path = str(tmp_path / "slides.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 0.1, (64, 36))
    for level in LEVELS[:3]:
        writer.write(np.full((36, 64, 3), level, np.uint8))
    writer.release()
    backdrop = video_backdrop(Path(path))
    assert [shown_at(backdrop, 99.0 + n) for n in (0, 1, 4, 11, 14, 21, 31)] == [
        0,
        0,
        0,
        1,
        1,
        2,
        0,
    ]


def test_after_a_pause_and_for_a_clock_set_back_a_clip_goes_on_where_it_stood(
    clip: Callable[[int], Path],
) -> None:
    backdrop = video_backdrop(clip(5))
    shown_at(backdrop, 50.0)
    assert shown_at(backdrop, 50.21) == 2
    assert [shown_at(backdrop, 900.0), shown_at(backdrop, 900.11)] == [2, 3]
    assert [shown_at(backdrop, 3.0), shown_at(backdrop, 3.11)] == [3, 4]


def test_a_clip_of_one_picture_works(clip: Callable[[int], Path]) -> None:
    backdrop = video_backdrop(clip(1))
    assert [shown_at(backdrop, n * 0.1) for n in range(5)] == [0] * 5


def test_a_clip_that_vanishes_shows_its_last_picture(
    clip: Callable[[int], Path], tmp_path: Path
) -> None:
    path = tmp_path / "gone.avi"
    path.write_bytes(clip(2).read_bytes())
    backdrop = video_backdrop(path)
    shown_at(backdrop, 0.01)
    path.unlink()
    assert [shown_at(backdrop, n * 0.1 + 0.01) for n in range(1, 5)] == [1] * 4


def test_a_clip_alone_is_the_clip_at_any_size(clip: Callable[[int], Path]) -> None:
    backdrop = video_backdrop(clip(2))
    assert np.abs(pixels.to_bgr(backdrop.alone((99, 55))).astype(int) - LEVELS[0]).max() < 4
    assert backdrop.alone(SIZE) is backdrop.alone(SIZE)


@pytest.mark.parametrize("content", [b"", b"not a clip" * 99])
def test_a_clip_that_cannot_be_shown_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sea.mp4"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"sea\.mp4 is no clip"):
        video_backdrop(path)


def test_a_name_with_a_colon_is_no_protocol(
    clip: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "12:30.avi").write_bytes(clip(2).read_bytes())
    monkeypatch.chdir(tmp_path)
    assert shown_at(video_backdrop(Path("12:30.avi")), 1.0) == 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [("gone", "no such file"), ("cycle", "too many levels"), ("pipe", "is the file whole")],
)
def test_why_a_clip_cannot_be_read_is_told(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "cycle.mp4").symlink_to("cycle.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(ConfigError) as refused:
        video_backdrop(tmp_path / f"{name}.mp4")
    assert f"{name}.mp4" in str(refused.value) and reason in str(refused.value)
