"""One line's pictures to many viewers: encoded once, keyframes, slow viewers, rungs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import av
import pytest
from aiortc.codecs.h264 import h264_depayload
from aiortc.codecs.vpx import vp8_depayload
from aiortc.mediastreams import MediaStreamError

from realtime import pixels
from realtime.address import Codec
from realtime.errors import SinkLost
from realtime.frame import Frame
from realtime.sources.pattern import PatternSource
from realtime.stats import Stats
from realtime.web import broadcast as module
from realtime.web import ladder
from realtime.web.broadcast import Broadcast
from realtime.web.encoder import Encoded, PictureEncoder
from realtime.web.ladder import Report
from realtime.web.viewer import MAX_BEHIND, MAX_UNSENT, Viewer
from tests.web.guest import share_of
from tests.web.serving import BLUE, GREEN, YELLOW, in_loop

SIZE = (320, 180)
CODECS: tuple[Codec, ...] = ("H264", "VP8")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[PictureEncoder]:
    """All encoders that are made."""
    found: list[PictureEncoder] = []

    def make(*arguments: Any) -> PictureEncoder:
        found.append(PictureEncoder(*arguments))
        return found[-1]

    monkeypatch.setattr(module, "PictureEncoder", make)
    return found


async def write(line: Broadcast, *frames: Frame) -> None:
    """Deliver as the line's thread would, and let the loop hand out."""
    for frame in frames:
        await asyncio.to_thread(line.write, frame)
        await asyncio.sleep(0)


async def joined(line: Broadcast, codec: Codec = "H264") -> tuple[Viewer, list[Encoded]]:
    """Return a viewer, and the list that fills with what it is sent."""
    viewer, seen = line.viewer(codec), []

    async def watch() -> None:
        while True:
            try:
                seen.append(await viewer.recv())
            except MediaStreamError:
                return

    viewer.watching = asyncio.create_task(watch())  # type: ignore[attr-defined]
    await asyncio.sleep(0)
    return viewer, seen


def green() -> Frame:
    return pixels.colour(SIZE, GREEN)


def decoded(codec: Codec, pictures: list[Encoded]) -> list[av.VideoFrame]:
    """Decode as a browser would: from the payloads, in order, all of them."""
    decoder = av.CodecContext.create("h264" if codec == "H264" else "libvpx", "r")
    depayload: Callable[[bytes], bytes] = h264_depayload if codec == "H264" else vp8_depayload
    found = []
    for picture in pictures:
        data = b"".join(map(depayload, picture.payloads))
        found += [frame for frame in decoder.decode(av.Packet(data)) if frame]
    return found + list(decoder.decode(None))


@pytest.mark.parametrize("codec", CODECS)
@in_loop
async def test_what_is_sent_is_what_was_composed(codec: Codec) -> None:
    line = Broadcast()
    _, seen = await joined(line, codec)
    await write(line, *(pixels.colour(SIZE, bgr) for bgr in (GREEN, YELLOW, BLUE)))
    pictures = decoded(codec, seen)
    assert len(pictures) == 3
    for picture, bgr in zip(pictures, (GREEN, YELLOW, BLUE), strict=True):
        i420 = Frame(picture.to_ndarray(format="yuv420p"))
        assert share_of(pixels.to_bgr(i420), bgr) > 0.99
    if codec == "H264":  # unsaid, a browser takes it for BT.709
        assert pictures[0].color_range == av.video.reformatter.ColorRange.MPEG
        assert pictures[0].colorspace == av.video.reformatter.Colorspace.ITU601
    assert [picture.timestamp for picture in seen] == sorted({p.timestamp for p in seen})


@in_loop
async def test_encoded_once_for_all_and_not_at_all_for_nobody(made: list[PictureEncoder]) -> None:
    line = Broadcast()
    await write(line, green())
    never = line.viewer("VP8")
    await write(line, green())
    assert not made, "nobody watches; who has not come costs nothing"
    watching = [await joined(line) for _ in range(5)]
    await write(line, green(), green())
    assert len(made) == 1
    first = watching[0][1]
    assert len(first) == 2
    assert all(one is other for _, seen in watching for one, other in zip(first, seen, strict=True))
    _, other = await joined(line, "VP8")
    await write(line, green())
    assert len(made) == 2 and len(other) == 1
    for viewer, _ in watching:
        viewer.stop()
    await write(line, green())
    assert [stream.codec for stream in line._encoders] == ["VP8"]
    never.stop()


@pytest.mark.parametrize("codec", CODECS)
@in_loop
async def test_who_joins_begins_with_a_keyframe(codec: Codec) -> None:
    line = Broadcast()
    _, first = await joined(line, codec)
    await write(line, green(), green())
    assert [picture.is_key for picture in first] == [True, False]
    module_pause, module.KEY_PAUSE_S = module.KEY_PAUSE_S, 0.0
    try:
        _, second = await joined(line, codec)
        await write(line, green(), green())
    finally:
        module.KEY_PAUSE_S = module_pause
    assert [picture.is_key for picture in second] == [True, False]
    assert len(decoded(codec, second)) == 2


@in_loop
async def test_a_storm_of_requests_is_one_keyframe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEY_PAUSE_S", 1000.0)
    line = Broadcast()
    viewer, seen = await joined(line)
    for _ in range(10):
        for _ in range(50):
            viewer.ask_key()
        await write(line, green())
    assert [picture.is_key for picture in seen] == [True] + 9 * [False]
    monkeypatch.setattr(module, "KEY_PAUSE_S", 0.0)
    await write(line, green(), green())
    assert [picture.is_key for picture in seen[10:]] == [True, False], "late, but not lost"


@in_loop
async def test_a_slow_viewer_goes_on_at_a_keyframe_and_slows_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "KEY_PAUSE_S", 0.0)
    stats = Stats()
    line = Broadcast(stats=stats)
    slow, late = await joined(line)
    _, others = await joined(line)
    await write(line, green())
    slow.unsent = lambda: MAX_UNSENT + 1
    await write(line, *(green() for _ in range(20)))
    assert len(late) == 1 and len(others) == 21
    assert stats.snapshot()["counts"] == {"viewer drops": 20}
    slow.unsent = lambda: 0
    await write(line, *(pixels.colour(SIZE, YELLOW) for _ in range(5)))
    assert late[1].is_key and len(others) == 26
    assert share_of(decoded("H264", late[1:])[0].to_ndarray(format="bgr24"), YELLOW) > 0.9


@in_loop
async def test_a_picture_that_has_not_changed_is_not_encoded_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "REPEAT_S", 1000.0)
    monkeypatch.setattr(module, "KEY_PAUSE_S", 0.0)
    line, still = Broadcast(), green()
    viewer, seen = await joined(line)
    await write(line, still, replace(still, captured_at=1.0), green())
    assert len(seen) == 2
    viewer.ask_key()
    await write(line, still, still)
    assert seen[-1].is_key and len(seen) == 3, "who has lost a picture is sent the one there is"
    monkeypatch.setattr(module, "REPEAT_S", 0.0)
    await write(line, still)
    assert len(seen) == 4


@in_loop
async def test_a_viewer_that_takes_nothing_holds_nothing() -> None:
    line = Broadcast()
    viewer, seen = await joined(line)
    viewer.watching.cancel()
    await write(line, *(green() for _ in range(4 * MAX_BEHIND)))
    assert len(viewer._waiting) <= MAX_BEHIND
    assert not seen


@pytest.mark.parametrize("codec", CODECS)
@in_loop
async def test_a_rung_is_left_for_another_at_a_keyframe(
    codec: Codec, made: list[PictureEncoder]
) -> None:
    source = PatternSource(SIZE, 1000)
    line = Broadcast()
    narrow, seen = await joined(line, codec)
    wide, full = await joined(line, codec)
    await write(line, *(source.read() for _ in range(3)))
    narrow._meter.rate = lambda now: 1e6  # type: ignore[method-assign]
    narrow.estimate(Report(10_000))
    await write(line, *(source.read() for _ in range(3)))
    sizes = [(picture.width, picture.height) for picture in decoded(codec, seen)]
    assert sizes == 3 * [SIZE] + 3 * [(160, 90)]
    assert seen[3].is_key and not any(picture.is_key for picture in full[1:])
    assert len(full) == 6 and len(made) == 2
    wide.stop()
    await write(line, source.read())
    assert len(line._encoders) == 1, "nobody is left on the upper rung"


@pytest.mark.parametrize(("carries", "last"), [(2, 0), (1, 1), (0, 2)])
@in_loop
async def test_better_rungs_are_sent_at_once_as_far_as_the_link_carries_them(
    carries: int, last: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = (640, 360)
    line, source, tried = Broadcast(), PatternSource(large, 1000), []
    viewer, seen = await joined(line)
    await write(line, source.read())
    monkeypatch.setattr(ladder, "SETTLE_S", 0.0)
    monkeypatch.setattr(ladder, "FIRST_TRY_S", 0.0)
    monkeypatch.setattr(module, "KEY_PAUSE_S", 0.0)
    monkeypatch.setattr(viewer._meter, "rate", lambda now: 0.5 * line.ladder[2].rate)

    async def carry(more: float) -> bool:
        tried.append(more)
        return len(tried) <= carries

    viewer.carries = carry
    for estimate in (1e4, 1e6):  # down, and up again
        viewer.estimate(Report(estimate))
        await write(line, source.read())
    while viewer._try:
        await asyncio.sleep(0)
    rates = [rung.rate for rung in line.ladder]
    wanted = [1.5 * rates[1] - 0.5 * rates[2], 1.5 * rates[0] - 0.5 * rates[1]]
    assert tried == pytest.approx(wanted[: carries + 1])
    await write(line, source.read(), source.read())
    sizes = [(picture.width, picture.height) for picture in decoded("H264", seen)]
    assert sizes[1] == line.ladder[2].size and sizes[-1] == line.ladder[last].size
    assert viewer._climber.rung == last


@in_loop
async def test_a_failed_encoder_ends_its_own_viewers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Broadcast()
    one, _ = await joined(line, "H264")
    two, seen = await joined(line, "VP8")
    encode = PictureEncoder.encode

    def fail(self: PictureEncoder, *arguments: Any) -> Encoded | None:
        if self._context.name == "libx264":
            raise SinkLost("the encoder is broken")
        return encode(self, *arguments)

    monkeypatch.setattr(PictureEncoder, "encode", fail)
    await write(line, green(), green())
    assert one.readyState == "ended" and two.readyState == "live"
    assert len(seen) == 2 and line.viewers == 1


@in_loop
async def test_the_end_of_a_line_is_the_end_of_its_viewers() -> None:
    line = Broadcast()
    viewer, _ = await joined(line)
    await asyncio.to_thread(line.close)
    await asyncio.sleep(0)
    late, _ = await joined(line)
    assert viewer.readyState == late.readyState == "ended" and line.viewers == 0


@in_loop
async def test_a_picture_of_another_size_is_sent_as_it_is() -> None:
    line = Broadcast()
    _, seen = await joined(line)
    await write(line, green(), pixels.colour((130, 98), BLUE), green())
    sizes = [(picture.width, picture.height) for picture in decoded("H264", seen)]
    assert sizes == [SIZE, (130, 98), SIZE]
