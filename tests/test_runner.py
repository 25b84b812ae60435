"""The line's threads and parts: what waits, what is hidden, what is opened again and finished."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from realtime import pixels
from realtime.config import Config
from realtime.delivery import Outlet
from realtime.errors import EndOfStream, ScrimError, SinkLost, SourceUnavailable
from realtime.frame import Alpha, Frame
from realtime.rests import UNWATCHED
from realtime.runner import Runner
from realtime.slot import Slot
from realtime.stats import Stats
from tests.line import FPS, SIZE, Collector, Room, broken_line, nobody, person, running


def test_a_sink_that_dies_is_opened_again(config: Config) -> None:
    with running(config, sink=Collector(fails_at=10)) as (runner, _, sink):
        sink.await_picture(person, 12)
    assert runner.stats.snapshot()["counts"]["sink lost"] == 1


def test_a_sink_that_cannot_be_finished_is_told(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    class Full(Collector):
        def close(self) -> None:
            raise SinkLost("the disk is full", "it is in .a.mkv")

    with running(config, sink=Full()) as (_, _, sink):
        sink.await_picture(person)
    assert "the disk is full (it is in .a.mkv)" in caplog.text


@pytest.mark.parametrize("part", ["source", "sink"])
def test_what_no_part_should_raise_freezes_no_line(
    config: Config, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a driver, a damaged file or a browser's stream."""
    trouble = ValueError("sides of 10000")

    class Odd(Collector):
        def write(self, frame: Frame) -> None:
            if part == "sink" and len(self.frames) == 10:
                self.frames.append(frame)
                raise trouble
            super().write(frame)

    def room() -> Room:
        opened.append(Room(lambda n: trouble if part == "source" and n == 20 else None))
        return opened[-1]

    opened: list[Room] = []
    with running(config, room, Odd()) as (runner, _, sink):
        sink.await_picture(person, 60)
    assert runner.stats.snapshot()["counts"][f"{part} lost"] >= 1
    assert "sides of 10000" in caplog.text


def test_a_source_that_was_to_be_another_while_it_was_opened_is_left(config: Config) -> None:
    opened: list[Room] = []
    opening, go_on = threading.Event(), threading.Event()

    def slow() -> Room:
        opened.append(Room())
        if len(opened) == 2:
            opening.set()
            assert go_on.wait(20)
        return opened[-1]

    with running(config, slow) as (runner, _, sink):
        sink.await_picture(person)
        runner.renew_source()
        assert opening.wait(20)
        runner.renew_source()
        go_on.set()
        sink.await_picture(person, len(sink.frames) + 30)
        assert len(opened) == 3 and opened[1]._closed.is_set()
        assert not opened[2]._closed.is_set()


def test_stopping_waits_for_what_is_under_way(config: Config) -> None:
    """A process that ends while the network is compiled aborts, with a recording half finished."""
    begun, release = threading.Event(), threading.Event()

    def compiling(alpha: Alpha) -> Alpha:
        begun.set()
        assert release.wait(20)
        return alpha

    room = Room()
    with running(config, lambda: room) as (runner, session, _):
        session.trouble = compiling
        assert begun.wait(20)
        runner.end()
        with pytest.raises(EndOfStream):  # at once: no camera films on meanwhile
            room.read()
        threading.Timer(2.5, release.set).start()
        runner.stop()
        assert not any(thread.name in ("work", "deliver sink") for thread in threading.enumerate())


def test_a_source_that_cannot_be_opened_ends_start_and_closes_sinks(config: Config) -> None:
    def fail() -> Room:
        raise SourceUnavailable("no camera")

    stats, sink = Stats(), Collector()
    pipeline, _ = broken_line(config, stats)
    runner = Runner(fail, pipeline, [Outlet("sink", lambda: sink, FPS)], SIZE, stats)
    with pytest.raises(ScrimError, match="no camera"):
        runner.start()
    assert sink.closed


def slate(frame: Frame) -> bool:
    return np.array_equal(frame.i420, pixels.slate(SIZE).i420)


def test_a_hidden_line_shows_the_slate_alone(config: Config) -> None:
    with running(config) as (runner, _, sink):
        sink.await_picture(person)
        runner.hidden = True
        began = sink.await_picture(slate, len(sink.frames))
        sink.await_picture(slate, began + 20)
        assert all(slate(frame) for frame in sink.frames[began:])
        runner.hidden = False
        sink.await_picture(person, began)
    assert runner.error is None


def test_a_picture_that_is_being_written_is_not_the_last_one_of_a_line_that_rests(
    config: Config,
) -> None:
    class Slow(Collector):
        def write(self, frame: Frame) -> None:
            super().write(frame)
            if person(frame):
                writing.set()
                assert go_on.wait(20)

    writing, go_on = threading.Event(), threading.Event()
    with running(config, sink=Slow()) as (runner, _, sink):
        assert writing.wait(20)
        runner.rest(UNWATCHED)
        go_on.set()
        began = sink.await_picture(nobody, len(sink.frames))
        runner.hidden = True
        sink.await_picture(slate, began)
        assert not any(person(frame) for frame in sink.frames[began:])


def test_what_stands_in_is_as_large_as_the_cameras_pictures(config: Config) -> None:
    stats, sink = Stats(), Collector()
    pipeline, _ = broken_line(config, stats)
    runner = Runner(Room, pipeline, [Outlet("sink", lambda: sink, FPS)], (64, 64), stats)
    runner.start()
    began = sink.await_picture(person)
    runner.rest("a test")
    began = sink.await_picture(nobody, began)
    runner.hidden = True
    sink.await_picture(slate, began)
    runner.stop()
    assert {frame.size for frame in sink.frames[began:]} == {SIZE}


def test_a_line_can_start_hidden(config: Config) -> None:
    stats, sink = Stats(), Collector()
    pipeline, _ = broken_line(config, stats)
    runner = Runner(Room, pipeline, [Outlet("sink", lambda: sink, FPS)], SIZE, stats)
    runner.hidden = True
    runner.start()
    sink.await_picture(slate, 20)
    assert stats.snapshot()["state"] == "hidden"
    assert all(slate(frame) for frame in sink.frames)
    runner.hidden = False
    sink.await_picture(person)
    runner.stop()
    sink.assert_no_room()


def test_a_patient_line_waits_for_its_first_source_and_says_so_once(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    plugged_in, tries = threading.Event(), []

    def open_room() -> Room:
        tries.append("again")
        if not plugged_in.is_set():
            raise SourceUnavailable("no camera")
        return Room()

    stats, sink = Stats(), Collector()
    pipeline, _ = broken_line(config, stats)
    runner = Runner(open_room, pipeline, [Outlet("sink", lambda: sink, FPS)], SIZE, stats)
    runner.start(patient=True)
    sink.await_picture(lambda f: len(tries) > 2)
    assert runner.searching and stats.snapshot()["state"] == "waiting: no camera"
    assert all(nobody(frame) for frame in sink.frames)
    assert caplog.text.count("it is looked for") == 1
    plugged_in.set()
    sink.await_picture(person)
    assert not runner.searching
    runner.stop()
    sink.assert_no_room()


def test_where_nobody_watches_nothing_is_written(config: Config) -> None:
    stats, sink = Stats(), Collector()
    pipeline, _ = broken_line(config, stats)
    runner = Runner(Room, pipeline, [Outlet("sink", lambda: sink, FPS)], SIZE, stats)
    runner.rest(UNWATCHED)
    runner.start()
    sink.await_picture(nobody)
    time.sleep(10 / FPS)
    assert len(sink.frames) == 1, "a device is listed from its first picture on"
    runner.go_on(UNWATCHED)
    sink.await_picture(person)
    runner.stop()


def test_a_line_that_rests_says_so_whatever_its_threads_say_next(config: Config) -> None:
    class Resting(Slot[Frame]):
        def put(self, item: Frame) -> None:
            if not resting.is_set():
                runner.rest(UNWATCHED)
                time.sleep(10 / FPS)  # the source has been closed, and all have said so
                resting.set()

    resting = threading.Event()
    with running(config) as (runner, _, sink):
        sink.await_picture(person)
        runner.room = Resting()
        assert resting.wait(20)
        for _ in range(20):
            assert runner.stats.state == UNWATCHED
            time.sleep(1 / FPS)
        runner.go_on(UNWATCHED)
        sink.await_picture(person, len(sink.frames))
