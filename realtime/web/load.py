"""The load of all browsers' lines: what they give up, all the same, while too few pictures come.

Each governed by itself, one gave up what its neighbours then took: half of them went on whole.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from realtime.errors import ScrimError
from realtime.governor import GOVERN_S, Governor

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """Pictures of one line that came lately, those of them that were not too late, and the share of
    one thread that it would take with one step less given up, at what a picture takes now."""

    came: int
    done: float
    busy: float


class Line(Protocol):
    """What can be given up for the load of all; `most` steps there are."""

    @property
    def most(self) -> int: ...
    def lately(self) -> Report: ...
    def ease(self, level: int) -> None: ...


class Load:
    """Shares out the work of `places` threads."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._governor = Governor()

    def share(self, lines: Collection[Line], now: float) -> None:
        """Let all lines give up the same, or take it back. Call it once a second: it counts.

        Keep it out of the event loop: it builds.
        """
        told = [each for each in (line.lately() for line in lines) if each.came and each.done]
        if not told:  # they rest, or hang
            return
        late = 1 - sum(each.done for each in told) / sum(each.came for each in told)
        busy = max(*(each.busy for each in told), sum(each.busy for each in told) / self._places)
        # With others at work a step takes longer than its share: only late pictures are too many.
        level = self._governor.tick(
            now, max(0.0, late), min(1.0, busy), max(line.most for line in lines)
        )
        for line in lines:
            try:
                line.ease(level)
            except ScrimError as error:
                log.warning("a browser's line stays as it is: %s", error)

    async def govern(self, lines: Callable[[], Collection[Line]]) -> None:
        """Share it out until cancelled."""
        while True:
            await asyncio.sleep(GOVERN_S)
            if here := lines():
                try:
                    await asyncio.to_thread(self.share, here, time.monotonic())
                except Exception:  # nobody awaits this: without it all lines would stay as they are
                    log.exception("the load is not shared out this time")
