"""What a browser's camera sends, as frames."""

from __future__ import annotations

import asyncio
import threading

import av
import cv2
import numpy as np
import pytest
from aiortc import (
    MediaStreamTrack,
)
from aiortc.mediastreams import MediaStreamError
from av.video.reformatter import ColorRange, Colorspace

from realtime import pixels, turns
from realtime.build import load_model
from realtime.config import Config
from realtime.errors import EndOfStream
from realtime.frame import Bytes
from realtime.pipeline import HOLD_S
from realtime.turns import Turns
from realtime.web import uplink
from realtime.web.line import BrowserLine
from realtime.web.load import Load
from realtime.web.uplink import BrowserSource, i420_of
from tests.web.guest import share_of
from tests.web.serving import GREEN


def coloured(size: tuple[int, int], bgr: tuple[int, int, int] = GREEN) -> av.VideoFrame:
    width, height = size
    picture = av.VideoFrame.from_ndarray(np.full((height, width, 3), bgr, np.uint8), "bgr24")
    return picture.reformat(format="yuv420p")


@pytest.mark.parametrize("size", [(64, 36), (65, 37), (98, 50), (1, 1), (33, 2)])
def test_received_pictures_of_any_size_become_frames(size: tuple[int, int]) -> None:
    source = BrowserSource()
    asyncio.run(source.drain(Film([coloured(size)])))
    frame = source.read()
    assert frame.size == pixels.even(size)
    assert share_of(pixels.to_bgr(frame), GREEN) == 1
    with pytest.raises(EndOfStream):
        source.read()


def test_a_picture_that_comes_too_early_is_not_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    converted: list[av.VideoFrame] = []

    def convert(picture: av.VideoFrame) -> Bytes:
        converted.append(picture)
        return i420_of(picture)

    monkeypatch.setattr(uplink, "i420_of", convert)
    source = BrowserSource()
    source.leaves_out = lambda number: number % 2 == 0
    for _ in range(2):
        source.open()
        source._slot.put((coloured((64, 36)), 0.0))
        threading.Timer(0.1, source._slot.put, [(coloured((64, 36)), 0.0)]).start()
        assert source.read().number % 2 == 1
    assert len(converted) == 2


def test_padded_rows_are_left_out() -> None:
    picture = coloured((50, 20))
    assert picture.planes[0].line_size > 50, "PyAV does not pad any more: choose another size"
    expected = cv2.cvtColor(picture.to_ndarray(format="bgr24"), cv2.COLOR_BGR2YUV_I420)
    assert np.abs(i420_of(picture).astype(int) - expected).max() <= 2


def test_other_formats_are_converted() -> None:
    picture = coloured((64, 36)).reformat(format="nv12")
    frame = cv2.cvtColor(i420_of(picture), cv2.COLOR_YUV2BGR_I420)
    assert share_of(frame, GREEN) == 1


@pytest.mark.parametrize("space", [Colorspace.ITU601, Colorspace.ITU709])
@pytest.mark.parametrize("extent", [ColorRange.MPEG, ColorRange.JPEG])
def test_colours_come_out_right_however_a_sender_writes_them(
    space: Colorspace, extent: ColorRange
) -> None:
    red = (30, 60, 200)
    picture = av.VideoFrame.from_ndarray(np.full((36, 64, 3), red, np.uint8), "bgr24").reformat(
        format="yuv420p", dst_colorspace=space, dst_color_range=extent
    )
    found = cv2.cvtColor(i420_of(picture), cv2.COLOR_YUV2BGR_I420).mean(axis=(0, 1))
    assert np.abs(found - red).max() <= 6


class Film(MediaStreamTrack):  # type: ignore[misc]
    """A track of some pictures."""

    kind = "video"

    def __init__(self, pictures: list[av.VideoFrame]) -> None:
        super().__init__()
        self._pictures = iter(pictures)

    async def recv(self) -> av.VideoFrame:
        for picture in self._pictures:
            return picture
        raise MediaStreamError


def test_only_the_newest_received_picture_is_kept() -> None:
    source = BrowserSource()
    asyncio.run(source.drain(Film([coloured((64, 36)), coloured((32, 18)), coloured((128, 72))])))
    assert source.read().size == (128, 72)


@pytest.mark.parametrize("size", [(8000, 2000), (10_000, 64)])
def test_a_picture_beyond_all_cameras_is_left_out(size: tuple[int, int]) -> None:
    source = BrowserSource()
    asyncio.run(source.drain(Film([coloured(size)])))
    with pytest.raises(EndOfStream):
        source.read()


def test_lines_among_too_many_give_up_quality_then_pictures_then_their_size(
    config: Config,
) -> None:
    model, shared = load_model(config.matting), Turns(1)
    lines = [BrowserLine(config, model, shared) for _ in range(3)]
    load, seen = Load(1), []

    def second(now: int, *shares: float) -> None:
        for line, share in zip(lines, shares, strict=True):
            line.source.received += 60
            for _ in range(round(60 * share)):
                line.control.stats.composed()
        load.share(lines, now)
        steps = {(line.control.stats.eased, line.source.rung) for line in lines}
        assert len(steps) == 1, "whoever is late, all give up the same"
        seen.extend(steps)

    try:
        for now in range(20):
            second(now, 0.1, 1.0, 0.0)
        for now in range(20, 40):
            second(now, 1.0, 1.0, 0.0)
    finally:
        for line in lines:
            line.stop()
    names = [step.name for step in lines[0].control.steps()]
    assert list(dict.fromkeys(seen[:20])) == [
        *(("", 0), *((name, 0) for name in names)),
        *((names[-1], 1), (names[-1], 2)),
    ]
    assert seen[-1] == (names[-1], 1), "taken back: the one that hangs is not late but lost"


def test_while_a_network_hangs_the_other_lines_hold_their_last_picture() -> None:
    assert turns.LONGEST_S + turns.LOOK_S < HOLD_S


def test_what_one_step_less_would_take_decides_whether_it_is_taken_back(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = BrowserLine(config, load_model(config.matting), Turns(1))
    monkeypatch.setattr(line.control.stats, "picture_s", lambda frames: 0.02)
    busy = []
    try:
        for level in range(line.most + 1):
            line.ease(level)
            busy.append(line.lately().busy)
    finally:
        line.stop()
    whole, two_of_three, half = 0.6, 0.4, 0.3
    assert busy[-4:] == pytest.approx([whole, two_of_three, half, half])
    assert set(busy[:-3]) == {busy[0]} and busy[0] == pytest.approx(whole)


def test_a_rung_of_a_source_halves_its_pictures() -> None:
    source = BrowserSource()
    source.rung = 1
    asyncio.run(source.drain(Film([coloured((640, 360))])))
    frame = source.read()
    assert frame.size == (320, 180) and share_of(pixels.to_bgr(frame), GREEN) == 1
    assert source.received == 1
