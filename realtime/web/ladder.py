"""Up to three sizes of one picture, and which of them a viewer's link can carry.

The receiver's own estimate (REMB, draft-alvestrand-rmcat-remb) rules. It never grows far beyond
what is sent, so a better rung can only be tried: a try that fails doubles the pause before the
next one.
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

FIRST_TRY_S, LAST_TRY_S = 2.0, 8.0
"""Pause before a better rung is tried; doubles while tries fail. After one that held it is the
first again."""


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
        self._climbed_at: float | None = None
        self._pause_s = FIRST_TRY_S

    def judge(self, estimate: float, sent: float, ladder: list[Rung], now: float) -> int:
        """Return the rung for a link of `estimate` bits a second over which `sent` are going.

        Down at once and as far as needed; up one at a time.
        """
        self.rung = min(self.rung, len(ladder) - 1)
        if now - self._moved_at < SETTLE_S or sent <= 0:
            return self.rung
        if estimate < CONGESTED * sent:
            self._fall(estimate, sent / ladder[self.rung].rate, ladder, now)
        elif self.rung > 0 and estimate >= sent and now - self._moved_at >= self._rest_s():
            self._move(self.rung - 1, now)
            self._climbed_at = now
        return self.rung

    def _rest_s(self) -> float:
        """Return the pause before the next try: short where the last one holds."""
        return self._pause_s if self._climbed_at is None else FIRST_TRY_S

    def _fall(self, estimate: float, busyness: float, ladder: list[Rung], now: float) -> None:
        if self._climbed_at is not None and now - self._climbed_at <= LAST_TRY_S:
            self._pause_s = min(2 * self._pause_s, LAST_TRY_S)
        else:
            self._pause_s = FIRST_TRY_S
        self._climbed_at = None
        below = range(self.rung + 1, len(ladder))
        fitting = [rung for rung in below if busyness * ladder[rung].rate <= estimate]
        self._move(fitting[0] if fitting else len(ladder) - 1, now)

    def _move(self, rung: int, now: float) -> None:
        if rung != self.rung:
            self.rung, self._moved_at = rung, now
