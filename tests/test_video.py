"""Clips come out frame by frame, in order and in time, or say why they do not."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition

from realtime.errors import EndOfStream, SourceLost, SourceUnavailable
from realtime.frame import Frame
from realtime.sources.pattern import PatternSource, read_number
from realtime.sources.video import VideoSource


def numbered(
    path: Path, codec: str, frames: int, times: Sequence[int] = (), gop: int = 12, **options: str
) -> Path:
    """Write a clip of the drawn camera; `times` are milliseconds."""
    source = PatternSource((192, 108), frames=frames, realtime=False)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = 192, 108, "yuv420p"
        stream.gop_size = gop
        if times:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(frames):
            picture = av.VideoFrame.from_ndarray(source.read().i420, "yuv420p")
            if times:
                picture.pts, picture.time_base = times[number], Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def read_all(source: VideoSource) -> tuple[list[Frame], Exception]:
    frames = []
    while True:
        try:
            frames.append(source.read())
        except (EndOfStream, SourceLost) as error:
            return frames, error


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm"])
def test_every_frame_comes_in_order(tmp_path: Path, name: str) -> None:
    codec = "libvpx" if name.endswith("webm") else "libx264"
    source = VideoSource(numbered(tmp_path / name, codec, 20))
    frames, error = read_all(source)
    assert isinstance(error, EndOfStream)
    assert [read_number(frame) for frame in frames] == list(range(20))
    assert [frame.number for frame in frames] == list(range(20))
    assert source.fps == pytest.approx(30)
    assert source.size == (192, 108)
    assert source.frames == 20


def test_a_loop_goes_on_counting(tmp_path: Path) -> None:
    source = VideoSource(numbered(tmp_path / "a.mp4", "libx264", 3), loop=True)
    frames = [source.read() for _ in range(8)]
    assert [read_number(frame) for frame in frames] == [0, 1, 2, 0, 1, 2, 0, 1]
    assert [frame.number for frame in frames] == list(range(8))
    assert [frame.captured_at * 30 for frame in frames] == pytest.approx(range(8), abs=0.05)


@pytest.mark.parametrize("loop", [False, True])
def test_real_time_follows_the_time_stamps(tmp_path: Path, loop: bool) -> None:
    path = numbered(tmp_path / "a.mkv", "libx264", 4, times=(0, 20, 120, 140))
    start = time.monotonic()
    source = VideoSource(path, loop, realtime=True)
    frames = [source.read() for _ in range(6 if loop else 4)]
    due = (0, 0.02, 0.12, 0.14, 0.14, 0.16)
    assert all(
        frame.captured_at - start >= at - 0.002 for frame, at in zip(frames, due, strict=False)
    )


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
@pytest.mark.parametrize("share", [0.9, 0.5])
def test_a_truncated_clip_gives_what_is_there(tmp_path: Path, name: str, share: float) -> None:
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    options = {"movflags": "faststart"} if name.endswith("mp4") else {}
    path = numbered(tmp_path / name, codec, 40, gop=1, **options)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    frames, error = read_all(VideoSource(path))
    assert 3 < len(frames) <= 40
    assert [read_number(frame) for frame in frames[:-1]] == list(range(len(frames) - 1))
    assert isinstance(error, SourceLost)
    assert f"after {len(frames)} frames" in error.message


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_clip_that_begins_late_is_whole(tmp_path: Path, name: str) -> None:
    """Matroska says when a clip ends, MP4 how long it lasts."""
    path = numbered(tmp_path / name, "libx264", 9, times=[500 + 33 * n for n in range(9)])
    frames, error = read_all(VideoSource(path))
    assert len(frames) == 9
    assert isinstance(error, EndOfStream)


def test_a_frame_that_is_too_large_loses_the_clip(tmp_path: Path) -> None:
    """Motion JPEG without a container: every picture has a size of its own."""
    sizes = [(16, 16)] * 4 + [(16, 8400)] * 2
    coded = [cv2.imencode(".jpg", np.zeros((*size, 3), np.uint8))[1].tobytes() for size in sizes]
    (tmp_path / "a.avi").write_bytes(b"".join(coded))
    frames, error = read_all(VideoSource(tmp_path / "a.avi"))
    assert len(frames) == 4
    assert isinstance(error, SourceLost) and "8400x16" in error.message


@pytest.mark.parametrize("content", [None, b"", b"no clip at all" * 99])
def test_what_is_no_clip_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceUnavailable, match=r"a\.mp4"):
        VideoSource(path)


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        stream.layout = "mono"
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
    with pytest.raises(SourceUnavailable, match="no picture"):
        VideoSource(tmp_path / "a.mkv")


@pytest.mark.parametrize("count", [0, 3])
def test_the_cover_of_a_record_is_no_clip(tmp_path: Path, count: int) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 16, 16, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        if count:
            clip = container.add_stream("libx264", rate=30)
            clip.width, clip.height = 32, 32
        container.mux(cover.encode(av.VideoFrame(16, 16, "yuvj420p")))
        for _ in range(count):
            container.mux(clip.encode(av.VideoFrame(32, 32, "yuv420p")))
        for stream in container.streams.video:
            container.mux(stream.encode())
    if count:
        assert [frame.size for frame in VideoSource(tmp_path / "a.mp4")] == [(32, 32)] * count
        return
    with pytest.raises(SourceUnavailable, match="no picture"):
        VideoSource(tmp_path / "a.mp4")


def test_closing_ends_a_reader_that_waits(tmp_path: Path) -> None:
    path = numbered(tmp_path / "a.mkv", "libx264", 2, times=(0, 600_000))
    source = VideoSource(path, realtime=True)
    source.read()
    ended: list[type] = []
    reader = threading.Thread(target=lambda: ended.append(type(read_all(source)[1])))
    reader.start()
    source.close()
    source.close()
    reader.join(10)
    assert ended == [EndOfStream]
