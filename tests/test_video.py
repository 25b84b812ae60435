"""Clips and stills of every kind come out as upright BT.601 frames, or say why they do not."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from realtime.errors import EndOfStream, SourceLost, SourceUnavailable
from realtime.frame import Frame
from realtime.pixels import from_bgr, to_bgr
from realtime.sources.pattern import PatternSource, read_number
from realtime.sources.picture import PictureSource
from realtime.sources.video import VideoSource

RED = (200, 60, 30)
BT601, BT709, BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)
LIMITED, FULL = 1, 2


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


def one_colour(
    path: Path,
    planes: Sequence[float],
    space: int,
    extent: int,
    kind: str = "yuv420p",
    size: tuple[int, int] = (64, 48),
) -> Path:
    """Write one lossless frame whose planes have these values."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = *size, kind
        picture = av.VideoFrame(*size, kind)
        deep = np.uint16 if "10" in kind else np.uint8
        for plane, value in zip(picture.planes, planes, strict=True):
            samples = plane.buffer_size // np.dtype(deep).itemsize
            plane.update(np.full(samples, round(value), deep).tobytes())
        for place in (stream.codec_context, picture):
            place.colorspace, place.color_range = space, extent
        container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def yuv_of(rgb: tuple[int, int, int], weights: tuple[float, float], extent: int) -> list[float]:
    """Y'CbCr of a colour by the formula of ITU-R BT.601, 709 and 2020, 8 bit."""
    red, green, blue = (part / 255 for part in rgb)
    luma = weights[0] * red + (1 - sum(weights)) * green + weights[1] * blue
    differences = (blue - luma) / (2 - 2 * weights[1]), (red - luma) / (2 - 2 * weights[0])
    if extent == FULL:
        return [255 * luma, *(128 + 255 * part for part in differences)]
    return [16 + 219 * luma, *(128 + 224 * part for part in differences)]


def colour_of(frame: Frame) -> Any:
    """The colour in the middle, as RGB."""
    return to_bgr(frame)[frame.height // 2, frame.width // 2, ::-1].astype(int)


def read_all(source: VideoSource) -> tuple[list[Frame], Exception]:
    frames = []
    while True:
        try:
            frames.append(source.read())
        except (EndOfStream, SourceLost) as error:
            return frames, error


@pytest.mark.parametrize(
    ("weights", "space", "extent"),
    [
        (BT601, 6, LIMITED),
        (BT601, 5, LIMITED),
        (BT601, 6, FULL),
        (BT709, 1, LIMITED),
        (BT709, 1, FULL),
        (BT2020, 9, LIMITED),
        (BT601, 2, LIMITED),
    ],
)
def test_every_colour_space_becomes_bt601_limited(
    tmp_path: Path, weights: tuple[float, float], space: int, extent: int
) -> None:
    path = one_colour(tmp_path / "a.mkv", yuv_of(RED, weights, extent), space, extent)
    assert np.abs(colour_of(VideoSource(path).read()) - RED).max() <= 4


def test_unnamed_colours_of_high_definition_are_bt709(tmp_path: Path) -> None:
    planes = yuv_of(RED, BT709, LIMITED)
    path = one_colour(tmp_path / "a.mkv", planes, 2, 0, size=(1280, 720))
    assert np.abs(colour_of(VideoSource(path).read()) - RED).max() <= 4


@pytest.mark.parametrize("kind", ["yuv422p", "yuv444p", "yuva420p", "yuv420p10le"])
def test_other_kinds_of_pixels(tmp_path: Path, kind: str) -> None:
    planes = yuv_of(RED, BT709, LIMITED)
    if kind == "yuv420p10le":
        planes = [4 * value for value in planes]
    if kind == "yuva420p":
        planes.append(90)
    path = one_colour(tmp_path / "a.mkv", planes, 1, LIMITED, kind)
    assert np.abs(colour_of(VideoSource(path).read()) - RED).max() <= 4


@pytest.mark.parametrize("level", [0, 128, 255])
def test_grey_keeps_its_level(tmp_path: Path, level: int) -> None:
    path = one_colour(tmp_path / "a.mkv", [level], 2, 0, "gray")
    assert np.abs(colour_of(VideoSource(path).read()) - level).max() <= 2


def test_odd_sizes_grow_by_a_repeated_edge(tmp_path: Path) -> None:
    planes = yuv_of(RED, BT601, LIMITED)
    source = VideoSource(one_colour(tmp_path / "a.mkv", planes, 6, LIMITED, size=(65, 49)))
    frame = source.read()
    assert source.size == frame.size == (66, 50)
    assert (frame.y[-1] == frame.y[0]).all()
    assert (frame.y[:, -1] == frame.y[:, 0]).all()


@pytest.mark.parametrize(
    ("degrees", "size", "corner"),
    [(90, (48, 64), (-8, 8)), (180, (64, 48), (-8, -8)), (270, (48, 64), (8, -8))],
)
def test_the_display_matrix_turns_the_picture(
    tmp_path: Path, degrees: int, size: tuple[int, int], corner: tuple[int, int]
) -> None:
    bgr = np.zeros((48, 64, 3), np.uint8)
    bgr[:24, :32] = 255
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.set_display_rotation(degrees)  # counterclockwise
        container.mux(stream.encode(av.VideoFrame.from_ndarray(bgr, "bgr24")))
        container.mux(stream.encode())
    source = VideoSource(tmp_path / "a.mp4")
    upright = to_bgr(source.read())
    assert source.size == size
    assert upright[corner].min() > 200
    assert (upright > 128).mean() == pytest.approx(0.25, abs=0.03)


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


def still(path: Path, picture: Any) -> PictureSource:
    ok, coded = cv2.imencode(path.suffix, picture)
    assert ok
    path.write_bytes(coded.tobytes())
    return PictureSource(path)


@pytest.mark.parametrize(
    ("picture", "rgb"),
    [
        (np.full((9, 7, 3), (30, 60, 200), np.uint8), RED),
        (np.full((9, 7, 3), (30 * 257, 60 * 257, 200 * 257), np.uint16), RED),
        (np.full((9, 7), 77, np.uint8), (77, 77, 77)),
        (np.full((9, 7), 77 * 257, np.uint16), (77, 77, 77)),
        (np.full((9, 7, 4), (30, 60, 200, 255), np.uint8), RED),
        (np.full((9, 7, 4), (30, 60, 200, 0), np.uint8), (255, 255, 255)),
        (np.full((9, 7, 4), (0, 0, 0, 128 * 257), np.uint16), (127, 127, 127)),
    ],
)
def test_a_still_is_one_frame(tmp_path: Path, picture: Any, rgb: tuple[int, int, int]) -> None:
    source = still(tmp_path / "a.png", picture)
    frame = source.read()
    assert source.shape == (7, 9)
    assert frame.size == (8, 10)
    assert np.abs(colour_of(frame) - rgb).max() <= 2
    with pytest.raises(EndOfStream):
        source.read()


def test_a_still_stands_upright_as_its_exif_says(tmp_path: Path) -> None:
    picture = np.zeros((16, 32, 3), np.uint8)
    picture[:, :16] = 255
    ok, coded = cv2.imencode(".jpg", picture)
    assert ok
    turn = bytes.fromhex("ffe100224578696600004d4d002a00000008000101120003000000010006000000000000")
    (tmp_path / "a.jpg").write_bytes(coded.tobytes()[:2] + turn + coded.tobytes()[2:])
    source = PictureSource(tmp_path / "a.jpg")
    upright = to_bgr(source.read())
    assert source.shape == (16, 32)
    assert upright[4].min() > 200
    assert upright[28].max() < 50


@pytest.mark.parametrize("keep", [None, 0, 30])
def test_a_broken_still_is_refused(tmp_path: Path, keep: int | None) -> None:
    path = tmp_path / "a.png"
    if keep is not None:
        still(path, np.zeros((32, 32, 3), np.uint8))
        path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(SourceUnavailable, match=r"a\.png"):
        PictureSource(path)


def test_a_closed_still_has_ended(tmp_path: Path) -> None:
    source = still(tmp_path / "a.png", to_bgr(from_bgr(np.zeros((4, 4, 3), np.uint8))))
    source.close()
    with pytest.raises(EndOfStream):
        source.read()
