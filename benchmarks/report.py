"""Figures as the page benchmarks/README.md. Nothing here measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks import line, peers
from benchmarks.page import table
from realtime.bench import FPS, WHOLE

STEP_MS, CPU_SHARE, RESIDENT_MB, GROWTH_MB, CHEAPER = 6.0, 0.35, 350.0, 5.0, 5.0
"""The targets: at most the first four, at least the last."""

Figures = Mapping[str, Any]

SIZE = f"{line.SIZE[0]}x{line.SIZE[1]}"


def page(machine: Iterable[tuple[str, str]], card: str, found: Figures) -> str:
    """Return the whole page from the figures of all measurements."""
    parts = [
        "# Benchmarks",
        "Written by `make bench` (`python -m benchmarks`) and, part by part, by other benchmarks. "
        "Only the part that says so is written by hand, and kept.",
        table(("machine", ""), machine),
        f"Network: {card}. Pictures are drawn; drawing them is in no figure. "
        "Milliseconds are wall time unless they say CPU; CPU time is that of all threads.",
        "## Targets",
        table(("target", "wanted", "measured", ""), targets(found)),
        "## Steps",
        "`scrim bench`: `Pipeline.step` as fast as it goes, median / 95th percentile in ms.",
        _steps(found["steps"]),
        "## A local line",
        f"`python -m benchmarks.line`: source, line and sink at {SIZE}, {FPS:.0f} frames a second.",
        _lines(found["line"]),
        "## Memory",
        f"`python -m benchmarks.memory`: `Pipeline.step` at {SIZE}.",
        _memory(found["memory"]),
        "## Peers",
        "`python -m benchmarks.peers`: " + (peers.__doc__ or "").partition("\n\n")[2].strip(),
        _jobs(found["peers"]),
        _rounds(found["peers"]),
    ]
    return "\n\n".join(parts) + "\n"


def targets(found: Figures) -> list[tuple[str, str, str, str]]:
    """Return (what, wanted, measured, met or missed) of every target."""
    step = _row_of(found["steps"])["steps"][WHOLE]["median_ms"]
    share = found["line"]["blur"]["cpu_share"]
    resident = max(found["line"]["blur"]["peak_mb"], found["memory"]["peak_mb"])
    held = found["memory"]["resident_mb"]
    growth = held[-1] - held[0]
    ratios = found["peers"]["ratios"][peers.OURS_BGR]
    cpu, wall = median(ratios["cpu_ms"]), median(ratios["wall_ms"])
    frames = found["memory"]["frames"]
    return [
        _at_most(f"`{WHOLE}`, {SIZE}, median ms", STEP_MS, step),
        _at_most("a local line, % of one core", CPU_SHARE * 100, share * 100),
        _at_most("resident memory, MB", RESIDENT_MB, resident),
        _at_most(f"its growth over {frames:,} frames, MB", GROWTH_MB, growth),
        _at_least(f"CPU time of {peers.THEIRS} / ours", CHEAPER, cpu),
        _at_least(f"wall time of {peers.THEIRS} / ours", CHEAPER, wall),
    ]


def _at_most(what: str, limit: float, value: float) -> tuple[str, str, str, str]:
    return what, f"< {limit:g}", f"{value:.1f}", "met" if value < limit else "**missed**"


def _at_least(what: str, limit: float, value: float) -> tuple[str, str, str, str]:
    return what, f">= {limit:g}", f"{value:.1f}", "met" if value >= limit else "**missed**"


def _steps(rows: Sequence[Figures]) -> str:
    sizes = ["{}x{}".format(*row["size"]) for row in rows]
    lines = [
        (step, *("{median_ms:.2f} / {p95_ms:.2f}".format(**row["steps"][step]) for row in rows))
        for step in rows[0]["steps"]
    ]
    for what, key in (
        ("frames a second", "fps"),
        ("CPU ms a frame", "cpu_ms"),
        ("resident MB", "resident_mb"),
    ):
        lines.append((what, *(f"{row[key]:.1f}" for row in rows)))
    return table(("step", *sizes), lines)


def _row_of(rows: Sequence[Figures]) -> Figures:
    return next(row for row in rows if tuple(row["size"]) == line.SIZE)


def _lines(found: Figures) -> str:
    head = ("backdrop", "% of one core", "age ms, median / p95", "frames/s", "drops", "peak MB")
    return table(
        head,
        (
            (
                backdrop,
                f"{at['cpu_share']:.1%}",
                f"{at['age_p50_ms']:.1f} / {at['age_p95_ms']:.1f}",
                f"{at['fps']:.1f}",
                str(at["drops"]),
                f"{at['peak_mb']:.0f}",
            )
            for backdrop, at in found.items()
        ),
    )


def _memory(found: Figures) -> str:
    each = found["frames"] // len(found["resident_mb"])
    lines = [(f"{each * (n + 1):,}", f"{mb:.1f}") for n, mb in enumerate(found["resident_mb"])]
    return table(("after frames", "resident MB"), [*lines, ("peak", f"{found['peak_mb']:.1f}")])


def _jobs(found: Figures) -> str:
    head = ("job", "wall ms a frame", "CPU ms a frame", "peak MB")
    return table(
        head,
        (
            (job, *(f"{at[key]:.1f}" for key in ("wall_ms", "cpu_ms", "peak_mb")))
            for job, at in found["jobs"].items()
        ),
    )


def _rounds(found: Figures) -> str:
    """Lay out how many times cheaper ours is: median of the rounds, least and most."""
    head = (f"{peers.THEIRS} / ours", "wall", "CPU", "memory")
    lines = [
        (ours, *(_between(ratios[key]) for key in ("wall_ms", "cpu_ms", "peak_mb")))
        for ours, ratios in found["ratios"].items()
    ]
    note = f"Median of {found['rounds']} rounds of {found['frames']} frames (least to most)."
    return f"{note}\n\n{table(head, lines)}"


def _between(values: Sequence[float]) -> str:
    return f"{median(values):.1f} ({min(values):.1f} to {max(values):.1f})"
