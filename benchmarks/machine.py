"""What the figures were measured on, in words that name no host."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil


def describe() -> list[tuple[str, str]]:
    """Return (what, value) pairs: processor, cores, memory, versions, other work."""
    cores, threads = psutil.cpu_count(logical=False), psutil.cpu_count()
    return [
        ("processor", _processor()),
        ("cores", f"{cores} ({threads} hardware threads)"),
        ("memory", f"{psutil.virtual_memory().total / 1e9:.0f} GB"),
        ("system", f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}"),
        ("Python", platform.python_version()),
        *((name, version(name)) for name in ("openvino", "opencv-python-headless", "numpy")),
        ("load average before the run", f"{os.getloadavg()[0]:.1f}"),
    ]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
