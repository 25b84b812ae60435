"""The controls of a line: what is changed while it runs, and what a wrong change leaves alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.control import Control
from realtime.delivery import Outlet
from realtime.errors import ConfigError, ModelNotFound
from realtime.frame import Alpha, Bytes, Frame
from realtime.runner import Runner
from realtime.sources.pattern import PatternSource
from realtime.stats import Stats
from tests.line import FPS, SIZE, Collector, Room, person, share_of
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


def test_without_a_camera_too_what_cannot_be_built_changes_nothing(config: Config) -> None:
    control = Control(config, load_model(config.matting), Stats(), None)
    for key in ("backdrop", "overlay"):
        with pytest.raises(ConfigError, match=r"gone\.png"):
            control.change({"scene": {key: "gone.png"}})
    assert control.config == config


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


class Stepping(Room):
    """A room that waits until its last picture has been shown: no load makes it drop one."""

    def __init__(self, sink: Collector) -> None:
        super().__init__()
        self._sink = sink

    def read(self) -> Frame:
        frame = super().read()
        if frame.number:
            self._sink.await_picture(lambda f: f.number == frame.number - 1 and f.captured_at > 0)
        return frame


def test_no_change_drops_a_frame_or_flashes(toy_ir: Path, tmp_path: Path) -> None:
    colours = {"#0000c8": (200, 0, 0), "#c8c800": (0, 200, 200), "#c800c8": (200, 0, 200)}
    config = Config().with_values(
        {"matting": {"model": str(toy_ir)}, "scene": {"backdrop": "#0000c8"}}
    )
    model, stats, sink = load_model(config.matting), Stats(), Collector()
    pipeline = make_pipeline(config, model, stats)
    outlet = Outlet("sink", lambda: sink, FPS)
    runner = Runner(lambda: Stepping(sink), pipeline, [outlet], SIZE, stats)
    runner.start()
    control = Control(config, model, stats, runner)
    began = sink.await_picture(person)
    changes = [{"scene": {"backdrop": name}} for name in colours]
    changes += [{"matting": {"model": str(save_toy(tmp_path / "other.xml"))}}, {"refine": {}}]
    for change in changes:
        control.change(change)
        sink.await_picture(person, len(sink.frames) + 5)
    runner.stop()
    assert runner.error is None
    shown = sink.frames[began:]
    numbers = [frame.number for frame in shown]
    assert sorted(set(numbers)) == list(range(numbers[0], numbers[-1] + 1))
    for frame in shown:
        assert person(frame)
        assert max(share_of(frame, bgr) for bgr in colours.values()) > 0.4
    sink.assert_no_room()


def test_a_change_of_the_scene_keeps_what_the_stream_remembers(running: Running) -> None:
    control, sink = running
    assert control.runner
    sink.await_picture(person)
    before = control.runner.pipeline
    control.change({"scene": {"backdrop": "#c8c800"}})
    assert control.runner.pipeline._smoother is before._smoother
    assert control.runner.pipeline._light is not before._light, "there is another light"
    relit, model = control.runner.pipeline._light, control.model
    control.change({"edges": {"wrap": 0.0}, "matting": {"every": 2}})
    assert control.runner.pipeline._light is relit and control.model is model
    control.change({"temporal": {"strength": 0.3}})
    assert control.runner.pipeline._smoother is not before._smoother
    assert control.runner.pipeline._light is relit, "which goes on, whatever mattes"


def test_what_is_remembered_is_taken_over_between_two_frames(running: Running) -> None:
    """In the midst of one there is no matte to go on from."""
    control, sink = running
    assert control.runner
    sink.await_picture(person)
    before = control.runner.pipeline
    session, inside, go_on = before._session, threading.Event(), threading.Event()
    infer = session.infer

    def slow(bgr: Bytes) -> Alpha:
        inside.set()
        assert go_on.wait(20)
        return infer(bgr)

    session.infer = slow  # type: ignore[method-assign]
    assert inside.wait(20)
    threading.Timer(0.3, go_on.set).start()
    resets: list[bool] = []
    assert before._smoother
    before._smoother.reset = lambda: resets.append(True)  # type: ignore[method-assign]
    control.change({"edges": {"wrap": 0.0}})
    assert go_on.is_set()
    sink.await_picture(person, len(sink.frames) + 10)
    assert not resets


def test_what_only_the_next_start_can_change_is_named_and_left(running: Running) -> None:
    control, sink = running
    camera = {"width": 640, "hidden": True}
    waiting = control.change({"camera": camera, "web": {"port": 1}, "scene": {"blur": 0.9}})
    assert waiting == ["camera.width", "camera.hidden", "web.port"]
    assert (control.config.camera.width, control.config.web.port) == (1280, 8080)
    assert control.config.scene.blur == 0.9
    sink.await_picture(person, len(sink.frames))


def test_another_camera_is_opened_in_the_place_of_the_first(toy_ir: Path) -> None:
    opened: list[Room] = []

    def open_room() -> Room:
        opened.append(Room())
        return opened[-1]

    config = Config().with_values({"matting": {"model": str(toy_ir)}, "scene": {"blur": 1.0}})
    model, stats, sink = load_model(config.matting), Stats(), Collector()
    pipeline = make_pipeline(config, model, stats)
    outlet = Outlet("sink", lambda: sink, FPS)
    runner = Runner(open_room, pipeline, [outlet], SIZE, stats)
    runner.start()
    sink.await_picture(person)
    control, asked = Control(config, model, stats, runner), []

    def renew() -> None:
        asked.append(control.config.camera.device)
        renew_source()

    renew_source, runner.renew_source = runner.renew_source, renew  # type: ignore[method-assign]
    control.change({"camera": {"device": "other"}})
    sink.await_picture(person, len(sink.frames) + 5)
    runner.stop()
    assert asked == ["other"], "whoever opens it at once reads which"
    assert len(opened) == 2 and opened[0]._closed.is_set()
    assert runner.error is None


def test_a_hidden_camera_is_closed_and_opened_again(toy_ir: Path) -> None:
    opened: list[Room] = []

    def open_room() -> Room:
        opened.append(Room())
        return opened[-1]

    config = Config().with_values({"matting": {"model": str(toy_ir)}})
    model, stats, sink = load_model(config.matting), Stats(), Collector()
    runner = Runner(
        open_room,
        make_pipeline(config, model, stats),
        [Outlet("s", lambda: sink, FPS)],
        SIZE,
        stats,
    )
    control = Control(config, model, stats, runner)
    control.hide(True)
    runner.start()
    sink.await_picture(lambda f: True, 5)
    assert not opened and control.hidden
    control.hide(False)
    sink.await_picture(person, len(sink.frames))
    control.hide(True)
    assert opened[0]._closed.is_set()
    runner.stop()
