"""A line by HTTP: its state, its look, and the slate; the local one's or a browser's own."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from pydantic import Field

from realtime.control import Control
from realtime.stats import Snapshot
from realtime.web import gate
from realtime.web.api.operation import respond
from realtime.web.body import read_json
from realtime.web.broadcast import Broadcast
from realtime.web.keys import PEERS, STUDIO
from realtime.web.line import BrowserLine
from realtime.web.look import Look, Strict, checked, read_look
from realtime.web.whip import peer_of


class Places(Strict):
    """How many browsers are served, and how many may be."""

    taken: int
    places: int


class Session(Strict):
    """A browser's own line."""

    hidden: bool
    notice: str = Field(description="what the network's device made necessary, empty if nothing")
    scene: Look
    figures: Snapshot
    viewers: int = Field(description="how many are sent the composed picture")


class State(Strict):
    """The local line; without a camera there are no figures."""

    camera: bool
    hidden: bool
    notice: str
    scene: Look
    figures: Snapshot | None
    viewers: int = Field(description="how many are sent the composed picture")
    peers: Places


class Privacy(Strict):
    """Whether the slate stands in for everything."""

    hidden: bool


async def read_state(request: web.Request) -> web.StreamResponse:
    studio, peers = request.app[STUDIO], request.app[PEERS]
    state = {
        **_shown(request, studio.control, studio.watch),
        "camera": studio.has_camera,
        "peers": {"taken": len(peers), "places": peers.places},
    }
    if not studio.has_camera:
        state["figures"] = None
    return respond(State.model_validate(state))


async def read_session(request: web.Request) -> web.StreamResponse:
    line = _own_line(request)
    return respond(Session.model_validate(_shown(request, line.control, line.broadcast)))


async def read_scene(request: web.Request) -> web.StreamResponse:
    control = control_of(request)
    return respond(Look.model_validate(request.app[STUDIO].shown(control.config)))


async def change_scene(request: web.Request) -> web.StreamResponse:
    """Change a line's look; the answer is the whole look that now holds."""
    studio, control = request.app[STUDIO], control_of(request)
    look = read_look(await read_json(request))
    await asyncio.to_thread(lambda: control.change(studio.tables(look)))
    if control is studio.control:
        await asyncio.to_thread(studio.remember)
    return respond(Look.model_validate(studio.shown(control.config)))


async def end_session(request: web.Request) -> web.StreamResponse:
    """End a browser's session, also one that only watches."""
    await peer_of(request).close()
    return web.Response(status=204)


async def read_privacy(request: web.Request) -> web.StreamResponse:
    return respond(Privacy(hidden=control_of(request).hidden))


async def change_privacy(request: web.Request) -> web.StreamResponse:
    control = control_of(request)
    control.hide(checked(Privacy, await read_json(request)).hidden)
    return respond(Privacy(hidden=control.hidden))


def control_of(request: web.Request) -> Control:
    """Return the controls of the session in the path, or of the local line."""
    return _own_line(request).control if "id" in request.match_info else _local(request)


def _own_line(request: web.Request) -> BrowserLine:
    line = peer_of(request).line
    if line is None:
        raise gate.refuse(web.HTTPNotFound, "this session only watches", "see /api/v1/state")
    return line


def _local(request: web.Request) -> Control:
    studio = request.app[STUDIO]
    if not studio.has_camera:
        raise gate.refuse(
            web.HTTPNotFound, "there is no camera here", "use this browser's own, by /offer"
        )
    return studio.control


def _shown(request: web.Request, control: Control, watched: Broadcast) -> dict[str, Any]:
    return {
        "hidden": control.hidden,
        "notice": control.model.fallback,
        "scene": request.app[STUDIO].shown(control.config),
        "figures": control.stats.snapshot(),
        "viewers": watched.viewers,
    }
