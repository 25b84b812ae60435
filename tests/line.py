"""A line that can break: a person before a red room, a session with trouble, a sink that keeps all.

The room is pure red, the person pure green, the backdrop blue.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import numpy as np

from realtime import pixels
from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.contract import Size
from realtime.delivery import Outlet
from realtime.errors import EndOfStream, SinkLost
from realtime.frame import Alpha, Bytes, Frame
from realtime.pipeline import Pipeline, Session
from realtime.runner import Runner
from realtime.stats import Stats

SIZE = (128, 72)


FPS = 60.0


RED, GREEN, BLUE = (0, 0, 200), (0, 200, 0), (200, 0, 0)


def share_of(frame: Frame, bgr: tuple[int, int, int]) -> float:
    """Share of pixels that look like this colour."""
    distance = np.abs(pixels.to_bgr(frame).astype(int) - bgr).max(axis=2)
    return float((distance < 50).mean())


class Room:
    """A source: the person stands left or, in turn, right; `breaks` says when it is lost."""

    fps = FPS

    def __init__(self, breaks: Callable[[int], Exception | None] = lambda n: None) -> None:
        self._numbers = count()
        self._breaks = breaks
        self._closed = threading.Event()

    def read(self) -> Frame:
        number = next(self._numbers)
        if self._closed.wait(1 / FPS):
            raise EndOfStream
        if error := self._breaks(number):
            raise error
        picture = np.full((SIZE[1], SIZE[0], 3), RED, np.uint8)
        left = 16 if number // 20 % 2 else 64
        picture[16:, left : left + 48] = GREEN
        return pixels.from_bgr(picture, number, time.monotonic())

    def close(self) -> None:
        self._closed.set()


class Collector:
    """A sink that keeps what it is given and can wait for a picture of some kind."""

    def __init__(self, fails_at: int = -1) -> None:
        self.frames: list[Frame] = []
        self.closed = False
        self._fails_at = fails_at
        self._condition = threading.Condition()

    def write(self, frame: Frame) -> None:
        with self._condition:
            if len(self.frames) == self._fails_at:
                self._fails_at = -1
                raise SinkLost("the device is gone")
            self.frames.append(frame)
            self._condition.notify_all()

    def close(self) -> None:
        self.closed = True

    def await_picture(self, wanted: Callable[[Frame], bool], after: int = 0) -> int:
        """Wait until a picture fits and return its index."""
        with self._condition:
            for index in count(after):
                came = self._condition.wait_for(lambda at=index: len(self.frames) > at, 20)
                assert came, f"no such picture among {len(self.frames)}"
                if wanted(self.frames[index]):
                    return index
        raise AssertionError

    def assert_no_room(self) -> None:
        assert self.frames
        for index, frame in enumerate(self.frames):
            assert share_of(frame, RED) == 0, f"the room is in picture {index}"


def person(frame: Frame) -> bool:
    return share_of(frame, GREEN) > 0.1


def nobody(frame: Frame) -> bool:
    return share_of(frame, GREEN) < 0.01


class Broken:
    """A session whose inference can be broken while it runs."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.trouble: Callable[[Alpha], Alpha] | None = None

    def size_for(self, width: int, height: int) -> Size:
        return self._session.size_for(width, height)

    def infer(self, bgr: Bytes) -> Alpha:
        alpha = self._session.infer(bgr)
        return self.trouble(alpha) if self.trouble else alpha

    def reset(self) -> None:
        self._session.reset()


def broken_line(config: Config, stats: Stats) -> tuple[Pipeline, Broken]:
    pipeline = make_pipeline(config, load_model(config.matting), stats)
    session = Broken(pipeline._session)
    pipeline._session = session
    return pipeline, session


@contextmanager
def running(
    config: Config, room: Callable[[], Room] = Room, sink: Collector | None = None
) -> Iterator[tuple[Runner, Broken, Collector]]:
    stats = Stats()
    pipeline, session = broken_line(config, stats)
    sink = sink or Collector()
    runner = Runner(room, pipeline, [Outlet("sink", lambda: sink, FPS)], SIZE, stats)
    runner.start()
    try:
        yield runner, session, sink
    finally:
        runner.stop()
    sink.assert_no_room()
