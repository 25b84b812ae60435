"""The studio's paths: one page, its API, and WebRTC by /offer and WHEP.

WHEP: draft-ietf-wish-whep. Bodies are small and bounded in size and time.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from realtime.build import backdrop_files
from realtime.errors import BadOffer
from realtime.web import gate
from realtime.web.line import BrowserLine
from realtime.web.offer import read_offer
from realtime.web.peer import Peer, open_camera, open_watch
from realtime.web.peers import Peers
from realtime.web.studio import Studio
from realtime.web.thumbnail import thumbnail

BODY_TIMEOUT_S = 10.0
STATIC = Path(__file__).parent / "static"

STUDIO = web.AppKey("studio", Studio)
PEERS = web.AppKey("peers", Peers)

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
    changes = await _json(request)
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
    body = await _json(request)
    if body.get("type") != "offer" or not isinstance(body.get("sdp"), str):
        raise BadOffer("sdp and type are missing", 'send {"type": "offer", "sdp": "..."}')
    scene = body.get("scene", {})
    if not isinstance(scene, dict):
        raise BadOffer("scene is no table", 'send {"backdrop": "blur"} or leave it away')
    offer = read_offer(body["sdp"], ("sendrecv",))
    control = studio.control
    config = control.config.with_values(studio.scene(scene))
    peer = await request.app[PEERS].join(partial(open_camera, config, control.model, offer))
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
    changes = await _json(request)
    await asyncio.to_thread(control.change, studio.scene(changes))
    return web.json_response(studio.shown(control.config))


@routes.post("/whep")
async def watch(request: web.Request) -> web.StreamResponse:
    """Send the local line's picture to a browser or to any other WHEP client."""
    studio = request.app[STUDIO]
    _expect_type(request, "application/sdp")
    sdp = (await _body(request)).decode("utf-8", "replace")
    _expect_camera(studio)
    offer = read_offer(sdp, ("recvonly", "sendrecv"))
    peer = await request.app[PEERS].join(partial(open_watch, studio.watch, offer))
    return web.Response(
        status=201,
        text=peer.answer,
        content_type="application/sdp",
        headers={"Location": f"/whep/{peer.id}", "ETag": f'"{_digest(peer.answer)}"'},
    )


@routes.options("/whep")
async def watch_options(request: web.Request) -> web.StreamResponse:
    headers = {"Allow": "OPTIONS, POST", "Accept-Post": "application/sdp"}
    return web.Response(status=204, headers=headers)


@routes.delete("/whep/{id}")
@routes.delete("/api/v1/sessions/{id}")
async def leave(request: web.Request) -> web.StreamResponse:
    await _peer(request).close()
    return web.Response(status=204)


def _peer(request: web.Request) -> Peer:
    peer = request.app[PEERS].get(request.match_info["id"])
    if peer is None:
        raise gate.refuse(web.HTTPNotFound, "no such session", "it has ended; start again")
    return peer


def _line(request: web.Request) -> BrowserLine:
    line = _peer(request).line
    if line is None:
        raise gate.refuse(web.HTTPNotFound, "this session only watches", "see /api/v1/state")
    return line


def _expect_camera(studio: Studio) -> None:
    if not studio.has_camera:
        raise gate.refuse(
            web.HTTPNotFound, "there is no camera here", "use this browser's own, by /offer"
        )


def _expect_type(request: web.Request, wanted: str) -> None:
    if request.content_type != wanted:
        raise gate.refuse(web.HTTPUnsupportedMediaType, f"send {wanted}")


async def _body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except TimeoutError as error:
        raise gate.refuse(web.HTTPRequestTimeout, "the body took too long") from error


async def _json(request: web.Request) -> dict[str, Any]:
    _expect_type(request, "application/json")
    try:
        body = json.loads(await _body(request))
    except (ValueError, RecursionError) as error:
        raise BadOffer("the body is no JSON") from error
    if not isinstance(body, dict):
        raise BadOffer("the body is no JSON object")
    return body


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
