"""Adapting to load: decisions on a clock of their own, and the real line under them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime import easing, governor
from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.control import Control
from realtime.delivery import Outlet
from realtime.easing import busy
from realtime.frame import Frame
from realtime.governor import GOOD_S, Governor, Step, eased, steps
from realtime.runner import Runner
from realtime.stats import Stats
from tests.line import FPS, SIZE, Collector, Room, person

MOST = 4


def levels(load: Callable[[float, int], tuple[float, float]], seconds: int) -> list[int]:
    """Ask once a second; `load` gives late and busy for a time and the level at work."""
    governor = Governor()
    found = [0]
    for second in range(seconds):
        found.append(governor.tick(float(second), *load(second, found[-1]), MOST))
    return found


def reversals(found: list[int]) -> list[int]:
    """Seconds at which a change goes the other way than the one before."""
    changes = [(at, now - then) for at, (then, now) in enumerate(pairwise(found))]
    moves = [(at, by) for at, by in changes if by]
    return [at for (at, by), (_, before) in zip(moves[1:], moves, strict=False) if by * before < 0]


def test_a_line_that_keeps_up_gives_nothing_up() -> None:
    assert set(levels(lambda second, level: (0.0, 0.9), 300)) == {0}


def test_one_bad_second_is_no_reason() -> None:
    assert set(levels(lambda second, level: (0.5 if second % 5 == 0 else 0.0, 0.5), 300)) == {0}


def test_load_is_met_step_by_step_and_room_is_taken_back() -> None:
    found = levels(lambda second, level: (0.5, 1.5) if second < 30 else (0.0, 0.3), 120)
    assert max(found) == MOST and found[-1] == 0
    assert all(abs(now - then) <= 1 for then, now in pairwise(found))
    assert found[:4] == [0, 0, 0, 1]


def test_only_as_much_is_given_up_as_helps() -> None:
    found = levels(lambda second, level: (0.3, 1.2) if level < 2 else (0.0, 0.8), 200)
    assert found[-1] == 2 == max(found)


@pytest.mark.parametrize("edge", [1, 2, 3, 4])
def test_a_load_at_the_edge_is_tried_more_and_more_seldom(edge: int) -> None:
    """Too much below the edge, and so little above it that a step back seems to fit."""
    found = levels(lambda second, level: (0.3, 1.1) if level < edge else (0.0, 0.5), 1200)
    turns = reversals(found)
    assert set(found[20:]) == {edge - 1, edge}
    pairs = [later - first for first, later in zip(turns, turns[2:], strict=False)]
    assert min(pairs) >= GOOD_S
    assert pairs[-1] > 100


def test_a_load_that_flickers_never_makes_it_swing_more_than_once_in_ten_seconds() -> None:
    for period in range(2, 40):
        found = levels(
            lambda second, level, period=period: (
                (0.5, 1.5) if second % period < period / 2 else (0.0, 0.1)
            ),
            600,
        )
        turns = reversals(found)
        pairs = [later - first for first, later in zip(turns, turns[2:], strict=False)]
        assert not pairs or min(pairs) >= GOOD_S, period


def test_two_frames_of_three_are_enough_where_they_fit() -> None:
    taken = [Step("plain", {}), Step("two of three", {}, 1.5), Step("every second", {}, 2)]
    for load, enough in ((0.9, 0), (1.2, 2), (1.8, 3)):
        found = levels(lambda second, level, load=load: (0.0, busy(load, taken[:level])), 300)
        assert set(found[20:]) == {enough}


def test_what_is_not_there_is_not_given_up(toy_ir: Path) -> None:
    model = load_model(Config().with_values({"matting": {"model": str(toy_ir)}}).matting)
    plain = Config().with_values(
        {
            "matting": {"every": 4},
            "refine": {"method": "off"},
            "edges": {"despill": 0.0, "wrap": 0.0},
        }
    )
    assert [step.name for step in steps(plain, model)] == [
        *("two frames of three", "every second frame")
    ]
    shipped = load_model(Config().matting)
    everything = steps(Config(), shipped)
    assert [step.name for step in everything] == [
        *("no refinement", "smaller network", "fewer looks"),
        *("two frames of three", "every second frame"),
    ]
    assert eased(Config(), everything[:2]).matting.scale == 0.75


def test_a_smaller_network_sees_less_and_mattes_all() -> None:
    model = load_model(Config().matting)
    for scale in (1.0, 0.75, 0.5):
        config = Config().with_values({"matting": {"scale": scale}})
        sink, stats = Collector(), Stats()
        pipeline = make_pipeline(config, model, stats)
        frame = Room().read()
        assert pipeline.step(frame).size == frame.size
        assert pipeline._session.size_for(1280, 720)[0] == round(256 * scale)
        assert not sink.frames


def test_what_pictures_took_before_a_step_says_nothing_about_those_after_it() -> None:
    stats = Stats()
    for matte, edges, pictures in ((40, 20, 30), (10, 5, 8)):
        for _ in range(pictures):
            stats._record("matte", matte)
            stats._record("edges", edges)
    assert stats.picture_s(8) == pytest.approx(0.015)
    assert stats.picture_s(38) == pytest.approx(0.060)
    assert Stats().picture_s(8) == 0


def share(pictures: list[Frame]) -> float:
    """Return which share of the frames was composed; one more may be made good."""
    numbers = {picture.number for picture in pictures if picture.number}
    return (len(numbers) - 2) / (max(numbers) - min(numbers))


def test_each_step_works_and_is_told(toy_ir: Path) -> None:
    config = Config().with_values(
        {"matting": {"model": str(toy_ir)}, "scene": {"backdrop": "#0000c8"}}
    )
    model, stats, sink = load_model(config.matting), Stats(), Collector()
    outlet = Outlet("sink", lambda: sink, FPS)
    runner = Runner(Room, make_pipeline(config, model, stats), [outlet], SIZE, stats)
    runner.start()
    control = Control(config, model, stats, runner)
    began = sink.await_picture(person)
    names = [""] + [step.name for step in control.steps()]
    for level in (1, 2, 3, 4, 3, 2, 1, 0):
        control.ease(level)
        assert stats.snapshot()["eased"] == names[level]
        sink.await_picture(person, len(sink.frames) + 5)
    control.ease(3)
    at = len(sink.frames)
    sink.await_picture(person, at + 10)
    assert share(sink.frames[at + 3 :]) <= 1 / 1.5
    control.ease(4)
    at = len(sink.frames)
    control.change({"scene": {"backdrop": "#00c8c8"}})
    sink.await_picture(person, at + 5)
    runner.stop()
    assert runner.error is None and control.config.refine.method == "guided"
    assert all(person(frame) for frame in sink.frames[began:])
    assert share(sink.frames[at + 3 :]) <= 1 / 2
    sink.assert_no_room()


def test_a_backdrop_whose_file_is_gone_ends_nothing(
    toy_ir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What is eased is built anew, and a stick with pictures may have been pulled out."""
    picture = tmp_path / "a.png"
    cv2.imwrite(str(picture), np.full((72, 128, 3), (200, 0, 0), np.uint8))
    scene = {"backdrop": str(picture)}
    config = Config().with_values({"matting": {"model": str(toy_ir)}, "scene": scene})
    model, stats, sink = load_model(config.matting), Stats(), Collector()
    outlet = Outlet("sink", lambda: sink, FPS)
    runner = Runner(Room, make_pipeline(config, model, stats), [outlet], SIZE, stats)
    control = Control(config, model, stats, runner)
    monkeypatch.setattr(easing, "GOVERN_S", 0.05)
    monkeypatch.setattr(easing, "busy", lambda *load: 2.0)
    monkeypatch.setattr(governor, "BAD_S", 0.0)

    async def until(holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                await asyncio.sleep(0.05)

    async def run() -> None:
        aside = picture.rename(tmp_path / "b.png")
        governing = asyncio.create_task(easing.govern(control, runner))
        await until(lambda: "a.png: no such file" in caplog.text)
        aside.rename(picture)
        await until(lambda: stats.eased == "every second frame")
        control.change({"governor": {"enabled": False}})
        await until(lambda: stats.eased == "" and not governing.done())
        governing.cancel()

    runner.start()
    try:
        sink.await_picture(person)
        asyncio.run(run())
    finally:
        runner.stop()
    assert caplog.text.count("a.png: no such file") == 1
