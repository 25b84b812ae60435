"""What watches over the program: is it alive, is it ready, its figures, its picture.

Figures in the text format of Prometheus: seconds and counts, as its conventions ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from realtime.stats import Snapshot
from realtime.web import gate
from realtime.web.api.operation import respond
from realtime.web.jpeg import encode_jpeg
from realtime.web.keys import PEERS, STUDIO
from realtime.web.look import Strict
from realtime.web.peers import Peers
from realtime.web.studio import Studio

WORKING = ("live", "hidden")


class Health(Strict):
    """Whether it is so; `state` is the local line's in a word or two: anybody may ask, and the rest
    of it names devices and files."""

    ok: bool
    state: str


async def read_health(request: web.Request) -> web.StreamResponse:
    """Say that the server answers, whatever the line does."""
    return respond(_health(request.app[STUDIO], True))


async def read_readiness(request: web.Request) -> web.StreamResponse:
    """Say whether pictures come; without a camera, whether browsers may lend theirs."""
    studio = request.app[STUDIO]
    working = not studio.has_camera or studio.control.stats.state in WORKING
    return respond(_health(studio, working), 200 if working else 503)


def _health(studio: Studio, ok: bool) -> Health:
    state = studio.control.stats.state.partition(":")[0]
    return Health(ok=ok, state=state if studio.has_camera else "no camera")


async def read_metrics(request: web.Request) -> web.StreamResponse:
    registry = CollectorRegistry()
    registry.register(_Figures(request.app[STUDIO], request.app[PEERS]))
    text = generate_latest(registry)
    return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4"})


async def read_snapshot(request: web.Request) -> web.StreamResponse:
    """Return the newest composed picture; the room is in none of them."""
    frame = request.app[STUDIO].watch.newest
    if frame is None:
        raise gate.refuse(web.HTTPNotFound, "there is no picture yet", "is there a camera?")
    jpeg = await asyncio.to_thread(encode_jpeg, frame)
    return web.Response(body=jpeg, content_type="image/jpeg")


class _Figures:
    """The figures of one moment, as Prometheus collects them."""

    def __init__(self, studio: Studio, peers: Peers) -> None:
        self._studio = studio
        self._peers = peers

    def collect(self) -> Iterator[Metric]:
        yield _gauge("scrim_peers", "Browsers being served", len(self._peers))
        yield _gauge("scrim_peer_places", "Browsers that may be served", self._peers.places)
        yield _gauge("scrim_hidden", "1 while the slate is up", self._studio.control.hidden)
        if self._studio.has_camera:
            yield from _line_figures(self._studio.control.stats.snapshot())


def _line_figures(now: Snapshot) -> Iterator[Metric]:
    yield _gauge("scrim_live", "1 while composed pictures come", now["state"] == "live")
    yield _gauge("scrim_frames_per_second", "Composed pictures a second", now["fps"])
    frames = CounterMetricFamily("scrim_frames", "Composed pictures")
    frames.add_metric([], now["frames"])
    yield frames
    age = GaugeMetricFamily(
        "scrim_age_seconds", "From capture to delivery, of the last seconds", labels=["quantile"]
    )
    for name, quantile in (("p50", "0.5"), ("p95", "0.95")):
        age.add_metric([quantile], now["age_ms"][name] / 1e3)
    yield age
    steps = GaugeMetricFamily("scrim_step_seconds", "Median time of a step", labels=["step"])
    for step, time_ms in now["steps_ms"].items():
        steps.add_metric([step], time_ms / 1e3)
    yield steps
    events = CounterMetricFamily("scrim_events", "What was lost or went wrong", labels=["event"])
    for event, count in now["counts"].items():
        events.add_metric([event], count)
    yield events


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=float(value))
