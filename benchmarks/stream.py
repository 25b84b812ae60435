"""WebRTC measured: `python -m benchmarks.stream`, as root on Linux, some five minutes.

Server and clients live in two network namespaces joined by a veth pair, so that ICE works as it
does between machines and the link can be narrowed. Scrim's server and aiortc's example server do
the same job in the same run, one after the other. All of it shares this machine's cores, viewers
and Chromium included: ages are upper bounds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from statistics import quantiles
from typing import Annotated, Any

import psutil
import typer

from benchmarks.stream_server import TOKEN

HERE, THERE = "scrim-server", "scrim-clients"
HOST, GUEST, PORT = "10.77.0.1", "10.77.0.2", 8080
URL = f"http://{HOST}:{PORT}"

VIEWERS = (0, 1, 4, 16)
KINDS = ("scrim", "aiortc")

NARROW = "500kbit"

MISREAD_MS = 60_000
"""An age beyond this is a block that was read wrongly; how many were is told."""

Figures = dict[str, Any]


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@contextmanager
def namespaces() -> Iterator[None]:
    """Make both, joined; take them away at the end."""
    ip("netns", "add", HERE)
    ip("netns", "add", THERE)
    try:
        ip("link", "add", "scrim0", "netns", HERE, "type", "veth", "peer", "scrim1", "netns", THERE)
        for space, name, address in ((HERE, "scrim0", HOST), (THERE, "scrim1", GUEST)):
            ip("-n", space, "addr", "add", f"{address}/24", "dev", name)
            ip("-n", space, "link", "set", name, "up")
            ip("-n", space, "link", "set", "lo", "up")
        yield
    finally:
        ip("netns", "del", HERE)
        ip("netns", "del", THERE)


def start(space: str, *arguments: str) -> subprocess.Popen[str]:
    """Start `python -m arguments...` in a namespace."""
    command = ["ip", "netns", "exec", space, sys.executable, "-m", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextmanager
def running(space: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run such a program to the end of the block; gives its first line as well."""
    process = start(space, *arguments)
    assert process.stdout and process.stderr
    try:
        line = process.stdout.readline().strip()
        if process.poll() is not None:
            sys.exit(f"{' '.join(arguments)} failed:\n{process.stderr.read()}")
        yield process, line
    finally:
        process.kill()
        process.communicate()


@contextmanager
def server(kind: str) -> Iterator[psutil.Process]:
    """Run one of the servers."""
    arguments = ("benchmarks.stream_server", kind, "--host", HOST, "--port", str(PORT))
    with running(HERE, *arguments) as (process, _):
        time.sleep(3)
        yield psutil.Process(process.pid)


def cost(process: psutil.Process, seconds: float) -> Figures:
    """Return the cores that a server keeps busy, and its CPU time a composed frame."""
    before, frames = process.cpu_times(), ask("/api/v1/state")["figures"]["frames"]
    time.sleep(seconds)
    after, more = process.cpu_times(), ask("/api/v1/state")["figures"]["frames"]
    busy_s = after.user + after.system - before.user - before.system
    each_ms = busy_s * 1000 / (more - frames) if more > frames else None
    return {"cores": busy_s / seconds, "ms_a_frame": each_ms, "fps": (more - frames) / seconds}


def look(camera: bool, seconds: float) -> Figures:
    """Let Chromium look."""
    flags = ("--camera",) if camera else ()
    arguments = ("benchmarks.stream_browser", URL, "--seconds", str(seconds), *flags)
    process = start(THERE, *arguments)
    out, err = process.communicate(timeout=seconds + 60)
    if process.returncode:
        return {"failed": err.strip().splitlines()[-1:] or ["?"]}
    return dict(json.loads(out))


def ages(seen: list[list[float]]) -> Figures:
    """Return figures of presented pictures, the first two seconds left out."""
    kept = [row for row in seen if row[0] - seen[0][0] > 2000]
    read = [row[1] for row in kept if 0 <= row[1] < MISREAD_MS]
    if len(read) < 20:
        return {"pictures": len(kept)}
    cuts, span = quantiles(read, n=20), (kept[-1][0] - kept[0][0]) / 1000
    figures = {"p50_ms": cuts[9], "p95_ms": cuts[18], "fps": len(kept) / span}
    return {**figures, "width": kept[-1][2], "misread": len(kept) - len(read)}


def seen_by(camera: bool, seconds: float) -> Figures:
    found = look(camera, seconds)
    if "failed" in found:
        return found
    return {"first_ms": found["first"], "codec": found["codec"], **ages(found["seen"])}


def cost_by_viewers(process: psutil.Process, seconds: float) -> dict[int, Figures]:
    """Return what a server costs with so many viewers, everything included.

    The CPU time a frame is worth more where the machine is shared: rates fall, it hardly does.
    """
    found = {}
    for count in VIEWERS:
        with running(THERE, "benchmarks.stream_viewers", URL, "--viewers", str(count)):
            time.sleep(3)
            found[count] = cost(process, seconds)
    return found


def ask(path: str) -> Figures:
    """Ask Scrim's server from its own namespace."""
    fetch = (
        "import sys, urllib.request as r; "
        "q = r.Request(sys.argv[1], headers={'Authorization': 'Bearer ' + sys.argv[2]}); "
        "print(r.urlopen(q, timeout=10).read().decode())"
    )
    command = ["ip", "netns", "exec", HERE, sys.executable, "-c", fetch, URL + path, TOKEN]
    return dict(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))


def taken() -> int:
    return int(ask("/api/v1/state")["peers"]["taken"])


def vanish() -> float:
    """Return the seconds after which a viewer's place is free that was killed."""
    with running(THERE, "benchmarks.stream_viewers", URL, "--viewers", "1"):
        time.sleep(2)
        assert taken() == 1
    ended = time.monotonic()
    while taken():
        time.sleep(0.25)
    return time.monotonic() - ended


def narrow(seconds: float = 36.0) -> Figures:
    """Watch while the link is narrowed for its middle third; return pictures a second of each."""
    process = start(THERE, "benchmarks.stream_browser", URL, "--seconds", str(seconds))
    tbf = ("qdisc", "replace", "dev", "scrim0", "root", "tbf", "rate", NARROW)
    third = seconds / 3
    time.sleep(third + 2)
    limit = ["ip", "netns", "exec", HERE, "tc", *tbf, "burst", "16kb", "latency", "300ms"]
    subprocess.run(limit, check=True)
    limited = time.time() * 1000
    time.sleep(third)
    free = ["ip", "netns", "exec", HERE, "tc", "qdisc", "del", "dev", "scrim0", "root"]
    subprocess.run(free, check=True)
    freed = time.time() * 1000
    out, err = process.communicate(timeout=seconds + 60)
    if process.returncode:
        return {"failed": err.strip().splitlines()[-1:]}
    seen = json.loads(out)["seen"]
    return {
        "before_fps": rate(seen, limited - 5000, limited),
        "first_3_s_fps": rate(seen, limited, limited + 3000),
        "narrow_fps": rate(seen, limited + 3000, freed),
        "worst_gap_ms": max(gaps(seen, limited, freed), default=0.0),
        "widths": sorted({row[2] for row in seen if limited < row[0] < freed}),
        "after_3_s_fps": rate(seen, freed + 3000, freed + 8000),
        "last_width": seen[-1][2],
    }


def rate(seen: list[list[float]], began: float, ended: float) -> float:
    return sum(began <= row[0] < ended for row in seen) / (ended - began) * 1000


def gaps(seen: list[list[float]], began: float, ended: float) -> Iterator[float]:
    moments = [row[0] for row in seen if began <= row[0] < ended]
    return (later - sooner for sooner, later in pairwise(moments))


def cameras(count: int, seconds: float) -> list[float]:
    """Return the composed pictures a second of so many lent cameras, 640x360 at 30."""
    arguments = ("benchmarks.stream_viewers", URL, "--cameras", str(count))
    with running(THERE, *arguments) as (_, line):
        time.sleep(5)
        before = [composed(session) for session in line.split()]
        time.sleep(seconds)
        after = [composed(session) for session in line.split()]
    return [(b - a) / seconds for a, b in zip(before, after, strict=True)]


def composed(session: str) -> int:
    return int(ask(f"/api/v1/sessions/{session}")["figures"]["frames"])


def measure(seconds: float) -> Figures:
    """Return all figures by server."""
    found: Figures = {}
    for kind in KINDS:
        here: Figures = {}
        with server(kind) as process:
            here["watch"] = seen_by(False, seconds + 4)
        with server(kind) as process:
            here["two_way"] = seen_by(True, seconds + 4)
        with server(kind) as process:
            here["cost"] = cost_by_viewers(process, seconds)
        found[kind] = here
    with server("scrim"):
        found["scrim"]["narrow"] = narrow()
        found["scrim"]["vanished_s"] = vanish()
    for count in (1, 2, 4, 6):
        with server("scrim"):
            found["scrim"].setdefault("cameras", {})[count] = cameras(count, seconds)
    return found


def main(seconds: Annotated[float, typer.Option(help="of each measurement")] = 8.0) -> None:
    """Measure, and print all figures as JSON."""
    if os.geteuid() or sys.platform != "linux":
        sys.exit("network namespaces need root on Linux")
    with namespaces():
        print(json.dumps(measure(seconds), indent=2))


if __name__ == "__main__":
    typer.run(main)
