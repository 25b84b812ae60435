"""Adapting to load: what is given up, step by step, to keep the frame rate asked for. Floor 4.

First the refinement of edges, then the size of what the network sees, then how often it looks,
then one frame of three, in the end every second one. Each is taken back when there is room again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realtime.config import Config
from realtime.matting.engine import MattingModel

Changes = dict[str, dict[str, object]]

SMALLER = 0.75
"""Share of the network's sides in its smaller size: half of its work."""

SELDOM = 4
"""Frames for one look of the network when it is to look less."""

GOVERN_S = 1.0
"""Seconds between two looks at the load."""

LATE, ROOM = 0.1, 0.7
"""Share of frames that came and were not composed from which on it is too much, as it is when the
work takes longer than the time between two frames; below the second share one step less may fit
in."""

BAD_S, GOOD_S, LONGEST_S = 2.0, 10.0, 160.0
"""Seconds of too much before a step; of room before one is taken back, which doubles up to the
longest each time that turns out to have been a mistake."""


@dataclass(frozen=True)
class Step:
    """Something that can be given up: changes of the configuration, or frames."""

    name: str
    changes: Changes
    every: float = 1


def steps(config: Config, model: MattingModel) -> list[Step]:
    """Return the steps that give up something that this configuration and network have."""
    plain: Changes = {"refine": {"method": "off"}, "edges": {"despill": 0.0, "wrap": 0.0}}
    found = []
    if config.with_values(plain) != config:
        found.append(Step("no refinement", plain))
    if model.resizable and config.matting.scale > SMALLER:
        found.append(Step("smaller network", {"matting": {"scale": SMALLER}}))
    if config.matting.every < SELDOM:
        found.append(Step("fewer looks", {"matting": {"every": SELDOM}}))
    return [*found, Step("two frames of three", {}, 1.5), Step("every second frame", {}, 2)]


def eased(config: Config, taken: Sequence[Step]) -> Config:
    """Return a configuration after these steps."""
    for step in taken:
        config = config.with_values(step.changes)
    return config


class Governor:
    """Decides how many steps are taken, from what a line reports once a second or so.

    Between a step taken back and the next mistake lie `GOOD_S` at least, so that no more than one
    pair of changes to and fro falls into ten seconds.
    """

    def __init__(self) -> None:
        self.level = 0
        self._pause_s = GOOD_S
        self._raised_at = float("-inf")
        self._bad_since: float | None = None
        self._good_since: float | None = None

    def tick(self, now: float, late: float, busy: float, most: int) -> int:
        """Take the share of frames that came too late and the share of time at work, since the
        last call; return the steps to take, of `most` there are."""
        self.level = min(self.level, most)
        bad, good = late > LATE or busy > 1, late <= LATE / 2 and busy < ROOM
        self._bad_since = (now if self._bad_since is None else self._bad_since) if bad else None
        self._good_since = (now if self._good_since is None else self._good_since) if good else None
        if self._bad_since is not None and now - self._bad_since >= BAD_S and self.level < most:
            self._give_up(now)
        elif (
            self._good_since is not None and now - self._good_since >= self._pause_s and self.level
        ):
            self._take_back(now)
        return self.level

    def _give_up(self, now: float) -> None:
        mistaken = now - self._raised_at < self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_S) if mistaken else GOOD_S
        self.level += 1
        self._bad_since = self._good_since = None

    def _take_back(self, now: float) -> None:
        self.level -= 1
        self._raised_at = now
        self._bad_since = self._good_since = None
