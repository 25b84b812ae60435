"""Each viewer has its own pace and size: slow ones, small ones, and the link that carries more."""

from __future__ import annotations

import asyncio

import pytest
from aiortc.mediastreams import MediaStreamError

from realtime import pixels
from realtime.address import Codec
from realtime.sources.pattern import PatternSource
from realtime.stats import Stats
from realtime.web import broadcast as module
from realtime.web import ladder
from realtime.web.broadcast import Broadcast
from realtime.web.encoder import PictureEncoder
from realtime.web.ladder import Report
from realtime.web.viewer import MAX_BEHIND, MAX_UNSENT
from tests.web.guest import share_of
from tests.web.serving import YELLOW, in_loop
from tests.web.viewing import CODECS, SIZE, decoded, green, joined, write


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
async def test_a_ladder_that_becomes_shorter_is_climbed_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ladder, "SETTLE_S", 0.0)
    monkeypatch.setattr(ladder, "FIRST_TRY_S", 0.0)
    line = Broadcast()
    viewer, _ = await joined(line)
    await write(line, PatternSource((640, 360), 1000).read())
    monkeypatch.setattr(viewer._meter, "rate", lambda now: 1e5)
    viewer.estimate(Report(1e3))
    assert viewer._next.rung == 2
    await write(line, PatternSource(SIZE, 1000).read())
    assert len(line.ladder) == 2
    viewer._climber.rung = 2
    monkeypatch.setattr(viewer._climber, "judge", lambda *given: 1)
    viewer.estimate(Report(1e7))
    assert viewer._try
    await viewer._try
    assert viewer._next.rung == 0


@in_loop
async def test_who_has_left_before_the_first_picture_does_not_come() -> None:
    line = Broadcast()
    viewer = line.viewer("H264")
    viewer.stop()
    with pytest.raises(MediaStreamError):
        await viewer.recv()
    assert line.viewers == 0


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
async def test_a_viewer_that_takes_nothing_holds_nothing() -> None:
    line = Broadcast()
    viewer, seen = await joined(line)
    viewer.watching.cancel()
    await write(line, *(green() for _ in range(4 * MAX_BEHIND)))
    assert len(viewer._waiting) <= MAX_BEHIND
    assert not seen
