"""What `benchmarks.stream` measures, leg by leg: each starts its programs and gives its targets."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from benchmarks.page import Target
from benchmarks.stream_ages import ages, full_again, gaps, growth, rate
from benchmarks.stream_programs import look, looking, rates, sent_so_far, server, taken
from benchmarks.stream_server import FPS
from benchmarks.stream_spaces import GUEST, HERE, THERE, URL, Failed, narrowed, running

JOINS = 8

WARM_S = 10.0
"""Seconds before a long watch, in which its programs settle."""

KINDS = ("scrim", "aiortc")

PATIENCE_S = 60.0

SETTLED_S = 40.0
"""Seconds in which each of too many sessions has given up what it must, and has taken back what was
one step too far."""

Figures = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """How long each measurement takes, and the frames of the long one."""

    seconds: float
    frames: int


def watch(plan: Plan) -> tuple[Figures, list[Target]]:
    """Age of the local camera's picture in Chromium."""
    return aged("watch", False, plan, 45, 90)


def two_way(plan: Plan) -> tuple[Figures, list[Target]]:
    """Age of the browser's own picture when it is back."""
    return aged("two-way", True, plan, 90, 160)


def aged(
    what: str, camera: bool, plan: Plan, p50: float, p95: float
) -> tuple[Figures, list[Target]]:
    found = {}
    for kind in KINDS:
        with server(kind, cameras=int(camera)):
            found[kind] = ages(look(camera, plan.seconds + 2))
    rows = [
        Target(f"{what}: age {key}, ms", found["aiortc"][key], found["scrim"][key], limit)
        for key, limit in (("p50", p50), ("p95", p95))
    ]
    fps = Target(
        f"{what}: pictures a second", found["aiortc"]["fps"], found["scrim"]["fps"], 29, True
    )
    return found, [*rows, fps]


def join(plan: Plan) -> tuple[Figures, list[Target]]:
    """Seconds to the first picture of who joins while another watches: keyframes have to wait."""
    with server("scrim"), running(THERE, "benchmarks.stream_viewers", URL, "--viewers", "1"):
        time.sleep(2)
        words = ("benchmarks.stream_browser", URL, "--joins", str(JOINS))
        with running(THERE, *words) as browser:
            took = json.loads(browser.line())
    rows = [
        Target("joined: first picture, median, s", None, median(took), 0.5),
        Target("joined: first picture, longest, s", None, max(took), 0.5),
    ]
    return {"seconds": took}, rows


def cost(plan: Plan) -> tuple[Figures, list[Target]]:
    """Cores of the whole server beyond those of Scrim's line that nobody watches."""
    found: Figures = {}
    for kind, steps in (("scrim", (0, 1, 3, 12)), ("aiortc", (1, 3, 12))):
        with server(kind) as ours, ExitStack() as stack:
            found[kind], guests = {}, []
            for more in steps:
                words = ("benchmarks.stream_viewers", URL, "--viewers", str(more))
                try:
                    guests.append(stack.enter_context(running(THERE, *words)))
                    time.sleep(3)
                    before = sent_so_far(guests)
                    load = ours.load(plan.seconds)
                    sent = rates(before, sent_so_far(guests))
                except Failed:
                    if kind == "scrim":
                        raise
                    break  # relayed to several encoders, one frame corrupts its heap at times
                found[kind][len(sent)] = {**load, "sent": min(sent, default=0.0)}
    alone = found["scrim"][0]["cores"]

    def beyond(kind: str, count: int) -> float | None:
        return found[kind][count]["cores"] - alone if count in found[kind] else None

    rows = [
        Target(
            f"cores beyond the line's, {count} viewers",
            beyond("aiortc", count),
            beyond("scrim", count) or 0.0,
            limit,
        )
        for count, limit in ((1, 0.30), (4, 0.33), (16, 0.40))
    ]
    theirs, ours = (found[kind].get(16, {}).get("sent") for kind in ("aiortc", "scrim"))
    slowest = Target("sent to the slowest of 16 viewers, a second", theirs, ours, 29, True)
    return found, [*rows, slowest]


def cameras(plan: Plan) -> tuple[Figures, list[Target]]:
    """Two-way sessions of 640x360: six, a seventh that is refused, and one that is let in."""
    six, seven = (composed_by(7, places, plan.seconds) for places in (6, 7))
    even = min(seven) / max(fmean(seven), 1.0)
    rows = [
        Target("two-way: the slowest of 6, pictures a second", None, min(six), 15, True),
        Target("two-way: sessions run of 7 with 6 places", None, len(six), 6),
        Target("two-way: 7 with 7 places, slowest / mean", None, even, 0.8, True),
    ]
    return {"six": six, "seven": seven}, rows


def narrow(plan: Plan) -> tuple[Figures, list[Target]]:
    """A link of 500 kbit/s for twelve seconds, in the midst of watching."""
    with server("scrim"):
        return through("500 kbit/s", False, HERE, 3)


def uplink(plan: Plan) -> tuple[Figures, list[Target]]:
    """The same for a browser that sends its camera: what it sends decides what it is sent."""
    with server("scrim", cameras=1):
        return through("500 kbit/s to the server", True, THERE, 20)


def through(what: str, camera: bool, side: str, again_s: float) -> tuple[Figures, list[Target]]:
    """Narrow what a side sends, and make it wide again."""
    with looking(camera, 28 + again_s) as parts:
        time.sleep(12)
        with narrowed("500kbit", side):
            limited = time.time() * 1000
            time.sleep(12)
        freed = time.time() * 1000
        seen = next(parts)
    found = {
        "before_fps": rate(seen, limited - 5000, limited),
        "first_3_s_fps": rate(seen, limited, limited + 3000),
        "fps": rate(seen, limited + 3000, freed),
        "gap_s": max(gaps(seen, limited, freed), default=12_000) / 1000,
        "widths": sorted({row[2] for row in seen if limited + 3000 <= row[0] < freed}),
        "again_fps": rate(seen, freed, freed + 3000),
        "full_again_s": full_again(seen, freed),
    }
    rows = [
        Target(f"{what}: pictures a second after 3 s", None, found["fps"], 10, True),
        Target(f"{what}: longest stop, s", None, found["gap_s"], 3),
        Target(
            f"{what}, wide again: pictures a second, first 3 s", None, found["again_fps"], 10, True
        ),
        Target(
            f"{what}, wide again: seconds to the full size", None, found["full_again_s"], again_s
        ),
    ]
    return found, rows


def gone(plan: Plan) -> tuple[Figures, list[Target]]:
    """A viewer that is killed: seconds until its place is free."""
    with server("scrim"):
        with running(THERE, "benchmarks.stream_viewers", URL, "--viewers", "1"):
            time.sleep(2)
            if taken() != 1:
                raise Failed("the viewer is not there")
        ended = time.monotonic()
        while taken() and time.monotonic() - ended < PATIENCE_S:
            time.sleep(0.1)
    seconds = time.monotonic() - ended
    return {"seconds": seconds}, [
        Target("viewer gone without goodbye: released, s", None, seconds, 10)
    ]


def fan_out(plan: Plan) -> tuple[Figures, list[Target]]:
    """Published to Janus by WHIP: our cores with one viewer there, and with 30."""
    found = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        running(THERE, "benchmarks.stream_janus", GUEST, folder) as janus,
        server("scrim", publish_to=janus.first) as ours,
    ):
        for more in (1, 29):
            count = int(janus.tell(str(more)))
            time.sleep(2)
            found[count] = ours.load(plan.seconds)
    many = found[30]["cores"] / found[1]["cores"]
    rows = [Target("Janus: our cores, 30 viewers / 1", None, many, 1.05)]
    return found, rows


def long(plan: Plan) -> tuple[Figures, list[Target]]:
    """Growth of age and memory in a long watch; each tenth is told."""
    tenths: list[Figures] = []
    with server("scrim") as ours, looking(False, plan.frames / FPS, 10, WARM_S) as parts:
        for seen in parts:
            widths = sorted({row[2] for row in seen})
            told = {"pictures": len(seen), "bytes": ours.memory(), "widths": widths}
            tenths.append({**ages(seen, 0), **told})
            print(f"long, {len(tenths)}/10: {json.dumps(tenths[-1])}", flush=True)
    grown = growth([tenth["p50"] for tenth in tenths])
    more = tenths[-1]["bytes"] / tenths[0]["bytes"]
    rows = [
        Target("long: age p50, last tenths - first, ms", None, grown, 5),
        Target("long: memory, late / early", None, more, 1.05),
    ]
    return {"pictures": sum(tenth["pictures"] for tenth in tenths)}, rows


def composed_by(count: int, places: int, seconds: float) -> list[float]:
    """Return the composed pictures a second that each camera which found a place is sent."""
    with server("scrim", cameras=places):
        arguments = ("benchmarks.stream_viewers", URL, "--cameras", str(count))
        with running(THERE, *arguments) as guests:
            time.sleep(SETTLED_S)
            before = sent_so_far([guests])
            time.sleep(seconds)
            return rates(before, sent_so_far([guests]))


LEGS: dict[str, Callable[[Plan], tuple[Figures, list[Target]]]] = {
    "watch": watch,
    "two-way": two_way,
    "join": join,
    "cost": cost,
    "cameras": cameras,
    "narrow": narrow,
    "uplink": uplink,
    "gone": gone,
    "janus": fan_out,
    "long": long,
}
