"""The controls of a line: what is changed while it runs, and what a wrong change leaves alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.control import Control
from realtime.errors import ConfigError, ModelNotFound
from realtime.runner import Outlet, Runner
from realtime.sources.pattern import PatternSource
from realtime.stats import Stats
from tests.test_fail_closed import FPS, SIZE, Collector, person, share_of
from tests.toy import save_toy

Running = tuple[Control, Collector]


@pytest.fixture
def running(toy_ir: Path) -> Iterator[Running]:
    """A line of the pattern before blue, and its controls."""
    scene = {"backdrop": "#0000c8"}
    config = Config().with_values({"matting": {"model": str(toy_ir)}, "scene": scene})
    model, stats, sink = load_model(config.matting), Stats(), Collector()
    outlet = Outlet("sink", lambda: sink, FPS)
    pipeline = make_pipeline(config, model, stats)
    runner = Runner(lambda: PatternSource(SIZE, FPS, flat=True), pipeline, [outlet], SIZE, stats)
    runner.start()
    yield Control(config, model, stats, runner), sink
    runner.stop()
    assert runner.error is None
    sink.assert_no_room()


def yellow(sink: Collector) -> None:
    """Wait until the person stands before yellow."""
    sink.await_picture(lambda f: person(f) and share_of(f, (0, 200, 200)) > 0.4)


def test_a_change_takes_effect_without_losing_the_person(running: Running) -> None:
    control, sink = running
    began = sink.await_picture(person)
    control.change({"scene": {"backdrop": "#c8c800"}, "temporal": {"strength": 0.3}})
    yellow(sink)
    assert control.config.temporal.strength == 0.3
    assert all(person(frame) for frame in sink.frames[began:])


def test_the_network_is_changed_while_it_runs(running: Running, tmp_path: Path) -> None:
    control, sink = running
    began = sink.await_picture(person)
    other = save_toy(tmp_path / "other.xml")
    before = control.model
    control.change({"matting": {"model": str(other)}})
    sink.await_picture(person, len(sink.frames))
    assert control.model is not before
    assert all(person(frame) for frame in sink.frames[began:])


def test_what_cannot_be_built_changes_nothing(running: Running) -> None:
    control, sink = running
    config, model = control.config, control.model
    with pytest.raises(ConfigError):
        control.change({"scene": {"backdrop": "gone.png"}})
    with pytest.raises(ModelNotFound):
        control.change({"scene": {"backdrop": "#c8c800"}, "matting": {"model": "gone"}})
    with pytest.raises(ConfigError):
        control.change({"temporal": {"strength": 7}})
    assert (control.config, control.model) == (config, model)
    sink.await_picture(person, len(sink.frames))


def test_changes_at_the_same_time_are_all_kept(running: Running) -> None:
    control, _ = running
    changes = (
        {"scene": {"blur": 0.9}},
        {"refine": {"feather": 0.2}},
        {"temporal": {"strength": 0}},
    )
    threads = [threading.Thread(target=control.change, args=[change]) for change in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    config = control.config
    assert (config.scene.blur, config.refine.feather, config.temporal.strength) == (0.9, 0.2, 0)
