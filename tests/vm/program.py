"""`scrim run` in the guest, and what its pictures show."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import realtime.live  # noqa: F401  # what a fork would have to import again
from realtime.__main__ import main
from realtime.ctl import send, socket_path
from realtime.errors import ControlUnavailable

FORK = multiprocessing.get_context("fork")

PATIENCE_S = 400.0

GREEN = (0, 200, 0)

PAINTS = {"#0000c8": (200, 0, 0), "#c86400": (0, 100, 200)}

RED, MAGENTA, YELLOW = (0, 0, 191), (191, 0, 191), (0, 191, 191)
"""Bars of vivid's that no picture of ours may show."""


def wait_until(holds: Callable[[], bool], what: object = "") -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, what() if callable(what) else what
        time.sleep(0.1)


def share_of(bgr: Any, colour: tuple[int, int, int]) -> float:
    near = cv2.inRange(bgr, np.array(colour) - 60, np.array(colour) + 60)
    return cv2.countNonZero(near) / near.size


def assert_no_room(bgr: Any) -> None:
    for colour in (RED, MAGENTA, YELLOW):
        assert share_of(bgr, colour) < 0.01, f"the room: {colour}"


class Program:
    """`scrim run`, in a process of its own; it is forked, because importing takes half a minute.

    `paint` is its backdrop.
    """

    paints = cycle(PAINTS)

    def __init__(self, folder: Path, *words: str) -> None:
        self.paint = next(self.paints)
        words = (*words, f"--set=scene.backdrop={self.paint}")
        self._log = folder / "log"
        self._environment = {"XDG_RUNTIME_DIR": str(folder)}
        self.process = FORK.Process(target=self._run, args=words)
        self.process.start()

    def _run(self, *words: str) -> None:
        os.environ.update(self._environment)
        output = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        sys.argv = ["scrim", "run", "--no-web", *words]
        main()

    def ctl(self, *words: str) -> dict[str, Any]:
        try:
            return send(socket_path(self._environment), [*words])
        except ControlUnavailable:
            return {}

    def repaint(self) -> None:
        """Go on with the other backdrop: what was composed before can be told from now on."""
        self.paint = next(paint for paint in PAINTS if paint != self.paint)
        wait_until(lambda: bool(self.ctl(f"scene.backdrop={self.paint}")), self.log)

    def person(self, bgr: Any) -> bool:
        return share_of(bgr, GREEN) > 0.05 and share_of(bgr, PAINTS[self.paint]) > 0.3

    def nobody(self, bgr: Any) -> bool:
        return share_of(bgr, PAINTS[self.paint]) > 0.95

    def state(self) -> str:
        return str(self.ctl().get("figures", {}).get("state", "not there yet"))

    def wait_for(self, state: str) -> None:
        wait_until(lambda: state in self.state(), self.log)

    def log(self) -> str:
        return f"{self.state()}: {self._log.read_text()}"

    def end(self, how: int = signal.SIGKILL) -> int | None:
        if self.process.pid and self.process.is_alive():
            os.kill(self.process.pid, how)
        self.process.join(PATIENCE_S)
        return self.process.exitcode
