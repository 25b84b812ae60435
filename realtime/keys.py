"""The preview's hot keys. Floor 5."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from realtime.build import backdrop_files
from realtime.control import Control
from realtime.errors import ConfigError, ScrimError
from realtime.sinks.preview import CLOSED, PreviewSink

HELP = "keys: p privacy, b next backdrop, [ ] less or more blur, m mirror, r reload, q quit"

STEP = 0.1
"""Of the blur, a key press."""


class Keys:
    """What each key of the preview does; `reload` and `stop` are what two of them call."""

    def __init__(
        self, control: Control, reload: Callable[[], None], stop: Callable[[], None]
    ) -> None:
        self._control = control
        self._rows: dict[str, Callable[[], object]] = {
            "p": lambda: control.hide(not control.hidden),
            "b": self._next_backdrop,
            "[": lambda: self._blur(-STEP),
            "]": lambda: self._blur(STEP),
            "m": self._mirror,
            "r": reload,
            "q": stop,
            "\x1b": stop,
            CLOSED: stop,
        }

    def press(self, key: str) -> None:
        """Do what a key stands for; others do nothing. Raises `ScrimError`."""
        if key in self._rows:
            self._rows[key]()

    def _next_backdrop(self) -> None:
        scene = self._control.config.scene
        known = ["blur", *map(str, backdrop_files(Path(scene.folder)).values())]
        at = known.index(scene.backdrop) if scene.backdrop in known else -1
        for backdrop in (*known[at + 1 :], *known[: at + 1]):
            with suppress(ConfigError):  # one that cannot be read is passed over
                self._control.change({"scene": {"backdrop": backdrop}})
                return

    def _blur(self, by: float) -> None:
        blur = round(self._control.config.scene.blur + by, 2)
        self._control.change({"scene": {"blur": min(1.0, max(0.0, blur))}})

    def _mirror(self) -> None:
        self._control.change({"camera": {"mirror": not self._control.config.camera.mirror}})


async def keep_window(
    window: PreviewSink, keys: Keys, fps: float, notice: Callable[[str], None]
) -> None:
    """Keep the window up to date and take its keys, until cancelled. Call it in the main thread."""
    try:
        while True:
            if key := window.show():
                try:
                    await asyncio.to_thread(keys.press, key)
                except ScrimError as error:
                    notice(str(error))
            await asyncio.sleep(1 / fps)
    finally:
        window.end()
