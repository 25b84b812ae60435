"""The program at work: the local line, all that controls it, and the status line. Floor 6."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext
from typing import Any

from realtime import config as cfg
from realtime.build import make_pipeline, open_camera, open_input
from realtime.control import Control
from realtime.ctl import Orders, listening, socket_path
from realtime.delivery import Outlet
from realtime.demand import serve_demand
from realtime.easing import govern
from realtime.errors import ConfigError
from realtime.frame import Source
from realtime.journal import Journal
from realtime.keys import HELP, Keys, keep_window
from realtime.matting.engine import MattingModel
from realtime.outlets import make_outlets
from realtime.reload import Reload, follow
from realtime.rests import UNWATCHED
from realtime.runner import Runner
from realtime.signals import finish, hear_signals
from realtime.sinks.preview import PreviewSink
from realtime.stats import Stats
from realtime.web.broadcast import Broadcast
from realtime.web.gate import is_loopback
from realtime.web.publish import publish
from realtime.web.server import expect_free, secure, serve
from realtime.web.studio import Studio

WATCHERS = "watchers"
"""Name of the outlet to browsers and to where the picture is published."""


@dataclass(frozen=True)
class Start:
    """What the command line asks for beside the configuration.

    `source` stands in for the camera, see `build.open_input`; `room` is the developer's view;
    `load` reads the configuration again, whose file is `file`; at the start it gave `loaded`, which
    knows nothing of the studio's last look.
    """

    load: Callable[[], cfg.Config]
    loaded: cfg.Config
    file: Path | None = None
    source: str | None = None
    room: bool = False
    preview: bool = False

    def has_source(self, camera: cfg.Camera) -> bool:
        """Say whether there is a line of its own, beside those of browsers with a camera."""
        return self.source is not None or camera.device != "none"


def run_line(settings: cfg.Config, matting: MattingModel, start: Start, journal: Journal) -> None:
    """Run until the source ends, the line fails or somebody stops it; `journal` is told.

    Raises `ScrimError`.
    """
    web, tls = settings.web, None
    if start.room and (settings.publish.url or (web.enabled and not is_loopback(web.host))):
        raise ConfigError(
            "--passthrough shows the room: others are not to see it",
            "leave it out, or publish.url and an open web.host",
        )
    if not (start.has_source(settings.camera) or web.enabled):
        raise ConfigError("without a camera and without the studio there is nothing to do")
    if web.enabled:  # what is refused is refused before anything is opened
        tls = secure(web.host, web.token, web.cert, web.key)
        expect_free(web.host, web.port)
    control = Control(settings, matting, Stats(), None, room=start.room)
    watch = Broadcast(settings.camera.fps, control.stats)
    window = PreviewSink() if start.preview else None
    if start.has_source(settings.camera):
        control.runner = _line(control, watch, window, start, journal)
    else:  # what cannot be built is told now, not to each browser
        make_pipeline(settings, matting, control.stats, passthrough=start.room)
    try:
        if control.runner:
            _begin(control, start, journal)
        asyncio.run(_attend(control, watch, window, tls, start, journal))
    finally:
        if control.runner:
            finish(control.runner)
    if control.runner and control.runner.error:
        raise control.runner.error


def _line(
    control: Control, watch: Broadcast, window: PreviewSink | None, start: Start, journal: Journal
) -> Runner:
    settings = control.config
    outlets: list[Outlet] = make_outlets(settings, journal.print)
    if settings.web.enabled or settings.publish.url:
        outlets.append(Outlet(WATCHERS, lambda: watch, settings.camera.fps))
    if window:
        outlets.append(Outlet("preview", lambda: window, settings.camera.fps))
    line = Runner(
        lambda: _open_source(control.config.camera, start.source, journal),
        make_pipeline(settings, control.model, control.stats, passthrough=start.room),
        outlets,
        (settings.camera.width, settings.camera.height),
        control.stats,
    )
    line.hidden = settings.camera.hidden
    if settings.camera.on_demand:
        line.rest(UNWATCHED)
    return line


def _open_source(camera: cfg.Camera, source: str | None, journal: Journal) -> Source:
    if source is None:
        return open_camera(camera, journal.print)
    return open_input(source, camera)


def _begin(control: Control, start: Start, journal: Journal) -> None:
    """Start the line; any camera may still come, one that was named has to be there."""
    settings = control.config
    assert control.runner
    control.runner.start(patient=start.source is None and settings.camera.device == "auto")
    if not control.runner.outlets:
        journal.print("nothing takes the picture: no studio, no virtual camera, no recording")
    if control.runner.searching:
        journal.print(f"{control.stats.state} (scrim doctor says more)")
    if control.runner.searching and settings.web.enabled:
        journal.print("the studio asks for the browser's camera until one is plugged in")


async def _attend(
    control: Control,
    watch: Broadcast,
    window: PreviewSink | None,
    tls: SSLContext | None,
    start: Start,
    journal: Journal,
) -> None:
    """Do all that goes on beside the line, until the first of it ends."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()

    def stop() -> None:
        loop.call_soon_threadsafe(stopped.set)

    reload = Reload(control, start.load, start.loaded, journal.print)
    hear_signals(loop, control, reload, stop)
    settings = control.config
    studio = Studio(control, watch)
    jobs: list[Coroutine[Any, Any, object]] = [stopped.wait()]
    if control.runner:
        jobs.append(_until_it_ends(control.runner, journal))
    if settings.web.enabled:
        jobs.append(_serve_studio(studio, settings.web, tls, journal))
    if control.runner and settings.camera.on_demand:
        jobs.append(_serve_demand(control.runner, watch, settings.camera.linger))
    if control.runner and settings.publish.url:
        jobs.append(_publish(settings, watch, journal))
    if control.runner:
        jobs.append(govern(control, control.runner))
    if start.file:
        jobs.append(follow(start.file, reload))
    if window:
        journal.print(HELP)
        keys = Keys(control, reload, stop)
        jobs.append(keep_window(window, keys, settings.camera.fps, journal.print))
    orders = Orders(studio, reload, stop)
    async with listening(socket_path(os.environ), orders, journal.print):
        await _first_of(jobs, control.runner.end if control.runner else lambda: None)
    if stopped.is_set():
        journal.print("stopped")


async def _serve_studio(
    studio: Studio, web: cfg.Web, tls: SSLContext | None, journal: Journal
) -> None:
    await serve(studio, web.host, web.port, lambda url: journal.print(f"studio: {url}"), tls)


async def _serve_demand(line: Runner, watch: Broadcast, linger_s: float) -> None:
    """Let the camera rest while nobody watches; what cannot tell its viewers always has one."""
    devices = [outlet.device for outlet in line.outlets if outlet.device]
    names = {outlet.name for outlet in line.outlets if not outlet.device}
    always = len(names - {WATCHERS})
    await serve_demand(line, devices, lambda: watch.viewers + always, linger_s)


async def _publish(settings: cfg.Config, watch: Broadcast, journal: Journal) -> None:
    url, token = settings.publish.url, settings.publish.token
    await publish(watch, url, token, settings.web.ice_servers, journal.print)


async def _first_of(jobs: list[Coroutine[Any, Any, object]], end: Callable[[], None]) -> None:
    """Run jobs until one ends; then call `end`, so that no camera films on while the others end
    tidily. Raises what the first one raised.
    """
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        end()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


async def _until_it_ends(line: Runner, journal: Journal) -> None:
    while not line.wait(0):
        journal.status(line.stats.snapshot())
        await asyncio.sleep(1.0)
