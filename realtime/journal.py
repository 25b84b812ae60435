"""What the program tells: lines for people, or one JSON object a line for machines. Floor 4."""

from __future__ import annotations

import json
import logging
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal

from rich.console import Console

from realtime.stats import Snapshot

LogFormat = Literal["text", "json"]

STATUS_S = 60.0
"""Seconds between two figures in a log; a terminal has a line that is always up to date."""


class Journal:
    """Where the program speaks: standard error, at this level of `logging` and above.

    Also makes `logging` speak the same way.
    """

    def __init__(self, form: LogFormat, level: int) -> None:
        self._json = form == "json"
        self._level = level
        self._console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self._status_at = time.monotonic()
        handler = logging.StreamHandler()
        if self._json:
            handler.setFormatter(JsonLines())  # type: ignore[arg-type]  # has all that is called
        logging.basicConfig(level=level, format="%(message)s", handlers=[handler], force=True)

    def print(self, text: str) -> None:
        """Tell something that whoever started the program wants to know."""
        self._write(json.dumps(entry("info", text)) if self._json else text)

    def status(self, now: Snapshot) -> None:
        """Show the figures: in place on a terminal, once in `STATUS_S` in a log."""
        if not self._json and self._console.is_terminal:
            room = self._console.width - 1
            self._write(f"\r{status_line(now)}"[:room].ljust(room), end="")
        elif self._level <= logging.INFO and time.monotonic() - self._status_at >= STATUS_S:
            self._status_at = time.monotonic()
            line = json.dumps({**entry("info", "status"), **now})
            self._write(line if self._json else status_line(now))

    def _write(self, line: str, end: str = "\n") -> None:
        """Write, or be silent where the disk is full or the terminal closed: the line goes on."""
        with suppress(OSError):
            if self._json:
                print(line, file=sys.stderr, flush=True)
            else:
                self._console.print(line, end=end)


def status_line(now: Snapshot) -> str:
    """Return the state, every step's time, the age of what is shown and what was lost."""
    steps = "  ".join(f"{name} {ms:.1f}" for name, ms in now["steps_ms"].items())
    counts = "  ".join(f"{name} {n}" for name, n in now["counts"].items() if n)
    eased = f"  ({now['eased']})" if now["eased"] else ""
    age = now["age_ms"]["p50"]
    return f"{now['state']}{eased}  {now['fps']:.0f} fps  age {age:.0f} ms  {steps}  {counts}"


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
