"""The drawn camera: repeatable, with an alpha that is true and a number that survives."""

from __future__ import annotations

import threading
import time

import cv2
import numpy as np
import openvino as ov
import pytest

from realtime.build import open_input
from realtime.config import Camera
from realtime.errors import EndOfStream
from realtime.frame import Frame
from realtime.pixels import fit, from_bgr, thumbnail, to_bgr
from realtime.sources.pattern import PatternSource, read_number
from tests.toy import SIZE, toy_model


def pattern(**changes: object) -> PatternSource:
    return PatternSource(**{"size": (320, 180), "realtime": False} | changes)


def test_the_same_number_gives_the_same_pixels() -> None:
    first, second = pattern(), pattern()
    one = [first.read() for _ in range(5)]
    two = [second.read() for _ in range(5)]
    assert [frame.number for frame in one] == [0, 1, 2, 3, 4]
    assert [frame.captured_at * first.fps for frame in two] == pytest.approx([0, 1, 2, 3, 4])
    assert all((a.i420 == b.i420).all() for a, b in zip(one, two, strict=True))
    assert (one[0].i420 != one[4].i420).any()


def test_a_stream_of_some_frames_ends() -> None:
    source = pattern(frames=2)
    source.read(), source.read()
    with pytest.raises(EndOfStream):
        source.read()


def test_closing_wakes_a_reader_that_waits_for_its_time() -> None:
    source = pattern(realtime=True, fps=0.001)
    source.read()
    ended = threading.Event()

    def read() -> None:
        with pytest.raises(EndOfStream):
            source.read()
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    source.close()
    source.close()
    assert ended.wait(10)
    reader.join()


def test_no_frame_comes_before_its_time() -> None:
    start = time.monotonic()
    source = pattern(realtime=True, fps=50)
    stamps = [source.read().captured_at - start for _ in range(5)]
    assert all(stamp >= number / 50 - 0.001 for number, stamp in enumerate(stamps))


def test_the_frame_is_the_person_over_the_room() -> None:
    source = pattern(size=(640, 360))
    frames = {number: source.read() for number in range(31)}
    alphas = {number: source.alpha_of(number) for number in frames}
    room = np.median([frame.y for frame in frames.values()], axis=0)
    for number in (0, 30):
        outside = alphas[number] == 0
        outside[:20] = False  # the barcode
        everywhere = np.all([alpha == 0 for alpha in alphas.values()], axis=0) & outside
        assert (frames[number].y[everywhere] == room[everywhere]).all()
    moved = np.abs(alphas[0] - alphas[30]) > 0.5
    assert moved.any()
    assert (np.abs(frames[0].y.astype(int) - frames[30].y)[moved] > 4).mean() > 0.5


def test_alpha_is_soft_at_the_edge_and_whole_inside() -> None:
    alpha = pattern().alpha_of(3)
    assert alpha.dtype == np.float32
    assert alpha.shape == (180, 320)
    assert alpha.min() == 0.0
    assert alpha.max() == 1.0
    assert ((alpha > 0) & (alpha < 1)).mean() > 0.005
    assert 0.15 < alpha.mean() < 0.35
    assert (alpha[170, 150:170] == 1).all()


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (320, 240), (360, 640), (97, 55)])
def test_the_number_is_read_back(size: tuple[int, int]) -> None:
    source = pattern(size=size)
    assert [read_number(source.read()) for _ in range(3)] == [0, 1, 2]


def test_the_number_survives_a_strong_codec() -> None:
    source = pattern(size=(640, 360))
    for number in range(4):
        ok, coded = cv2.imencode(".jpg", to_bgr(source.read()), [cv2.IMWRITE_JPEG_QUALITY, 15])
        assert ok
        assert read_number(from_bgr(cv2.imdecode(coded, cv2.IMREAD_COLOR))) == number


def test_the_number_survives_another_size() -> None:
    source = pattern(size=(640, 360))
    source.read()
    assert read_number(fit(source.read(), (320, 180), "stretch")) == 1


def test_a_picture_without_barcode_has_no_number() -> None:
    frame = pattern().read()
    upside_down = Frame(np.ascontiguousarray(np.flipud(frame.y.repeat(3, 0)[: 180 * 3 // 2])))
    assert read_number(upside_down) is None
    assert read_number(pattern(flat=True).read()) is None


def test_a_wrong_bit_is_noticed() -> None:
    i420 = pattern().read().i420.copy()
    cell = slice(320 * 5 // 24, 320 * 6 // 24)
    i420[:7, cell] = 235
    assert read_number(Frame(i420)) is None


@pytest.mark.parametrize("number", [0, 9])
def test_the_flat_person_is_what_the_toy_model_finds(number: int) -> None:
    source = pattern(size=(1280, 720), flat=True)
    frames = [source.read() for _ in range(number + 1)]
    small = thumbnail(frames[number], SIZE)
    found = ov.compile_model(toy_model(), "CPU")([small[None]])[0][0, 0]
    true = cv2.resize(source.alpha_of(number), SIZE, interpolation=cv2.INTER_AREA)
    sure = (true == 0) | (true == 1)
    assert sure.mean() > 0.8
    assert np.abs(found - true)[sure].max() < 0.02


def test_the_flat_variant_has_two_colours_only() -> None:
    source = pattern(flat=True)
    bgr, alpha = to_bgr(source.read()), source.alpha_of(0)
    assert set(np.unique(alpha)) == {0.0, 1.0}
    assert np.abs(bgr[100, 160].astype(int) - (0, 200, 0)).max() <= 2
    assert np.abs(bgr[0, 0].astype(int) - (0, 0, 200)).max() <= 2


def test_what_stands_in_for_the_camera_is_mirrored_like_it() -> None:
    plain, mirrored = (open_input("pattern", Camera(mirror=on)).read() for on in (False, True))
    assert np.array_equal(mirrored.y, plain.y[:, ::-1])
