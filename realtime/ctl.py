"""Orders to a running Scrim over a Unix socket: `scrim ctl`. Floor 5.

One line of JSON each way, a list of words there and what has come of them, or an error, back. The
socket lies in a folder that is the user's alone, which is all the permission that is asked for.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_state_path

from realtime.errors import ConfigError, ControlUnavailable, ScrimError
from realtime.layers import read_sets

if TYPE_CHECKING:  # whoever gives an order does without the rest of the house
    from realtime.web.studio import Studio

WORDS = "table.key=value, preset=NAME, save=NAME, privacy, privacy=on, privacy=off, reload or stop"

PRESET, SAVE = "preset=", "save="

SECRETS = {"web": {"token", "ice_servers"}, "publish": {"token"}}
"""Keys that no answer carries."""

FILES = ("scene.backdrop", "scene.overlay", "matting.model")
FOLDERS = ("scene.backdrop", "scene.folder")
NO_PATHS = ("blur", "green", "default")
"""Keys whose value may be a file, and a folder; what is neither, whatever lies in this folder."""

MAX_ORDER = 64 * 1024
TIMEOUT_S = 10.0
"""Bytes of an order; seconds for it to come, and for its answer: a network may be compiled."""


def socket_path(environment: Mapping[str, str]) -> Path:
    """Return where the socket of this user's Scrim lies."""
    runtime = environment.get("XDG_RUNTIME_DIR")
    folder = Path(runtime, "scrim") if runtime else user_state_path("scrim")
    return folder / "ctl.sock"


class Orders:
    """Carries out orders on a studio's line; `reload` and `stop` are what these two words call."""

    def __init__(
        self, studio: Studio, reload: Callable[[], None], stop: Callable[[], None]
    ) -> None:
        self._studio = studio
        self._control = studio.control
        self._reload = reload
        self._stop = stop

    def carry_out(self, words: list[str]) -> dict[str, Any]:
        """Carry out words and return the part of the state that they are about, or have changed;
        without words all of it. Raises `ConfigError`, `ModelError` before anything is done.

        Keys change together, over those of a preset; all other words come after them, and only
        a look that cannot be saved is refused then, with `ConfigError` or `SinkUnavailable`.
        """
        presets = [word.removeprefix(PRESET) for word in words if word.startswith(PRESET)]
        keys = read_sets(word for word in words if _is_key(word))
        rest = [word for word in words if not _is_key(word) and not word.startswith(PRESET)]
        orders = [self._order(word) for word in rest]
        changes = _merged(*map(self._studio.preset, presets), keys)
        before = self._control.config
        waiting = self._control.change(changes)
        told: dict[str, Any] = {"read at the start only": waiting} if waiting else {}
        for order in orders:
            told |= order() or {}
        if touched := _merged(changes, self._control.config.changes_since(before)):
            told["config"] = self._config({table: set(keys) for table, keys in touched.items()})
        if "matting" in touched and self._control.model.fallback:
            told["notice"] = self._control.model.fallback
        return told if words else self._state()

    def _state(self) -> dict[str, Any]:
        control = self._control
        return {
            **self._hidden(),
            **self._presets(),
            "figures": control.stats.snapshot(),
            "config": self._config(None),
        }

    def _hidden(self) -> dict[str, Any]:
        return {"hidden": self._control.hidden}

    def _presets(self) -> dict[str, Any]:
        return {"presets": [*self._studio.store.presets()]}

    def _config(self, keys: dict[str, set[str]] | None) -> dict[str, Any]:
        return self._control.config.model_dump(include=keys, exclude=SECRETS)

    def _order(self, word: str) -> Callable[[], dict[str, Any] | None]:
        if word.startswith(SAVE):
            return lambda: self._save(word.removeprefix(SAVE))
        orders: dict[str, Callable[[], dict[str, Any] | None]] = {
            "privacy": lambda: self._hide(not self._control.hidden),
            "privacy=on": lambda: self._hide(True),
            "privacy=off": lambda: self._hide(False),
            "reload": self._reload,
            "stop": self._stop,
        }
        if word not in orders:
            raise ConfigError(f"{word!r} is no order", f"known: {WORDS}")
        if word.startswith("privacy") and not self._control.runner:
            raise ConfigError("there is no camera here to turn off", "browsers send their own")
        return orders[word]

    def _hide(self, hidden: bool) -> dict[str, Any]:
        self._control.hide(hidden)
        return self._hidden()

    def _save(self, name: str) -> dict[str, Any]:
        self._studio.save_preset(name, self._studio.shown(self._control.config))
        return self._presets()


def _is_key(word: str) -> bool:
    return "." in word.partition("=")[0]


def _merged(*layers: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Put tables over tables, the last one on top."""
    found: dict[str, dict[str, Any]] = {}
    for layer in layers:
        for table, values in layer.items():
            found[table] = found.get(table, {}) | values
    return found


@asynccontextmanager
async def listening(
    path: Path, orders: Orders, notice: Callable[[str], None]
) -> AsyncIterator[None]:
    """Take orders as long as the context lasts; another Scrim that does already keeps the place.

    Where no socket can be made Scrim runs without orders, and `notice` is told.
    """
    if _answers(path):
        notice("another Scrim is running: `scrim ctl` speaks to that one")
        yield
        return
    busy: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(_serve(orders, reader, writer))
        busy.add(task)
        task.add_done_callback(busy.discard)

    try:
        server = await _listen(path, serve)
    except OSError as error:
        notice(f"`scrim ctl` cannot reach this Scrim: {path}: {error.strerror or error}")
        yield
        return
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)
        if busy:  # whoever ordered the end gets an answer too
            await asyncio.wait(busy, timeout=1.0)


async def _listen(path: Path, serve: Callable[..., None]) -> asyncio.Server:
    _expect_sockets()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(serve, path, limit=MAX_ORDER)
    path.chmod(0o600)
    return server


async def _serve(
    orders: Orders, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            words = json.loads(await reader.readline())
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ConfigError("an order is a list of words", WORDS)
        answer = await asyncio.to_thread(orders.carry_out, words)
    except ScrimError as error:
        answer = {"error": error.message, "hint": error.hint}
    except (ValueError, TimeoutError):
        answer = {"error": "this is no order", "hint": WORDS}
    with suppress(OSError):
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()
        writer.close()


def send(path: Path, words: list[str]) -> dict[str, Any]:
    """Give orders to the running Scrim and return its answer; files are named from here.

    Raises `ControlUnavailable` where none runs or answers, `ConfigError` where it refuses.
    """
    try:
        with _connect(path, TIMEOUT_S) as line:
            line.sendall(json.dumps([_from_here(word) for word in words]).encode() + b"\n")
            with line.makefile("rb") as reader:
                answer: dict[str, Any] = json.loads(reader.readline())
    except TimeoutError as error:
        raise ControlUnavailable(
            f"Scrim has not answered within {TIMEOUT_S:g} s", "`scrim ctl` shows what came of it"
        ) from error
    except (OSError, ValueError) as error:
        raise ControlUnavailable("no Scrim is running here", "scrim run") from error
    if "error" in answer:
        raise ConfigError(answer["error"], answer["hint"])
    return answer


def _from_here(word: str) -> str:
    """Name a file or folder by its whole path: the running Scrim may stand in another folder."""
    key, _, value = word.partition("=")
    here = (key in FILES and os.path.isfile(value)) or (key in FOLDERS and os.path.isdir(value))
    return f"{key}={os.path.abspath(value)}" if here and value not in NO_PATHS else word


def _answers(path: Path) -> bool:
    try:
        _connect(path, 1.0).close()
    except OSError:
        return False
    return True


def _expect_sockets() -> None:
    if not hasattr(socket, "AF_UNIX"):
        raise OSError("this system has no Unix sockets")


def _connect(path: Path, timeout_s: float) -> socket.socket:
    _expect_sockets()
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(timeout_s)
    try:
        line.connect(os.fspath(path))
    except OSError:
        line.close()
        raise
    return line
