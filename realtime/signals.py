"""What the system's signals do to a running line. Floor 5."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable

from realtime.control import Control
from realtime.runner import Runner

HEARD = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
"""What a line may be told while it runs; not every system has them all."""


def finish(line: Runner) -> None:
    """Stop a line. No second signal cuts off what is being finished, such as a recording."""
    numbers = [getattr(signal, name) for name in HEARD if hasattr(signal, name)]
    heard = {number: signal.getsignal(number) for number in numbers}
    try:
        for number in heard:
            signal.signal(number, signal.SIG_IGN)
        line.stop()
    finally:
        for number, handler in heard.items():
            signal.signal(number, handler)


def hear_signals(
    loop: asyncio.AbstractEventLoop,
    control: Control,
    reload: Callable[[], None],
    stop: Callable[[], None],
) -> None:
    """Take signals where the system has them; elsewhere Ctrl-C raises by itself.

    SIGHUP reads the file again, but whose terminal is closed does not film on unseen.
    """
    terminal = sys.stderr.isatty()

    def hang_up() -> None:
        if terminal and not sys.stderr.isatty():
            stop()
        else:
            loop.run_in_executor(None, reload)

    rows: dict[str, Callable[[], object]] = {
        "SIGINT": stop,
        "SIGTERM": stop,
        "SIGHUP": hang_up,
        "SIGUSR1": lambda: control.hide(not control.hidden),
    }
    if os.name == "posix":
        for name, row in rows.items():
            loop.add_signal_handler(getattr(signal, name), row)
