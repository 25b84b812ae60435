"""The studio's pages, and a browser's own camera by /offer."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from realtime.errors import BadOffer
from realtime.web.body import read_json
from realtime.web.keys import PEERS, STUDIO
from realtime.web.look import read_look
from realtime.web.offer import read_offer
from realtime.web.peer import Peer, open_camera

STATIC = Path(__file__).parent / "static"

routes = web.RouteTableDef()


@routes.get("/")
async def page(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(STATIC / "index.html")


@routes.get("/photo")
async def photo_page(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(STATIC / "photo.html")


@routes.post("/offer")
async def offer_camera(request: web.Request) -> web.StreamResponse:
    """Take a browser's camera and send the composed picture back."""
    studio = request.app[STUDIO]
    body = await read_json(request)
    if body.get("type") != "offer" or not isinstance(body.get("sdp"), str):
        raise BadOffer("sdp and type are missing", 'send {"type": "offer", "sdp": "..."}')
    offer = read_offer(body["sdp"], ("sendrecv",))
    tables = await asyncio.to_thread(studio.tables, read_look(body.get("scene", {})))
    peers = request.app[PEERS]

    async def opened() -> Peer:
        config, model = await asyncio.to_thread(studio.control.prepare, tables)
        return await open_camera(config, model, peers.turns, offer)

    peer = await peers.join(opened, camera=True)
    return web.json_response({"type": "answer", "sdp": peer.answer, "session": peer.id})
