"""The studio's paths: one page, its API, and a browser's own camera by /offer."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from aiohttp import web

from realtime.build import backdrop_files
from realtime.errors import BadOffer
from realtime.web import gate
from realtime.web.body import read_json
from realtime.web.keys import PEERS, STUDIO
from realtime.web.line import BrowserLine
from realtime.web.offer import read_offer
from realtime.web.peer import open_camera
from realtime.web.studio import Studio
from realtime.web.thumbnail import thumbnail
from realtime.web.whip import peer_of

STATIC = Path(__file__).parent / "static"


routes = web.RouteTableDef()


@routes.get("/")
async def page(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(STATIC / "index.html")


@routes.get("/healthz")
async def health(request: web.Request) -> web.StreamResponse:
    return web.json_response({"ok": True})


@routes.get("/api/v1/state")
async def state(request: web.Request) -> web.StreamResponse:
    """Return the local line, and how many places are taken."""
    peers = request.app[PEERS]
    places = {"taken": len(peers), "places": peers.places}
    return web.json_response({**request.app[STUDIO].state(), "peers": places})


@routes.patch("/api/v1/scene")
async def change_scene(request: web.Request) -> web.StreamResponse:
    """Change the local line's scene; the answer is the scene that now holds."""
    studio = request.app[STUDIO]
    changes = await read_json(request)
    _expect_camera(studio)
    await asyncio.to_thread(studio.control.change, studio.scene(changes))
    return web.json_response(studio.shown(studio.control.config))


@routes.get("/api/v1/backdrops")
async def backdrops(request: web.Request) -> web.StreamResponse:
    return web.json_response({"backdrops": request.app[STUDIO].backdrops()})


@routes.get("/api/v1/backdrops/{name}/thumbnail")
async def backdrop_thumbnail(request: web.Request) -> web.StreamResponse:
    """Return a small JPEG of a picture or a video of the folder."""
    scene = request.app[STUDIO].control.config.scene
    path = backdrop_files(scene).get(request.match_info["name"])
    if path is None:
        raise gate.refuse(web.HTTPNotFound, "no such backdrop")
    changed = scene.model_copy(update={"backdrop": str(path), "fit": "crop"})
    jpeg = await asyncio.to_thread(thumbnail, changed)
    return web.Response(body=jpeg, content_type="image/jpeg")


@routes.post("/offer")
async def offer_camera(request: web.Request) -> web.StreamResponse:
    """Take a browser's camera and send the composed picture back."""
    studio = request.app[STUDIO]
    body = await read_json(request)
    if body.get("type") != "offer" or not isinstance(body.get("sdp"), str):
        raise BadOffer("sdp and type are missing", 'send {"type": "offer", "sdp": "..."}')
    scene = body.get("scene", {})
    if not isinstance(scene, dict):
        raise BadOffer("scene is no table", 'send {"backdrop": "blur"} or leave it away')
    offer = read_offer(body["sdp"], ("sendrecv",))
    control = studio.control
    config = control.config.with_values(studio.scene(scene))
    opened = partial(open_camera, config, control.model, offer)
    peer = await request.app[PEERS].join(opened, camera=True)
    return web.json_response({"type": "answer", "sdp": peer.answer, "session": peer.id})


@routes.get("/api/v1/sessions/{id}")
async def session(request: web.Request) -> web.StreamResponse:
    """Return the live figures of a browser's own line."""
    control = _line(request).control
    shown = request.app[STUDIO].shown(control.config)
    return web.json_response({"scene": shown, "figures": control.stats.snapshot()})


@routes.patch("/api/v1/sessions/{id}/scene")
async def change_session(request: web.Request) -> web.StreamResponse:
    """Change the scene of a browser's own line."""
    studio, control = request.app[STUDIO], _line(request).control
    changes = await read_json(request)
    await asyncio.to_thread(control.change, studio.scene(changes))
    return web.json_response(studio.shown(control.config))


@routes.delete("/api/v1/sessions/{id}")
async def leave(request: web.Request) -> web.StreamResponse:
    await peer_of(request).close()
    return web.Response(status=204)


def _line(request: web.Request) -> BrowserLine:
    line = peer_of(request).line
    if line is None:
        raise gate.refuse(web.HTTPNotFound, "this session only watches", "see /api/v1/state")
    return line


def _expect_camera(studio: Studio) -> None:
    if not studio.has_camera:
        raise gate.refuse(
            web.HTTPNotFound, "there is no camera here", "use this browser's own, by /offer"
        )
