"""The local line's load: looked at once a second, and met by giving up quality. Floor 5."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from realtime.control import Control
from realtime.errors import ScrimError
from realtime.governor import GOVERN_S, Governor, Step
from realtime.runner import Runner

log = logging.getLogger(__name__)


async def govern(control: Control, line: Runner) -> None:
    """Give up quality for the frame rate where there is too much to do, and take it back."""
    governor, failed = Governor(), ""
    before, at_s = control.stats.snapshot(), time.monotonic()
    while True:
        await asyncio.sleep(GOVERN_S)
        now, now_s = control.stats.snapshot(), time.monotonic()
        dropped = now["counts"].get("drops", 0) - before["counts"].get("drops", 0)
        composed = now["frames"] - before["frames"]
        came = dropped + composed * line.thinning.every
        rate = came / (now_s - at_s)
        before, at_s = now, now_s
        if not came:  # it rests
            continue
        steps = control.steps() if control.config.governor.enabled else []
        work_s = control.stats.picture_s(max(1, composed))
        share = busy(work_s * rate, steps[: governor.level])
        level = governor.tick(now_s, dropped / came, share, len(steps))
        try:
            await asyncio.to_thread(control.ease, level)
        except ScrimError as error:  # the backdrop's file is gone, say
            if str(error) != failed:
                log.error("what is eased stays as it is: %s", error)
            failed = str(error)


def busy(load: float, taken: Sequence[Step]) -> float:
    """Return what `Governor.tick` is told of a line's time at work.

    `load` is the share of the time that all frames would take, at what one takes now. Where the
    line keeps up it counts as with one step less, which is what may fit in again, but never as too
    much: else two frames of three were never enough for what takes longer than one.
    """
    before, every = ([1.0, 1.0] + [step.every for step in taken])[-2:]
    return load / before if load > every else min(1.0, load / before)
