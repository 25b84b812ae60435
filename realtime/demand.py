"""The camera on demand: open only while somebody watches. Floor 5."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from realtime.errors import SinkLost
from realtime.rests import UNWATCHED
from realtime.runner import Runner

if TYPE_CHECKING:
    from realtime.sinks.viewers import Viewers

ASK_S = 0.4
"""How often the web is asked for its viewers; those of a device announce themselves."""


class Demand:
    """Says whether the camera is wanted: while somebody watches and `linger_s` longer."""

    def __init__(self, linger_s: float) -> None:
        self._linger_s = linger_s
        self._watched_at = float("-inf")

    def wanted(self, viewers: int, now: float) -> bool:
        """Take the number of viewers at a time, in seconds of a clock that never jumps back."""
        if viewers:
            self._watched_at = now
        return viewers > 0 or now - self._watched_at < self._linger_s


async def serve_demand(
    line: Runner, devices: list[str], others: Callable[[], int], linger_s: float
) -> None:
    """Let a line rest while nobody watches, until cancelled.

    `devices` are the paths of virtual cameras, `others` counts who watches by other ways.
    """
    demand, stirred = Demand(linger_s), asyncio.Event()
    watched = [DeviceViewers(device, stirred.set) for device in devices]
    try:
        while True:
            viewers = others() + sum(device.count() for device in watched)
            if demand.wanted(viewers, time.monotonic()):
                line.go_on(UNWATCHED)
            else:
                line.rest(UNWATCHED)
            stirred.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(stirred.wait(), ASK_S)
    finally:
        for device in watched:
            device.close()


class DeviceViewers:
    """Viewers of a virtual camera that may come and go; `stir` is called when one stirs."""

    def __init__(self, device: str, stir: Callable[[], None]) -> None:
        self._device = device
        self._stir = stir
        self._viewers: Viewers | None = None

    def count(self) -> int:
        """Return how many watch; nobody watches a device that is not there."""
        try:
            if self._viewers is None:
                from realtime.sinks.viewers import Viewers  # Linux only

                self._viewers = Viewers(self._device)
                asyncio.get_running_loop().add_reader(self._viewers.fileno(), self._stir)
            return self._viewers.count()
        except SinkLost:
            self.close()
            return 0

    def close(self) -> None:
        """Stop watching."""
        if self._viewers:
            asyncio.get_running_loop().remove_reader(self._viewers.fileno())
            self._viewers.close()
            self._viewers = None
