"""Fail closed: whatever breaks, not one pixel of the room reaches a sink.

The room is pure red, the person pure green, the backdrop blue. Parts that break are wrapped
around the real ones; everything else is the real line with a real IR.
"""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from realtime import pixels
from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.delivery import Outlet
from realtime.errors import (
    ConfigError,
    ModelError,
    ScrimError,
    SinkLost,
    SourceLost,
    SourceUnavailable,
)
from realtime.frame import Alpha, Frame
from realtime.guard import MAX_FAILURES
from realtime.runner import Runner
from realtime.stats import Stats
from tests.line import (
    BLUE,
    FPS,
    SIZE,
    Collector,
    Room,
    broken_line,
    nobody,
    person,
    running,
    share_of,
)
from tests.toy import save_toy


@pytest.fixture
def config(toy_ir: Path) -> Config:
    return Config().with_values(
        {"matting": {"model": str(toy_ir)}, "scene": {"backdrop": "#0000c8"}}
    )


def test_the_line_shows_the_person_before_the_backdrop(config: Config) -> None:
    with running(config) as (runner, _, sink):
        at = sink.await_picture(person)
        assert share_of(sink.frames[at], BLUE) > 0.5
    assert sink.closed
    assert runner.error is None


def test_before_the_first_matte_there_is_the_backdrop_alone(config: Config) -> None:
    release = threading.Event()

    def open_late() -> Room:
        assert release.wait(20)
        return Room()

    sink = Collector()
    stats = Stats()
    pipeline, _ = broken_line(config, stats)
    runner = Runner(open_late, pipeline, [Outlet("sink", lambda: sink, FPS)], SIZE, stats)
    starter = threading.Thread(target=runner.start)
    starter.start()
    sink.await_picture(nobody)
    release.set()
    sink.await_picture(person)
    starter.join(5)
    runner.stop()
    sink.assert_no_room()


def raises(alpha: Alpha) -> Alpha:
    raise RuntimeError("inference failed")


def test_a_model_that_raises_shows_the_backdrop_alone_and_then_ends_the_line(
    config: Config,
) -> None:
    with running(config) as (runner, session, sink):
        seen = sink.await_picture(person)
        session.trouble = raises
        sink.await_picture(nobody, seen)
        assert runner.wait(20)
    assert isinstance(runner.error, ModelError)
    assert runner.stats.snapshot()["counts"]["frame errors"] == MAX_FAILURES


def test_a_model_that_gives_nan_shows_the_backdrop_alone(config: Config, tmp_path: Path) -> None:
    ir = save_toy(tmp_path / "nan.xml", bias=float("nan"))
    nan = config.with_values({"matting": {"model": str(ir)}})
    with running(nan) as (runner, _, sink):
        assert runner.wait(20)
    assert isinstance(runner.error, ModelError)
    assert all(nobody(frame) for frame in sink.frames)


def test_a_few_broken_frames_are_bridged_and_forgotten(config: Config) -> None:
    with running(config) as (runner, session, sink):
        seen = sink.await_picture(person)
        remaining = iter([raises] * 3)

        def sometimes(alpha: Alpha) -> Alpha:
            return next(remaining, lambda alpha: alpha)(alpha)

        session.trouble = sometimes
        sink.await_picture(lambda f: f.number > sink.frames[seen].number + 10, seen)
    assert runner.error is None
    assert all(person(frame) for frame in sink.frames[seen:])
    assert runner.stats.snapshot()["counts"]["frame errors"] == 3


def test_sudden_emptiness_is_held_and_then_believed(config: Config) -> None:
    with running(config) as (runner, session, sink):
        seen = sink.await_picture(person)
        session.trouble = np.zeros_like
        gone = sink.await_picture(nobody, seen)
        sink.await_picture(lambda f: f.number > sink.frames[gone].number + 40, gone)
    assert runner.error is None
    assert 0 < runner.stats.snapshot()["counts"]["frame errors"] < MAX_FAILURES


def test_a_model_that_hangs_leaves_the_backdrop_alone(config: Config) -> None:
    release = threading.Event()

    def hang(alpha: Alpha) -> Alpha:
        assert release.wait(20)
        return alpha

    with running(config) as (_, session, sink):
        seen = sink.await_picture(person)
        session.trouble = hang
        gone = sink.await_picture(nobody, seen)
        release.set()
        sink.await_picture(person, gone)


def test_a_source_that_dies_is_opened_again(config: Config) -> None:
    opened: list[Room] = []

    def open_room() -> Room:
        if len(opened) == 1:
            opened.append(Room())
            raise SourceUnavailable("still unplugged")
        opened.append(Room(lambda n: SourceLost("unplugged") if n == 20 else None))
        return opened[-1]

    with running(config, open_room) as (runner, _, sink):
        seen = sink.await_picture(person)
        gone = sink.await_picture(nobody, seen)
        sink.await_picture(person, gone)
    assert len(opened) >= 3
    stamps = [frame.captured_at for frame in sink.frames]
    steps = np.diff(stamps)
    assert steps.min() > -0.5 and steps.max() < 20, "a recording would jump"
    assert runner.stats.snapshot()["counts"]["source lost"] >= 1


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


def test_a_reload_never_shows_the_room(config: Config) -> None:
    model = load_model(config.matting)
    with running(config) as (runner, _, sink):
        sink.await_picture(person)
        for name, bgr in (("#00c8c8", (200, 200, 0)), ("#c8c8c8", (200, 200, 200))):
            changed = config.with_values({"scene": {"backdrop": name}})
            runner.swap(make_pipeline(changed, model, runner.stats))
            sink.await_picture(
                lambda f, bgr=bgr: share_of(f, bgr) > 0.4 and person(f), len(sink.frames)
            )
        with pytest.raises(ConfigError):
            broken = config.with_values({"scene": {"backdrop": "gone.png"}})
            runner.swap(make_pipeline(broken, model, runner.stats))
        sink.await_picture(person, len(sink.frames))
    assert all(person(frame) for frame in sink.frames[sink.await_picture(person) :])


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


def test_starting_and_stopping_at_once_shows_no_room(config: Config) -> None:
    sink = Collector()
    for _ in range(5):
        with running(config, sink=sink):
            sink.await_picture(lambda f: True, len(sink.frames))


def test_stopping_waits_for_what_is_under_way(config: Config) -> None:
    """A process that ends while the network is compiled aborts, with a recording half finished."""
    begun, release = threading.Event(), threading.Event()

    def compiling(alpha: Alpha) -> Alpha:
        begun.set()
        assert release.wait(20)
        return alpha

    with running(config) as (runner, session, _):
        session.trouble = compiling
        assert begun.wait(20)
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


def test_a_patient_line_waits_for_its_first_source(config: Config) -> None:
    plugged_in = threading.Event()

    def open_room() -> Room:
        if not plugged_in.is_set():
            raise SourceUnavailable("no camera")
        return Room()

    stats, sink = Stats(), Collector()
    pipeline, _ = broken_line(config, stats)
    runner = Runner(open_room, pipeline, [Outlet("sink", lambda: sink, FPS)], SIZE, stats)
    runner.start(patient=True)
    sink.await_picture(lambda f: True, 20)
    assert runner.searching and stats.snapshot()["state"] == "waiting: no camera"
    assert all(nobody(frame) for frame in sink.frames)
    plugged_in.set()
    sink.await_picture(person)
    assert not runner.searching
    runner.stop()
    sink.assert_no_room()


def test_a_matte_never_leaves_its_frame(config: Config) -> None:
    pipeline, _ = broken_line(config, Stats())
    room = Room()
    first, second = room.read(), room.read()
    with pytest.raises(ScrimError, match="does not belong"):
        pipeline.finish(second, pipeline.matte(first))
