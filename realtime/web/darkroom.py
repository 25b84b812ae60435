"""Where photographs are developed: one at a time, beside the live line and after it.

The line for a look is kept until another look is ordered: a folder of photographs builds one.
"""

from __future__ import annotations

import asyncio
from typing import Any

from realtime.control import Control
from realtime.photo import Order, develop
from realtime.pipeline import Pipeline
from realtime.still import before_nothing, still_pipeline

Tables = dict[str, dict[str, Any]]


class Darkroom:
    """Develops photographs with the settings of `control`, changed as each order says."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._turn = asyncio.Lock()
        self._line: tuple[object, Pipeline] | None = None

    async def develop(self, picture: bytes, order: Order, tables: Tables) -> bytes:
        """Return the photograph. Raises `BadPicture`, `ConfigError`, `ModelError`."""
        async with self._turn:
            return await asyncio.to_thread(self._develop, picture, order, tables)

    def _develop(self, picture: bytes, order: Order, tables: Tables) -> bytes:
        wanted = self._control.config.with_values(tables), order.clear
        if self._line is None or self._line[0] != wanted:
            config, model = self._control.prepare(tables)
            self._line = (
                wanted,
                still_pipeline(before_nothing(config) if order.clear else config, model),
            )
        return develop(picture, order, self._line[1])
