"""Up to three sizes of one picture, and which of them a viewer's link can carry.

The receiver's own estimate (REMB, draft-alvestrand-rmcat-remb) rules. It never grows far beyond
what is sent, so a better rung can only be tried, the more rarely the longer tries fail. Near a
limit that it once met the estimate hardly grows for half a minute, so while a try lasts its report
(RFC 3550, section 6.4) rules instead: lost packets, or a longer way.
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime.contract import Size

MAX_RUNGS, MIN_SIDE = 3, 90

FULL_RATE, FULL_PIXELS = 2_500_000, 1280 * 720
"""Bits a second of the picture that all others are measured by."""

CONGESTED = 0.75
"""Share of what is sent below which an estimate means that the link is full; an estimator's usual
trembling stays above 0.85."""

SETTLE_S = 1.0
"""After a change of rung the estimate still speaks of the old one."""

FIRST_TRY_S, LAST_TRY_S, PATIENCE = 1.0, 8.0, 0.1
"""Least and longest pause before a better rung is tried; between them it is this share of the time
for which the link has been narrow: one that soon becomes wide is soon found."""

LOST, LATER_S = 0.1, 0.1
"""Share of packets, and seconds more of round trip, that end a try; so does an estimate that falls
below `STEADY` of what it was."""

STEADY = 0.97


@dataclass(frozen=True)
class Report:
    """What a receiver says: bits a second, share of packets lost, seconds of a round trip."""

    estimate: float
    lost: float = 0.0
    round_trip_s: float = 0.0


@dataclass(frozen=True)
class Rung:
    """A size, even in width and height, and its rate in bits a second."""

    size: Size
    rate: int


def rungs(size: Size) -> list[Rung]:
    """Return a picture's own size, its half and its quarter, as far as they make a picture."""
    found = []
    for step in range(MAX_RUNGS):
        width, height = (side // 2**step // 2 * 2 for side in size)
        if step == 0 or min(width, height) >= MIN_SIDE:
            found.append(Rung((width, height), _rate(width * height)))
    return found


def _rate(pixels: int) -> int:
    """Fewer pixels need more bits each: a quarter of the pixels takes a third of the rate."""
    share: float = (pixels / FULL_PIXELS) ** 0.8
    return round(FULL_RATE * share)


class Climber:
    """One viewer's place on the ladder, 0 being the full size."""

    def __init__(self) -> None:
        self.rung = 0
        self._moved_at = 0.0
        self._narrow_since = 0.0
        self._climbed_at: float | None = None
        self._before: Report | None = None

    def judge(self, report: Report, sent: float, ladder: list[Rung], now: float) -> int:
        """Return the rung for a link with this report over which `sent` bits a second are going.

        Down at once and as far as needed; up one at a time.
        """
        self.rung = min(self.rung, len(ladder) - 1)
        if now - self._moved_at < SETTLE_S or sent <= 0:
            return self.rung
        full = report.estimate < CONGESTED * sent
        if not full:
            self._before = None
        tries = self._before is not None
        if full and (not tries or self._fails(report)):
            self._fall(report.estimate, sent / ladder[self.rung].rate, ladder, now)
        elif self.rung > 0 and (tries or report.estimate >= sent) and self._has_rested(now):
            self.climb(now)
            self._before = self._before or report
        return self.rung

    def climb(self, now: float) -> None:
        """Try the next better rung."""
        self._climbed_at = now
        self._move(self.rung - 1, now)

    def _fails(self, report: Report) -> bool:
        before = self._before or report
        later_s = report.round_trip_s - before.round_trip_s
        falls = report.estimate < STEADY * before.estimate
        return falls or report.lost > LOST or later_s > LATER_S

    def fail(self, now: float) -> None:
        """Take a climb back: the rung was not worth going to."""
        self._climbed_at = None
        self._move(self.rung + 1, now)

    def _has_rested(self, now: float) -> bool:
        """Say whether the pause before the next try is over: none where the last one holds."""
        if self._climbed_at is not None:
            return True
        pause_s = min(PATIENCE * (now - self._narrow_since), LAST_TRY_S)
        return now - self._moved_at >= max(pause_s, FIRST_TRY_S)

    def _fall(self, estimate: float, busyness: float, ladder: list[Rung], now: float) -> None:
        if self._climbed_at is None or now - self._climbed_at > LAST_TRY_S:
            self._narrow_since = now
        self._climbed_at = self._before = None
        below = range(self.rung + 1, len(ladder))
        fitting = [rung for rung in below if busyness * ladder[rung].rate <= estimate]
        self._move(fitting[0] if fitting else len(ladder) - 1, now)

    def _move(self, rung: int, now: float) -> None:
        if rung != self.rung:
            self.rung, self._moved_at = rung, now
