"""Fail closed: whatever breaks, not one pixel of the room reaches a sink.

The room is pure red, the person pure green, the backdrop blue. Parts that break are wrapped
around the real ones; everything else is the real line with a real IR.
"""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.delivery import Outlet
from realtime.errors import (
    ConfigError,
    ModelError,
    ScrimError,
    SourceLost,
    SourceUnavailable,
)
from realtime.frame import Alpha
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
    assert runner.stats.snapshot()["counts"]["frame errors"] >= MAX_FAILURES


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


def test_starting_and_stopping_at_once_shows_no_room(config: Config) -> None:
    sink = Collector()
    for _ in range(5):
        with running(config, sink=sink):
            sink.await_picture(lambda f: True, len(sink.frames))


def test_a_matte_never_leaves_its_frame(config: Config) -> None:
    pipeline, _ = broken_line(config, Stats())
    room = Room()
    first, second = room.read(), room.read()
    with pytest.raises(ScrimError, match="does not belong"):
        pipeline.finish(second, pipeline.matte(first))
