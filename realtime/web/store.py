"""What the studio keeps between runs: presets, the last look, uploaded backdrops.

Each file is whole as soon as it has its name, so that a crash at any moment loses at most the
change that was under way. A file that cannot be read is put aside under another name, not lost.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from realtime.errors import ConfigError, StoreFull
from realtime.sinks.whole import unwritable, write_whole

log = logging.getLogger(__name__)

MAX_PRESETS = 100
MAX_UPLOADS = 200

Look = dict[str, Any]


class Store:
    """Files under `folder`; "" is the user's own place for state."""

    def __init__(self, folder: str = "") -> None:
        self._folder = Path(folder) if folder else user_state_path("scrim")
        self.uploads = self._folder / "backdrops"
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Make the folder. Raises `ConfigError` where that cannot be, or it cannot be used."""
        self._make(self._folder)
        if not os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
            raise ConfigError(f"cannot write into {self._folder}", "set web.folder")

    def presets(self) -> dict[str, Look]:
        """Return all presets by name, in the order in which they were first saved."""
        return self._shown("presets.json")

    def save_preset(self, name: str, look: Look) -> bool:
        """Keep a look under a name; say whether the name is new.

        Raises `ConfigError`, `SinkUnavailable`.
        """
        with self._lock:
            presets = self._read("presets.json")
            new = name not in presets
            if new and len(presets) >= MAX_PRESETS:
                raise StoreFull(f"there are {MAX_PRESETS} presets already", "delete one first")
            self._write("presets.json", {**presets, name: look})
            return new

    def delete_preset(self, name: str) -> bool:
        """Forget a preset; say whether there was one. Raises what `save_preset` does."""
        with self._lock:
            presets = self._read("presets.json")
            there = presets.pop(name, None) is not None
            if there:
                self._write("presets.json", presets)
            return there

    def last_look(self, file: Path | None = None) -> Look:
        """Return the look that was chosen last; {} if none, or if `file` was edited since."""
        path = self._folder / "look.json"
        if file and path.exists() and file.stat().st_mtime > path.stat().st_mtime:
            return {}
        return self._shown("look.json")

    def remember(self, look: Look) -> None:
        """Keep the look that was chosen last. Raises `ConfigError`, `SinkUnavailable`."""
        with self._lock:
            self._write("look.json", look)

    def save_upload(self, name: str, data: bytes) -> None:
        """Keep an uploaded backdrop. Raises `ConfigError`, `SinkUnavailable`."""
        with self._lock:
            self._make(self.uploads)
            kept = [name for name in os.listdir(self.uploads) if not name.startswith(".")]
            if len(kept) >= MAX_UPLOADS:
                raise StoreFull(f"there are {MAX_UPLOADS} uploads already", "delete one first")
            write_whole(self.uploads / name, data)

    def delete_upload(self, name: str) -> bool:
        """Delete an uploaded backdrop by the name of one; say whether there was one.

        Raises `SinkUnavailable` for one that cannot be deleted.
        """
        with self._lock:
            try:
                there = self.uploads.is_dir() and name in os.listdir(self.uploads)
                if there:
                    (self.uploads / name).unlink()
            except OSError as error:
                raise unwritable(self.uploads / name, error) from error
            return there

    def _shown(self, name: str) -> dict[str, Any]:
        """Return what a file holds; nothing where it cannot be read, which is logged."""
        try:
            with self._lock:  # reading puts a broken file aside, which may just be replaced
                return self._read(name)
        except ConfigError as error:
            log.error("%s", error)
            return {}

    def _read(self, name: str) -> dict[str, Any]:
        """Return what a file holds, which a change is added to. Raises `ConfigError`."""
        path = self._folder / name
        try:
            found = _parsed(path.read_bytes())
            if found is None:
                log.error("%s cannot be read; it is kept as %s.broken", path, name)
                path.replace(path.with_name(f"{name}.broken"))
            return found or {}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise ConfigError(f"cannot read {path}: {error.strerror}", "set web.folder") from error

    def _write(self, name: str, content: dict[str, Any]) -> None:
        self._make(self._folder)
        write_whole(self._folder / name, json.dumps(content, indent=1).encode())

    @staticmethod
    def _make(folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigError(
                f"cannot make {folder}: {error.strerror}", "set web.folder"
            ) from error


def _parsed(data: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
