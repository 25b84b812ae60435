"""`scrim render`, used as people use it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from realtime.commands import offline
from realtime.pixels import to_bgr
from realtime.sinks.recording import RecordingSink
from realtime.sources.pattern import PatternSource
from tests.conftest import Scrim
from tests.toy import save_toy, toy_card


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return shot(tmp_path / "clip.mkv", 12)


def shot(path: Path, frames: int) -> Path:
    """Write a clip of a green person in a red room."""
    source = PatternSource((96, 64), 30.0, frames, realtime=False, flat=True)
    sink = RecordingSink(path, 30.0)
    for _ in range(frames):
        sink.write(source.read())
    sink.close()
    return path


def colour_at(path: Path, x: int, y: int) -> list[int]:
    return [int(value) for value in cv2.imread(str(path))[y, x]]


def near(colour: list[int], bgr: tuple[int, int, int]) -> bool:
    return max(abs(a - b) for a, b in zip(colour, bgr, strict=True)) <= 12


def test_a_picture_is_rendered_with_its_matte(scrim: Scrim, picture: Path, toy_ir: Path) -> None:
    code, _, err = scrim(
        *("render", picture, "out.png", "--alpha", "alpha.png"),
        *("--backdrop", "#0000ff", "--model", toy_ir),
    )
    assert code == 0, err
    assert cv2.imread("out.png").shape == (91, 121, 3)
    assert near(colour_at(Path("out.png"), 5, 5), (255, 0, 0))
    assert near(colour_at(Path("out.png"), 60, 70), (0, 200, 0))
    alpha = cv2.imread("alpha.png", cv2.IMREAD_UNCHANGED)
    assert alpha.shape == (91, 121) and alpha.dtype == np.uint8
    assert (int(alpha[5, 5]), int(alpha[70, 60])) == (0, 255)


def test_a_video_is_rendered_frame_by_frame(scrim: Scrim, clip: Path, toy_ir: Path) -> None:
    code, _, err = scrim(
        *("render", clip, "out.mp4", "--alpha", "alpha.mkv"),
        *("--backdrop", "#0000ff", "--model", toy_ir),
    )
    assert code == 0, err
    for name, gray in (("out.mp4", False), ("alpha.mkv", True)):
        with av.open(name) as container:
            frames = list(container.decode(video=0))
        assert len(frames) == 12
        assert (frames[0].width, frames[0].height) == (96, 64)
        assert frames[0].format.name.startswith("gray") == gray


def test_picture_and_matte_keep_the_times_of_a_clip(scrim: Scrim, toy_ir: Path) -> None:
    """Phones film at a rate that varies."""
    due = (0.0, 0.1, 0.3, 0.34, 0.9)
    source = PatternSource((96, 64), 30.0, realtime=False, flat=True)
    sink = RecordingSink(Path("clip.mkv"), 30.0)
    for at in due:
        sink.write(replace(source.read(), captured_at=at))
    sink.close()
    assert scrim("render", "clip.mkv", "o.mp4", "--alpha", "a.mkv", "--model", toy_ir)[0] == 0
    for name in ("o.mp4", "a.mkv"):
        with av.open(name) as container:
            times = [picture.time for picture in container.decode(video=0)]
        assert times == pytest.approx(due, abs=0.002), name


def test_a_folder_is_rendered_and_no_picture_leaks_into_another(
    scrim: Scrim, picture: Path, toy_ir: Path
) -> None:
    folder = Path("in")
    folder.mkdir()
    (folder / "a.png").write_bytes(picture.read_bytes())
    cv2.imwrite("in/b.png", np.full((91, 121, 3), (0, 0, 200), np.uint8))
    cv2.imwrite("in/c.bmp", np.full((16, 16, 3), (0, 0, 200), np.uint8))
    (folder / "notes.txt").write_text("no picture")
    (folder / "._a.png").write_text("what macOS puts beside a picture")
    code, _, err = scrim(
        *("render", "in", "out", "--alpha", "mattes"),
        *("--backdrop", "#0000ff", "--model", toy_ir),
    )
    assert code == 0, err
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.png", "b.png", "c.png"]
    assert cv2.imread("mattes/a.png", cv2.IMREAD_UNCHANGED).max() == 255
    assert cv2.imread("mattes/b.png", cv2.IMREAD_UNCHANGED).max() == 0
    scrim("render", "in/a.png", "alone.png", "--backdrop", "#0000ff", "--model", toy_ir)
    assert np.array_equal(cv2.imread("alone.png"), cv2.imread("out/a.png"))


def test_what_the_network_remembers_of_a_picture_is_not_seen_in_the_next(scrim: Scrim) -> None:
    source = PatternSource((256, 144), 2.0, realtime=False)
    Path("in").mkdir()
    for name in ("a", "b"):
        cv2.imwrite(f"in/{name}.png", to_bgr(source.read()))
    words = ["--backdrop", "#0000ff", "--model", "scrim-r", "--compare"]
    assert scrim("render", "in", "out", *words)[0] == 0
    assert scrim("render", "in/b.png", "alone.png", *words)[0] == 0
    assert np.array_equal(cv2.imread("alone.png"), cv2.imread("out/b.png"))


@pytest.mark.parametrize("stem", ["x" * 251, "ü" * 125, "-", "ü :cat: [b]"])
def test_a_name_may_be_any_that_the_system_takes(
    scrim: Scrim, picture: Path, clip: Path, toy_ir: Path, stem: str
) -> None:
    for source in (picture, clip):
        name = f"{stem}{source.suffix}"
        code, _, err = scrim("render", "--model", toy_ir, "--", source, name)
        assert (code, Path(name).is_file()) == (0, True), err
        assert err.startswith(f"{name}: ")
    assert not [path.name for path in Path().iterdir() if path.name.startswith(".")]


def test_refine_says_how_the_outline_is_found(scrim: Scrim, picture: Path, toy_ir: Path) -> None:
    mattes = []
    for method in ("guided", "off", "grabcut"):
        code, _, err = scrim(
            *("render", picture, "out.png", "--alpha", "alpha.png"),
            *("--refine", method, "--model", toy_ir),
        )
        assert code == 0, err
        mattes.append(cv2.imread("alpha.png", cv2.IMREAD_UNCHANGED).tobytes())
    assert len(set(mattes)) == 3


def test_classes_are_named_beside_their_map(scrim: Scrim, picture: Path, tmp_path: Path) -> None:
    parts = save_toy(tmp_path / "parts.xml", toy_card(classes=("background", "skin", "top")))
    code, _, err = scrim("render", picture, "out.png", "--classes", "map.png", "--model", parts)
    assert code == 0, err
    assert "map.png: 0 background, 1 skin, 2 top" in err
    assert Path("map.png").is_file()


def test_a_broken_picture_in_a_folder_is_named_and_the_others_are_made(
    scrim: Scrim, picture: Path, toy_ir: Path
) -> None:
    Path("in").mkdir()
    Path("in/a.png").write_bytes(picture.read_bytes())
    Path("in/broken.png").write_bytes(b"")
    code, _, err = scrim("render", "in", "out", "--model", toy_ir)
    assert code == 4
    assert "broken.png" in err
    assert [path.name for path in Path("out").iterdir()] == ["a.png"]


def test_a_truncated_video_leaves_nothing_behind(scrim: Scrim, clip: Path, toy_ir: Path) -> None:
    Path("cut.mkv").write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    code, _, err = scrim("render", "cut.mkv", "out.mp4", "--model", toy_ir)
    assert code == 4, err
    assert not Path("out.mp4").exists()
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]


def test_a_signal_ends_a_rendering_between_two_frames_and_a_second_one_at_once() -> None:
    """An exception in the midst of OpenCV's calls crashes it."""
    numbers = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
    before = [signal.getsignal(number) for number in numbers]
    try:
        end = offline._heard_end()
        end()
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(SystemExit) as ended:
            end()
        assert ended.value.code == 128 + signal.SIGTERM
        with pytest.raises(SystemExit):
            signal.raise_signal(signal.SIGTERM)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_rendering_that_is_stopped_leaves_nothing_behind(
    tmp_path: Path, toy_ir: Path, how: signal.Signals
) -> None:
    source = shot(tmp_path / "long.mkv", 1500)
    words = ["render", source, tmp_path / "out.mp4", "--model", toy_ir]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    rendering = subprocess.Popen(
        [sys.executable, "-m", "realtime", *words],
        env=environment,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # as in no nohup
    )
    while not any(path.stat().st_size for path in tmp_path.glob(".out-*")):
        assert rendering.poll() is None
        time.sleep(0.01)
    rendering.send_signal(how)
    _, told = rendering.communicate()
    assert (rendering.returncode, told) == (128 + how, b"")
    assert list(tmp_path.iterdir()) == [source]
