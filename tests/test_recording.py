"""What is recorded plays back true, and no half-written file ever has the name of a whole one."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from realtime.config import check
from realtime.errors import EndOfStream, SinkLost, SinkUnavailable
from realtime.frame import Frame
from realtime.outlets import make_outlets
from realtime.pixels import colour
from realtime.sinks.picture import encode_for
from realtime.sinks.recording import MatteSink, RecordingSink
from realtime.sources.pattern import PatternSource, read_number
from realtime.sources.video import VideoSource


def pattern(frames: int, fps: float = 30.0) -> list[Frame]:
    source = PatternSource((320, 180), fps=fps, realtime=False)
    return [replace(source.read(), captured_at=5 + i / fps) for i in range(frames)]


def record(path: Path, frames: list[Frame], fps: float = 30.0) -> Path:
    sink = RecordingSink(path, fps)
    for frame in frames:
        sink.write(frame)
    sink.close()
    return path


def play(path: Path) -> list[Frame]:
    source, frames = VideoSource(path), []
    while True:
        try:
            frames.append(source.read())
        except EndOfStream:
            return frames


def times_of(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [picture.time for picture in container.decode(video=0)]


@pytest.mark.parametrize("name", ["a.mp4", "a.MKV", "a.mov", "a.webm"])
def test_a_recording_plays_back_what_was_written(tmp_path: Path, name: str) -> None:
    written = pattern(12)
    path = record(tmp_path / name, written)
    assert os.listdir(tmp_path) == [name]
    played = play(path)
    assert [read_number(frame) for frame in played] == list(range(12))
    for before, after in zip(written, played, strict=True):
        error = np.abs(before.i420.astype(int) - after.i420)
        assert error.mean() < 3
        assert np.abs(before.u.astype(int) - after.u).mean() < 3
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_range) == (6, 1)
        assert float(container.streams.video[0].average_rate) == pytest.approx(30, rel=0.01)


@pytest.mark.parametrize("fps", [29.97, 24.0, 7.5])
def test_odd_frame_rates_are_kept(tmp_path: Path, fps: float) -> None:
    path = record(tmp_path / "a.mp4", pattern(5, fps), fps)
    assert VideoSource(path).fps == pytest.approx(fps, rel=0.01)


def test_dropped_frames_leave_a_gap_in_time(tmp_path: Path) -> None:
    kept = [frame for frame in pattern(10) if frame.number not in (3, 4, 5)]
    times = times_of(record(tmp_path / "a.mkv", kept))
    assert times == pytest.approx([number / 30 for number in (0, 1, 2, 6, 7, 8, 9)], abs=0.002)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm"])
@pytest.mark.parametrize("times", [[0, 1, 2], [n / 30 for n in range(61)], [0, 1 / 30, 10, 100]])
def test_the_last_picture_is_shown_too(tmp_path: Path, name: str, times: list[float]) -> None:
    grey = colour((32, 32), (99, 99, 99))
    path = record(tmp_path / name, [replace(grey, captured_at=at) for at in times])
    assert times_of(path) == pytest.approx(times, abs=0.002)
    with av.open(str(path)) as container:
        assert container.duration / av.time_base == pytest.approx(times[-1] + 1 / 30, abs=0.05)


def test_frames_without_a_later_stamp_follow_at_the_frame_rate(tmp_path: Path) -> None:
    still = [replace(frame, captured_at=0.0) for frame in pattern(6)]
    times = times_of(record(tmp_path / "a.mkv", still))
    assert times == pytest.approx([number / 30 for number in range(6)], abs=0.002)


def test_another_size_is_fitted_into_the_first(tmp_path: Path) -> None:
    frames = [colour((320, 180), (200, 200, 200)), colour((180, 320), (200, 200, 200))]
    played = play(record(tmp_path / "a.mkv", frames))
    assert [frame.size for frame in played] == [(320, 180)] * 2
    assert played[1].y[90, 160] > 150
    assert played[1].y[90, 10] < 30


def test_a_matte_of_another_size_is_fitted_as_its_picture_is(tmp_path: Path) -> None:
    frames = [colour(size, (200, 200, 200)) for size in ((320, 180), (180, 320))]
    mattes = MatteSink(tmp_path / "matte.mkv", 30.0)
    clear = RecordingSink(tmp_path / "clear.mkv", 30.0, transparent=True)
    for frame in frames:
        mattes.write_alpha(np.full(frame.y.shape, 255, np.uint8))
        clear.write_cut_out(frame, np.full(frame.y.shape, 255, np.uint8))
    mattes.close()
    clear.close()
    shown = play(record(tmp_path / "picture.mkv", frames))[1].y > 100
    for name, kind, plane in (("matte", "gray", 0), ("clear", "yuva420p", 3)):
        with av.open(str(tmp_path / f"{name}.mkv")) as container:
            picture = list(container.decode(video=0))[1]
        assert picture.format.name.startswith(kind)
        rows = np.frombuffer(picture.planes[plane], np.uint8).reshape(180, -1)
        assert np.array_equal(rows[:, :320] > 100, shown), name


@pytest.mark.parametrize("path", ["a.xyz", "nowhere/a.mp4", "folder.mp4", "file/a.mp4"])
def test_what_cannot_be_written_is_refused_at_once(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").touch()
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(SinkUnavailable, match=path):
        RecordingSink(tmp_path / path, 30.0)
    with pytest.raises(SinkUnavailable, match=path):
        MatteSink(tmp_path / path, 30.0)
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("frames", [0, 3])
def test_discarding_leaves_nothing_behind(tmp_path: Path, frames: int) -> None:
    sink = RecordingSink(tmp_path / "a.mp4", 30.0)
    for frame in pattern(frames):
        sink.write(frame)
    sink.discard()
    sink.close()
    assert os.listdir(tmp_path) == []


def test_closing_without_a_frame_leaves_nothing_behind(tmp_path: Path) -> None:
    sink = RecordingSink(tmp_path / "a.mp4", 30.0)
    sink.close()
    sink.close()
    assert os.listdir(tmp_path) == []


def test_discarding_a_finished_file_keeps_it(tmp_path: Path) -> None:
    sink = RecordingSink(tmp_path / "a.mp4", 30.0)
    sink.write(pattern(1)[0])
    sink.close()
    sink.discard()
    assert os.listdir(tmp_path) == ["a.mp4"]


def test_a_closed_recording_takes_no_frame(tmp_path: Path) -> None:
    sink = RecordingSink(tmp_path / "a.mp4", 30.0)
    sink.close()
    with pytest.raises(SinkLost):
        sink.write(pattern(1)[0])


def test_an_older_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"older")
    sink = RecordingSink(path, 30.0)
    sink.write(pattern(1)[0])
    assert path.read_bytes() == b"older"
    sink.close()
    assert len(play(path)) == 1


def test_a_line_records_over_no_other_recording(tmp_path: Path) -> None:
    config = check(
        {"virtualcam": {"enabled": False}, "recording": {"path": str(tmp_path / "a.mp4")}}
    )
    (outlet,) = make_outlets(config, print)
    for together in (1, 2):
        sinks = [outlet.open() for _ in range(together)]
        for sink in sinks:
            sink.write(pattern(1)[0])
            sink.close()
    assert sorted(os.listdir(tmp_path)) == ["a-2.mp4", "a-3.mp4", "a.mp4"]


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm"])
def test_what_a_killed_process_leaves_can_be_played(tmp_path: Path, name: str) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from tests.test_recording import *\n"
        "sink = RecordingSink(Path(sys.argv[1]), 30.0)\n"
        "for frame in pattern(150): sink.write(frame)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path / name)], check=False)
    assert ended.returncode == -signal.SIGKILL
    (left,) = os.listdir(tmp_path)
    assert left.startswith(".a-")
    source, played = VideoSource(tmp_path / left), play(tmp_path / left)
    assert [read_number(frame) for frame in played[:90]] == list(range(90))
    times = times_of(tmp_path / left)[:90]
    assert times == pytest.approx([number / 30 for number in range(90)], abs=0.002)
    assert source.frames in (0, len(played)), "Matroska's does not know"
    source.close()


def test_a_finished_mp4_has_one_index(tmp_path: Path) -> None:
    """So that players know how long it is, and `render` how many frames there are."""
    path = record(tmp_path / "a.mp4", pattern(100))
    assert times_of(path) == pytest.approx([number / 30 for number in range(100)], abs=0.002)
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 100
        container.seek(2_000_000)
        assert next(container.decode(video=0)).time <= 2


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Files end at this many bytes: the disk as good as full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("room", "kept"), [(200_000, 1), (0, 0)])
def test_a_full_disk_is_a_lost_sink(tmp_path: Path, room: int, kept: int) -> None:
    sink = MatteSink(tmp_path / "a.mkv", 30.0)
    noise = np.random.default_rng(0).integers(0, 256, (180, 320), np.uint8)
    with pytest.raises(SinkLost, match=r"a\.mkv"), largest_file(room):
        for _ in range(20):
            sink.write_alpha(noise)
        sink.close()
    sink.close()
    left = os.listdir(tmp_path)
    assert len(left) == kept and all(name.startswith(".a-") for name in left)


def test_a_disk_that_is_gone_is_a_lost_sink(tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    sink = RecordingSink(folder / "a.mp4", 30.0)
    sink.write(pattern(1)[0])
    shutil.rmtree(folder)
    with pytest.raises(SinkLost, match=r"a\.mp4"):
        sink.close()


def test_mattes_are_lossless(tmp_path: Path) -> None:
    source = PatternSource((321, 181), realtime=False)
    exact = [source.alpha_of(number)[:181, :321] for number in (0, 30)]
    alphas = [np.rint(alpha * 255).astype(np.uint8) for alpha in exact]
    sink = MatteSink(tmp_path / "a.mkv", 30.0)
    for alpha in alphas:
        sink.write_alpha(alpha)
    sink.close()
    with av.open(str(tmp_path / "a.mkv")) as container:
        assert container.streams.video[0].codec_context.color_range == 2, "0..255, and it says so"
        grey = [picture.to_ndarray(format="gray") for picture in container.decode(video=0)]
    assert len(grey) == 2
    for alpha, read in zip(alphas, grey, strict=True):
        assert np.array_equal(read, alpha)


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.webp"])
@pytest.mark.parametrize("shape", [(20, 30, 3), (21, 31)])
def test_stills(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    coded = encode_for(tmp_path / name, np.full(shape, 99, np.uint8))
    read = cv2.imdecode(np.frombuffer(coded, np.uint8), cv2.IMREAD_COLOR)
    assert read.shape[:2] == shape[:2]
    assert np.abs(read.astype(int) - 99).max() <= 2


@pytest.mark.parametrize(("name", "width"), [("a.xyz", 4), ("a.webp", 16384)])
def test_a_still_that_cannot_be_encoded_is_refused(name: str, width: int) -> None:
    with pytest.raises(SinkUnavailable, match=name):
        encode_for(Path(name), np.zeros((4, width, 3), np.uint8))
