"""Lines that share a machine compose in turns."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.runner import Outlet, Runner
from realtime.stats import Stats
from realtime.turns import Turns
from tests.line import FPS, SIZE, Collector, Room, person


@pytest.mark.parametrize("places", [1, 2])
def test_turns_are_taken_in_order_by_few_at_a_time(places: int) -> None:
    turns, came, inside, most = Turns(places), [], 0, 0
    lock = threading.Lock()

    def work(number: int) -> None:
        nonlocal inside, most
        with turns:
            with lock:
                came.append(number)
                inside += 1
                most = max(most, inside)
            time.sleep(0.01)
            with lock:
                inside -= 1

    for _ in range(places):
        turns.__enter__()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for waiting, thread in enumerate(threads):
        thread.start()
        while len(turns._waiting) <= waiting:
            time.sleep(0.001)
    assert not came
    for _ in range(places):
        turns.__exit__(None, None, None)
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
