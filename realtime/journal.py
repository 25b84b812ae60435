"""What the program tells: lines for people, or one JSON object a line for machines. Floor 4."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal

from realtime.stats import Snapshot

LogFormat = Literal["text", "json"]

STATUS_S = 60.0
"""Seconds between two figures in a log; a terminal has a line that is always up to date."""


class Journal:
    """Where the program speaks: standard error, at this level of `logging` and above.

    Also makes `logging` speak the same way. On a terminal the last line is the status, and what
    is told replaces it.
    """

    def __init__(self, form: LogFormat, level: int) -> None:
        self._json = form == "json"
        self._level = level
        self._in_place = not self._json and sys.stderr.isatty()
        self._status_at = time.monotonic()
        handler = logging.StreamHandler()
        if self._json:
            handler.setFormatter(JsonLines())  # type: ignore[arg-type]  # has all that is called
        line = f"%(message)-{self._width()}s"
        logging.basicConfig(level=level, format=line, handlers=[handler], force=True)

    def print(self, text: str) -> None:
        """Tell something that whoever started the program wants to know."""
        self._write(json.dumps(entry("info", text)) if self._json else text)

    def status(self, now: Snapshot) -> None:
        """Show the figures: in place on a terminal, once in `STATUS_S` in a log."""
        if self._in_place:
            self._write(status_line(now)[: self._width()], end="\r")
        elif self._level <= logging.INFO and time.monotonic() - self._status_at >= STATUS_S:
            self._status_at = time.monotonic()
            line = json.dumps({**entry("info", "status"), **now})
            self._write(line if self._json else status_line(now))

    def _write(self, line: str, end: str = "\n") -> None:
        """Write, or be silent where the disk is full or the terminal closed: the line goes on."""
        with suppress(OSError):
            print(line.ljust(self._width()), end=end, file=sys.stderr, flush=True)

    def _width(self) -> int:
        """Return the columns that a line has to fill to replace the status, 0 without one."""
        with suppress(OSError):
            if self._in_place:
                return (os.get_terminal_size(sys.stderr.fileno()).columns or 80) - 1
        return 0


def status_line(now: Snapshot) -> str:
    """Return the state, the age of what is shown, what was lost and every step's time."""
    parts = [
        now["state"],
        f"({now['eased']})" if now["eased"] else "",
        f"{now['fps']:.0f} fps",
        f"age {now['age_ms']['p50']:.0f} ms",
        *(f"{name} {n}" for name, n in now["counts"].items() if n),
        *(f"{name} {ms:.1f}" for name, ms in now["steps_ms"].items()),
    ]
    return "  ".join(filter(None, parts))


class JsonLines:
    """Formats a record of `logging` as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        found = entry(record.levelname.lower(), record.getMessage(), record.created)
        found["from"] = record.name
        if record.exc_info and record.exc_info[1]:
            found["error"] = repr(record.exc_info[1])
        return json.dumps(found)


def entry(level: str, message: str, at: float | None = None) -> dict[str, Any]:
    """Return what every line has: when (RFC 3339, UTC), how bad, what."""
    moment = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
    return {"time": moment.isoformat(timespec="milliseconds"), "level": level, "message": message}
