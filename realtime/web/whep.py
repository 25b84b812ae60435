"""WHEP (draft-ietf-wish-whep): a line's pictures go out. Sessions are as in `whip`."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from realtime.web import gate
from realtime.web.broadcast import Broadcast
from realtime.web.keys import PEERS, STUDIO
from realtime.web.offer import read_offer
from realtime.web.peer import open_watch
from realtime.web.sound import Sound
from realtime.web.whip import created, read_sdp

routes = web.RouteTableDef()


@routes.post("/whep")
async def watch(request: web.Request) -> web.StreamResponse:
    """Send the local line's picture."""
    studio = request.app[STUDIO]
    sdp = await read_sdp(request)
    if not studio.has_camera:
        raise gate.refuse(
            web.HTTPNotFound, "there is no camera here", "use this browser's own, by /offer"
        )
    return await _watch(request, studio.watch, None, sdp)


@routes.post("/whep/line/{watch}")
async def watch_published(request: web.Request) -> web.StreamResponse:
    """Send the composed picture of a camera that came by WHIP, and its sound."""
    sdp = await read_sdp(request)
    line = request.app[PEERS].line(request.match_info["watch"])
    if line is None:
        raise gate.refuse(web.HTTPNotFound, "no such line", "its camera has left")
    return await _watch(request, line.broadcast, line.sound, sdp)


async def _watch(
    request: web.Request, broadcast: Broadcast, sound: Sound | None, sdp: str
) -> web.StreamResponse:
    offer = read_offer(sdp, ("recvonly", "sendrecv"))
    servers = request.app[STUDIO].control.config.web.ice_servers
    opened = partial(open_watch, broadcast, sound, servers, offer)
    peer = await request.app[PEERS].join(opened, camera=False)
    return created(peer, "/whep", servers)
