"""Two network namespaces joined by a veth pair, and programs of ours in each: Linux, as root.

ICE works between them as it does between machines, and the link can be narrowed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from benchmarks.stream_server import TOKEN

HERE, THERE = "scrim-server", "scrim-clients"
LINKS = {HERE: "scrim0", THERE: "scrim1"}
HOST, GUEST, PORT = "10.77.0.1", "10.77.0.2", 8080
URL = f"http://{HOST}:{PORT}"

FETCH = """
import sys, urllib.request as http
asked = http.Request(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]})
print(http.urlopen(asked, timeout=10).read().decode())
"""


class Failed(Exception):
    """A program did not do what a leg needs."""


class Program:
    """A running `python -m arguments...`; `first` is its first line, said when it is ready."""

    def __init__(self, process: subprocess.Popen[str], errors: IO[str]) -> None:
        self.process = process
        self._errors = errors
        self.first = self.line()

    def line(self) -> str:
        """Return the next line that it prints. Raises `Failed` when it ends instead."""
        assert self.process.stdout
        said = self.process.stdout.readline()
        if not said:
            self._errors.seek(0)
            raise Failed(" ".join(self._errors.read().split()[-40:]) or "it has ended")
        return said.strip()

    def tell(self, words: str) -> str:
        """Give it a line and return its answer."""
        assert self.process.stdin
        self.process.stdin.write(f"{words}\n")
        self.process.stdin.flush()
        return self.line()


@contextmanager
def running(space: str, *arguments: str) -> Iterator[Program]:
    """Run `python -m arguments...` in a namespace to the end of the block.

    Then it is killed, without a goodbye, and what it started with it.
    """
    command = ["ip", "netns", "exec", space, sys.executable, "-m", *arguments]
    pipe = subprocess.PIPE
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        try:
            yield Program(process, errors)
        finally:
            with suppress(ProcessLookupError):  # it has died of itself
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@contextmanager
def namespaces() -> Iterator[None]:
    """Make both, joined; take them away at the end."""
    _remove()  # of a run that was killed
    for space in (HERE, THERE):
        _ip("netns", "add", space)
    try:
        ends = ("link", "add", LINKS[HERE], "netns", HERE, "type", "veth")
        _ip(*ends, "peer", LINKS[THERE], "netns", THERE)
        for (space, name), address in zip(LINKS.items(), (HOST, GUEST), strict=True):
            _ip("-n", space, "addr", "add", f"{address}/24", "dev", name)
            _ip("-n", space, "link", "set", name, "up")
            _ip("-n", space, "link", "set", "lo", "up")
        yield
    finally:
        _remove()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _remove() -> None:
    for space in (HERE, THERE):
        subprocess.run(["ip", "netns", "del", space], check=False, stderr=subprocess.DEVNULL)


@contextmanager
def narrowed(rate: str, space: str = HERE) -> Iterator[None]:
    """Let a side send no more than this to the other, by a token bucket."""
    limit = ("root", "tbf", "rate", rate, "burst", "16kb", "latency", "300ms")
    tc = ["ip", "netns", "exec", space, "tc", "qdisc"]
    subprocess.run([*tc, "replace", "dev", LINKS[space], *limit], check=True)
    try:
        yield
    finally:
        subprocess.run([*tc, "del", "dev", LINKS[space], "root"], check=True)


def ask(path: str) -> dict[str, Any]:
    """Ask the server from its own namespace."""
    command = ["ip", "netns", "exec", HERE, sys.executable, "-c", FETCH, URL + path, TOKEN]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{path}: {done.stderr.strip().splitlines()[-1]}")
    return dict(json.loads(done.stdout))
