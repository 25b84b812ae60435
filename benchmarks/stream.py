"""WebRTC measured, as root on Linux.

    python -m benchmarks.stream                   # some ten minutes
    python -m benchmarks.stream --only narrow     # one leg, not written to the page
    python -m benchmarks.stream --frames 108000   # only whether it lasts: one hour

Server and clients live in two network namespaces joined by a veth pair. Where aiortc's example
server does the same job in the textbook's way, it does it in the same run. All of it shares this
machine's cores, viewers and Chromium included: ages are upper bounds.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated

import typer

from benchmarks.page import Target, put, targets
from benchmarks.stream_legs import LEGS, Plan
from benchmarks.stream_server import FPS
from benchmarks.stream_spaces import namespaces

FRAMES = 1800
"""Of the long watch among the other legs."""

COLUMNS = ("aiortc's example", "Scrim")


def part(rows: list[Target], failed: list[str]) -> str:
    """Return the page's part about all legs."""
    told = f"`python -m benchmarks.stream`: 1280x720 at {FPS:.0f}; long is {FRAMES} frames."
    lost = f"\n\nNot measured, because it failed: {', '.join(failed)}." if failed else ""
    return f"## The stream\n\n{told}{lost}\n\n{targets(rows, *COLUMNS)}"


def long_part(rows: list[Target], frames: int) -> str:
    """Return the page's part about a long watch."""
    told = f"`python -m benchmarks.stream --frames {frames}`: {frames / FPS / 60:.3g} minutes."
    return f"## A stream that lasts\n\n{told}\n\n{targets(rows, *COLUMNS)}"


def main(
    only: Annotated[str, typer.Option(help=f"one of {', '.join(LEGS)}")] = "",
    seconds: Annotated[float, typer.Option(min=2, help="of each measurement")] = 6.0,
    frames: Annotated[
        int | None, typer.Option(min=300, help="only the long watch; an hour has 108000")
    ] = None,
) -> None:
    """Measure leg by leg; a leg that fails is told and ends no other. All of them, or a long watch
    of so many frames, are written to the page."""
    if os.geteuid() or sys.platform != "linux":
        sys.exit("error: network namespaces need root on Linux")
    only = "long" if frames else only
    if only and only not in LEGS:
        sys.exit(f"error: no leg {only!r}: {', '.join(LEGS)}")
    rows, failed, plan = [], [], Plan(seconds, frames or FRAMES)
    with namespaces():
        for name in [only] if only else LEGS:
            try:
                found, here = LEGS[name](plan)
            except Exception as error:  # whatever it was, the others are measured
                failed.append(name)
                print(f"{name} FAILED: {error!r}", flush=True)
                continue
            rows += here
            print(f"{name}: {json.dumps(found)}\n{targets(here, *COLUMNS)}\n", flush=True)
    if frames and not failed:
        put("stream-long", long_part(rows, frames))
    elif not only:
        put("stream", part(rows, failed))
    sys.exit(f"error: failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    typer.run(main)
