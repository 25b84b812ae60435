"""Lines that share a machine compose in turns."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from realtime import turns as turns_of
from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.delivery import Outlet
from realtime.frame import Alpha
from realtime.runner import Runner
from realtime.stats import Stats
from realtime.turns import Turns, processors
from tests.line import FPS, SIZE, Broken, Collector, Room, broken_line, nobody, person


@pytest.mark.parametrize("places", [1, 2])
def test_turns_are_taken_in_order_by_few_at_a_time(
    places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns_of, "LONGEST_S", 60.0)
    turns, opened, came, inside, most = Turns(places), threading.Event(), [], 0, 0
    lock = threading.Lock()

    def work(number: int) -> None:
        nonlocal inside, most
        with turns:
            with lock:
                came.append(number)
                inside += 1
                most = max(most, inside)
            opened.wait()
            time.sleep(0.01)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for number, thread in enumerate(threads):
        thread.start()
        while len(came) + len(turns._waiting) <= number:
            time.sleep(0.001)
    assert sorted(came) == list(range(places))
    opened.set()
    for thread in threads:
        thread.join()
    assert most == places
    assert sorted(came) == list(range(6)) and (places > 1 or came == list(range(6)))
    with pytest.raises(ValueError), turns:
        raise ValueError
    with turns:
        pass


def test_a_line_composes_the_newest_frame_when_its_turn_comes(toy_ir: Path) -> None:
    config = Config().with_values({"matting": {"model": str(toy_ir)}})
    turns, stats, sink, given = Turns(1), Stats(), Collector(), []

    class Counted(Room):
        def read(self):  # type: ignore[no-untyped-def]
            frame = super().read()
            given.append(frame.number)
            return frame

    pipeline = make_pipeline(config, load_model(config.matting), stats)
    outlet = Outlet("sink", lambda: sink, FPS)
    runner = Runner(Counted, pipeline, [outlet], SIZE, stats, turns)
    with turns:
        runner.start()
        while len(given) < 10:
            time.sleep(0.01)
        assert not stats.snapshot()["frames"]
    first = sink.frames[sink.await_picture(person)]
    runner.stop()
    assert first.number >= 9


def test_a_network_that_hangs_holds_up_no_other_line(toy_ir: Path) -> None:
    tables = {"matting": {"model": str(toy_ir)}, "scene": {"backdrop": "#0000c8"}}
    turns, hangs, woken = Turns(1), threading.Event(), threading.Event()
    lines, sinks = [], []

    def hang(alpha: Alpha) -> Alpha:
        hangs.set()
        woken.wait()
        return alpha

    def begin() -> Broken:
        stats, sink = Stats(), Collector()
        pipeline, session = broken_line(Config().with_values(tables), stats)
        lines.append(
            Runner(Room, pipeline, [Outlet("sink", lambda: sink, FPS)], SIZE, stats, turns)
        )
        sinks.append(sink)
        lines[-1].start()
        sink.await_picture(person)
        return session

    def composed() -> int:
        return int(lines[1].stats.snapshot()["frames"])

    hung, _ = begin(), begin()
    hung.trouble = hang
    assert hangs.wait(20)
    before, until = composed(), time.monotonic() + 20
    while composed() < before + 10:
        assert time.monotonic() < until, "the other line waits for ever"
        time.sleep(0.01)
    sinks[0].await_picture(nobody, len(sinks[0].frames))
    woken.set()
    sinks[0].await_picture(person, len(sinks[0].frames))
    for line, sink in zip(lines, sinks, strict=True):
        line.stop()
        sink.assert_no_room()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_a_processor_that_is_not_ours_does_not_count() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert processors() == 1
    finally:
        os.sched_setaffinity(0, allowed)
