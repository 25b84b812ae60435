"""The programs that `benchmarks.stream` runs, and what it asks them: servers and Chromium."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psutil

from benchmarks.stream_ages import Seen
from benchmarks.stream_spaces import (
    HERE,
    HOST,
    PORT,
    THERE,
    URL,
    Failed,
    Program,
    ask,
    running,
)


class Server:
    """One of the servers at work."""

    def __init__(self, program: Program) -> None:
        self._process = psutil.Process(program.process.pid)

    def load(self, seconds: float) -> dict[str, float]:
        """Return the cores that it keeps busy, and the pictures a second that it composes.

        The cores say something only where the pictures keep their rate. Raises `Failed`.
        """
        frames = composed("state")
        began, before = time.monotonic(), self._cpu_s()
        time.sleep(seconds)
        cores = (self._cpu_s() - before) / (time.monotonic() - began)
        more = composed("state") - frames  # which may be told late, but both times as late
        return {"cores": cores, "fps": more / (time.monotonic() - began)}

    def memory(self) -> int:
        """Return the bytes that it holds."""
        return int(self._process.memory_info().rss)

    def _cpu_s(self) -> float:
        try:
            return sum(self._process.cpu_times()[:2])
        except psutil.Error as error:
            raise Failed("the server has ended") from error


@contextmanager
def server(kind: str, cameras: int = 0, publish_to: str = "") -> Iterator[Server]:
    """Run one of the servers."""
    words = ("--cameras", str(cameras), "--publish-to", publish_to)
    address = ("--host", HOST, "--port", str(PORT))
    with running(HERE, "benchmarks.stream_server", kind, *address, *words) as program:
        time.sleep(1)
        yield Server(program)


@contextmanager
def looking(
    camera: bool, seconds: float, parts: int = 1, warm_s: float = 0.0
) -> Iterator[Iterator[Seen]]:
    """Let Chromium look; it tells part by part what it has seen since it was warm."""
    flags = ("--camera",) if camera else ()
    words = ("--seconds", str(seconds / parts), "--parts", str(parts), "--warm", str(warm_s))
    with running(THERE, "benchmarks.stream_browser", URL, *words, *flags) as browser:
        yield (json.loads(browser.line()) for _ in range(parts))


def look(camera: bool, seconds: float) -> Seen:
    with looking(camera, seconds) as seen:
        return next(seen)


def composed(line: str) -> int:
    return int(ask(f"/api/v1/{line}")["figures"]["frames"])


Sent = list[tuple[float, int]]
"""Of each viewer or camera: the moment, in seconds, and the pictures that it has been sent."""


def sent_so_far(guests: Iterable[Program]) -> Sent:
    """Ask programs of `stream_viewers`."""
    told = [json.loads(program.tell("")) for program in guests]
    return [(moment, count) for moment, *counts in told for count in counts]


def rates(before: Sent, after: Sent) -> list[float]:
    """Return the pictures a second that each was sent."""
    pairs = zip(before, after, strict=True)
    return [(count - begun) / (ended - began) for (began, begun), (ended, count) in pairs]


def taken() -> int:
    return int(ask("/api/v1/state")["peers"]["taken"])
