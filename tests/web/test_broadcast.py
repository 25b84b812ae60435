"""One line's pictures to many viewers: encoded once, and at keyframes for who joins."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import av
import pytest

from realtime import pixels
from realtime.address import Codec
from realtime.errors import SinkLost
from realtime.frame import Frame
from realtime.web import broadcast as module
from realtime.web.broadcast import Broadcast
from realtime.web.encoder import Encoded, PictureEncoder
from tests.web.guest import share_of
from tests.web.serving import BLUE, GREEN, YELLOW, in_loop
from tests.web.viewing import CODECS, SIZE, decoded, green, joined, write


@pytest.mark.parametrize("codec", CODECS)
@in_loop
async def test_what_is_sent_is_what_was_composed(codec: Codec) -> None:
    line = Broadcast()
    _, seen = await joined(line, codec)
    composed = [pixels.colour(SIZE, bgr) for bgr in (GREEN, YELLOW, BLUE)]
    before = [frame.i420.tobytes() for frame in composed]
    await write(line, *composed)
    assert [frame.i420.tobytes() for frame in composed] == before, "encoders only read"
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
