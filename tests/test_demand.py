"""The camera on demand. The kernel's own answers are in tests/vm; here a file is the device."""

from __future__ import annotations

import asyncio
import select
from pathlib import Path

import pytest

from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.delivery import Outlet
from realtime.demand import Demand, serve_demand
from realtime.errors import SinkLost
from realtime.rests import UNWATCHED
from realtime.runner import Runner
from realtime.sinks.viewers import Viewers
from realtime.stats import Stats
from tests.line import FPS, SIZE, Collector, Room, nobody, person


def test_a_camera_is_wanted_while_somebody_watches_and_a_while_longer() -> None:
    demand = Demand(5.0)
    seen = [(0, 0.0), (1, 1.0), (0, 2.0), (0, 5.9), (0, 6.1), (2, 100.0), (0, 104.9), (0, 105.1)]
    wanted = [demand.wanted(viewers, now) for viewers, now in seen]
    assert wanted == [False, True, True, True, False, True, True, False]
    at_once = Demand(0.0)
    assert [at_once.wanted(viewers, 1.0) for viewers in (0, 1, 0)] == [False, True, False]


def test_every_opening_and_closing_is_counted(tmp_path: Path) -> None:
    device = tmp_path / "video10"
    device.touch()
    viewers = Viewers(str(device))
    assert viewers.count() == 0
    with device.open() as first:
        assert select.select([viewers], [], [], 10)[0]
        assert viewers.count() == 1
        with device.open("r+"):
            assert viewers.count() == 2
        assert viewers.count() == 1
        assert not first.closed
    assert viewers.count() == 0
    device.unlink()
    with pytest.raises(SinkLost):
        viewers.count()
    viewers.close()
    with pytest.raises(SinkLost, match="video10"):
        Viewers(str(device))


def test_the_line_rests_until_somebody_watches_the_device_or_the_web(
    toy_ir: Path, tmp_path: Path
) -> None:
    opened: list[Room] = []

    def open_room() -> Room:
        opened.append(Room())
        return opened[-1]

    async def watch_in_turn() -> None:
        async def until_closed(room: Room) -> None:
            while not room._closed.is_set() or line.stats.state != UNWATCHED:
                await asyncio.sleep(0.01)

        async def until_person(after: int) -> None:
            await asyncio.to_thread(sink.await_picture, person, after)

        serving = asyncio.create_task(
            serve_demand(line, [str(device)], lambda: len(browsers), linger_s=0.05)
        )
        await asyncio.to_thread(sink.await_picture, nobody)
        assert not opened
        with device.open():
            await until_person(0)
        await asyncio.wait_for(until_closed(opened[0]), 20)
        browsers.append("one")
        await until_person(len(sink.frames))
        browsers.clear()
        await asyncio.wait_for(until_closed(opened[1]), 20)
        serving.cancel()

    device = tmp_path / "video10"
    device.touch()
    browsers: list[str] = []
    config = Config().with_values({"matting": {"model": str(toy_ir)}})
    stats, sink = Stats(), Collector()
    pipeline = make_pipeline(config, load_model(config.matting), stats)
    outlet = Outlet("sink", lambda: sink, FPS, str(device))
    line = Runner(open_room, pipeline, [outlet], SIZE, stats)
    line.rest(UNWATCHED)
    line.start()
    asyncio.run(watch_in_turn())
    line.stop()
    assert line.error is None
    assert len(opened) == 2
