"""Clips of every kind of pixels come out as upright BT.601 frames of even size."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from realtime.frame import Frame
from realtime.pixels import to_bgr
from realtime.sources.video import VideoSource

RED = (200, 60, 30)

BT601, BT709, BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)

LIMITED, FULL = 1, 2

PQ, HLG = 16, 18


def one_colour(
    path: Path,
    planes: Sequence[float],
    space: int,
    extent: int,
    kind: str = "yuv420p",
    size: tuple[int, int] = (64, 48),
    transfer: int = 2,
) -> Path:
    """Write one lossless frame whose planes have these values; `transfer` is its AVCOL_TRC."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = *size, kind
        picture = av.VideoFrame(*size, kind)
        deep = np.uint16 if "10" in kind else np.uint8
        for plane, value in zip(picture.planes, planes, strict=True):
            samples = plane.buffer_size // np.dtype(deep).itemsize
            plane.update(np.full(samples, round(value), deep).tobytes())
        for place in (stream.codec_context, picture):
            place.colorspace, place.color_range, place.color_trc = space, extent, transfer
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


@pytest.mark.parametrize(("transfer", "white"), [(PQ, 0.58), (HLG, 0.75)])
def test_high_dynamic_range_is_mapped_to_the_standard_one(
    tmp_path: Path, transfer: int, white: float
) -> None:
    """The white of a sheet of paper (ITU-R BT.2408) is nearly white, not grey."""
    planes, path = [64 + 876 * white, 512, 512], tmp_path / "a.mkv"
    one_colour(path, planes, 9, LIMITED, "yuv420p10le", transfer=transfer)
    found = colour_of(VideoSource(path).read())
    assert found.min() > 225 and np.ptp(found) <= 3


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


@pytest.mark.parametrize(
    ("pixel", "turn", "size"),
    [("16/11", 0, (94, 48)), ("8/9", 0, (64, 54)), ("2", 90, (48, 128)), ("900", 0, (64, 48))],
)
def test_pixels_that_are_not_square_are_stretched(
    tmp_path: Path, pixel: str, turn: int, size: tuple[int, int]
) -> None:
    """As in a clip of DV; what cannot be believed is left as it is."""
    bgr = np.zeros((48, 64, 3), np.uint8)
    bgr[:, 32:] = 255
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.sample_aspect_ratio = Fraction(pixel)
        if turn:
            stream.set_display_rotation(turn)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(bgr, "bgr24")))
        container.mux(stream.encode())
    source = VideoSource(tmp_path / "a.mp4")
    shown = to_bgr(source.read())
    assert source.size == size
    assert (shown > 128).mean() == pytest.approx(0.5, abs=0.03)
