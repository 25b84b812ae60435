"""What a browser has seen of a stream, as figures. Nothing here measures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median, quantiles

from benchmarks.stream_spaces import Failed

Seen = list[list[float]]
"""Of presented pictures: the moment and the age in ms, the width, how many there have been."""

MISREAD_MS = 60_000
"""An age beyond this is a block that was read wrongly; how many were is told."""


def ages(seen: Seen, without_ms: float = 2000) -> dict[str, float]:
    """Return figures of presented pictures, the first moments left out. Raises `Failed`."""
    kept = [row for row in seen if row[0] - seen[0][0] >= without_ms]
    read = [row[1] for row in kept if 0 <= row[1] < MISREAD_MS]
    if len(read) < 10:
        raise Failed(f"{len(read)} pictures came")
    cuts, span = quantiles(read, n=20), (kept[-1][0] - kept[0][0]) / 1000
    figures = {"p50": cuts[9], "p95": cuts[18], "fps": (kept[-1][3] - kept[0][3]) / span}
    return {**figures, "width": kept[-1][2], "misread": len(kept) - len(read)}


def growth(parts: Sequence[float]) -> float:
    """Return how much the last third of a stream's parts is above its first, by their medians.

    One part against one tells of the host: the age of three seconds moved by 20 ms to and fro.
    """
    third = len(parts) // 3
    return median(parts[-third:]) - median(parts[:third])


def rate(seen: Seen, began: float, ended: float) -> float:
    before, until = ([row[3] for row in seen if row[0] < end] or [0] for end in (began, ended))
    return (until[-1] - before[-1]) / (ended - began) * 1000


def gaps(seen: Seen, began: float, ended: float) -> Iterator[float]:
    moments = [began, *(row[0] for row in seen if began <= row[0] < ended), ended]
    return (later - sooner for sooner, later in pairwise(moments))


def full_again(seen: Seen, freed: float) -> float:
    """Return the seconds until the largest size is there to stay."""
    largest = max(row[2] for row in seen)
    smaller = [row[0] for row in seen if row[2] < largest]
    return max(0.0, max(smaller, default=freed) - freed) / 1000
