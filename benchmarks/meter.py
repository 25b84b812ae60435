"""Clock and scales of every job. Standard library only: a peer's environment runs it as well.

Memory is read from /proc (Linux): `getrusage` would count what the parent held before `exec`.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WARM_UP = 30
"""Frames before the clock starts."""


def measure(step: Callable[[int], object], frames: int) -> dict[str, float]:
    """Return median wall time and mean CPU time of all threads, in ms a frame, and peak MB."""
    for number in range(WARM_UP):
        step(number)
    walls_ms = []
    cpu_s = time.process_time()
    for number in range(WARM_UP, WARM_UP + frames):
        began_s = time.perf_counter()
        step(number)
        walls_ms.append((time.perf_counter() - began_s) * 1e3)
    cpu_s = time.process_time() - cpu_s
    return {
        "wall_ms": statistics.median(walls_ms),
        "cpu_ms": cpu_s / frames * 1e3,
        "peak_mb": peak_mb(),
    }


def resident_mb() -> float:
    """Return the memory that this process holds now, in 10^6 bytes."""
    return _status("VmRSS")


def peak_mb() -> float:
    """Return the most memory that this process ever held, in 10^6 bytes."""
    return _status("VmHWM")


def _status(key: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    kibibytes = next(line.split()[1] for line in lines if line.startswith(f"{key}:"))
    return int(kibibytes) * 1024 / 1e6


def tell(figures: Any) -> None:
    """Print figures as the one line that `benchmarks.process.run` reads."""
    print(json.dumps(figures))
