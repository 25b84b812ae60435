"""The configuration file, followed while it is edited. Floor 5.

What somebody set by hand meanwhile stays: only keys whose value on disk has changed take effect.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from watchfiles import awatch

from realtime.config import Config
from realtime.control import Control
from realtime.errors import ScrimError

log = logging.getLogger(__name__)

STEP_MS = 500
"""How often the watcher stirs; its own choice costs ten times as much while nothing happens."""

LOOK_AGAIN_S = 5
"""Seconds after which the file is looked at without a call: a folder may have come back."""


class Reload:
    """Reads the configuration again with `load`, which gave `loaded` at the start.

    `notice` is told what came of it, in one line.
    """

    def __init__(
        self,
        control: Control,
        load: Callable[[], Config],
        loaded: Config,
        notice: Callable[[str], None],
    ) -> None:
        self._control = control
        self._load = load
        self._loaded = loaded
        self._notice = notice
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Bring in what has changed on disk; what is not valid is reported and changes nothing."""
        with self._lock:  # or what was read first might be applied last
            self._apply()

    def _apply(self) -> None:
        try:
            loaded = self._load()
            changes = loaded.changes_since(self._loaded)
            waiting = self._control.change(changes)
        except ScrimError as error:
            self._notice(f"the configuration stays as it was: {error}")
            return
        self._loaded = loaded
        keys = [f"{table}.{key}" for table in changes for key in changes[table]]
        now = ", ".join(key for key in keys if key not in waiting)
        self._notice(f"configuration read again: {now or 'nothing has changed'}")
        if waiting:
            self._notice(f"{', '.join(waiting)}: from the next start on")
        if "matting" in changes and self._control.model.fallback:
            self._notice(self._control.model.fallback)


async def follow(path: Path, changed: Callable[[], None]) -> None:
    """Call `changed`, off the loop, whenever what the path leads to is another text than before.

    The folders are watched, not the file: editors replace it, and a link may lead elsewhere.
    """
    seen = _read(path)
    async for _ in _stirs(path):
        text = _read(path)
        if text is not None and text != seen:
            seen = text
            await asyncio.to_thread(changed)


async def _stirs(path: Path) -> AsyncIterator[None]:
    """Say for ever when something may have changed."""
    told = ""
    while True:
        folders = {path.absolute().parent, path.resolve().parent}
        try:
            async for _ in awatch(
                *(folder for folder in folders if folder.is_dir()),
                step=STEP_MS,
                recursive=False,
                yield_on_timeout=True,
                rust_timeout=LOOK_AGAIN_S * 1000,
            ):
                yield
                if {path.absolute().parent, path.resolve().parent} != folders:
                    break
        except (OSError, RuntimeError) as error:  # no more may be watched, or a folder has gone
            if str(error) != told:
                told = str(error)
                log.warning("%s is looked at every %s s only: %s", path, LOOK_AGAIN_S, error)
            await asyncio.sleep(LOOK_AGAIN_S)
            yield


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:  # between two lives of it
        return None
