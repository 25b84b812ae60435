"""WHIP (RFC 9725): a camera comes in; and what it shares with WHEP, which is how pictures go out.

A session is a secret URL: `PATCH` brings candidates or begins ICE anew, `DELETE` ends it, all else
is 405.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from aiohttp import web

from realtime.config import IceServer
from realtime.web import fragment, gate
from realtime.web.body import expect_type, read_body
from realtime.web.keys import PEERS, STUDIO
from realtime.web.offer import read_offer
from realtime.web.peer import Peer, open_publisher

SDP = "application/sdp"

routes = web.RouteTableDef()


@routes.post("/whip")
async def publish(request: web.Request) -> web.StreamResponse:
    """Take a camera; `Link` says where its composed picture can be watched."""
    control, peers = request.app[STUDIO].control, request.app[PEERS]
    offer = read_offer(await read_sdp(request), ("sendonly", "sendrecv"))
    opened = partial(open_publisher, control.config, control.model, peers.turns, offer)
    peer = await peers.join(opened, camera=True)
    answer = created(peer, "/whip", control.config.web.ice_servers)
    answer.headers.add("Link", f'</whep/line/{peer.watch}>; rel="alternate"; type="{SDP}"')
    return answer


@routes.options("/whip")
@routes.options("/whep")
@routes.options("/whep/line/{watch}")
async def describe_endpoint(request: web.Request) -> web.StreamResponse:
    """Say what may be posted here, and which ICE servers there are."""
    response = web.Response(status=204, headers={"Allow": "OPTIONS, POST", "Accept-Post": SDP})
    return with_servers(response, request.app[STUDIO].control.config.web.ice_servers)


@routes.options("/whip/{id}")
@routes.options("/whep/{id}")
async def describe_session(request: web.Request) -> web.StreamResponse:
    """Say what may be done with a session."""
    headers = {"Allow": "DELETE, OPTIONS, PATCH", "Accept-Patch": fragment.TYPE}
    return web.Response(status=204, headers=headers)


@routes.patch("/whip/{id}")
@routes.patch("/whep/{id}")
async def trickle(request: web.Request) -> web.StreamResponse:
    """Take candidates that the client has found since its offer, or ICE of another network."""
    peer = peer_of(request)
    if request.content_type != fragment.TYPE:
        error = gate.refuse(web.HTTPUnsupportedMediaType, f"send {fragment.TYPE}")
        error.headers["Accept-Patch"] = fragment.TYPE
        raise error
    found = fragment.read_fragment((await read_body(request)).decode("utf-8", "replace"))
    expected = request.headers.get("If-Match")
    if expected is None:
        raise gate.refuse(web.HTTPPreconditionRequired, "send If-Match with the session's ETag")
    # The drafts' examples print the star in quotes, and clients copied it.
    if not {"*", '"*"', peer.tag} & {tag.strip() for tag in expected.split(",")}:
        raise gate.refuse(web.HTTPPreconditionFailed, "this is another ICE session's ETag")
    if not peer.is_new(found):
        await peer.trickle(found)
        return web.Response(status=204)
    ours = await peer.restart(found)
    return web.Response(body=ours.encode(), content_type=fragment.TYPE, headers={"ETag": peer.tag})


@routes.delete("/whip/{id}")
@routes.delete("/whep/{id}")
async def leave(request: web.Request) -> web.StreamResponse:
    """End a session."""
    await peer_of(request).close()
    return web.Response()


async def read_sdp(request: web.Request) -> str:
    """Return the SDP of a body."""
    expect_type(request, SDP)
    accepted = request.headers.get("Accept", "*/*")
    if not any(kind in accepted for kind in (SDP, "application/*", "*/*")):
        raise gate.refuse(web.HTTPNotAcceptable, f"the answer is {SDP}")
    return (await read_body(request)).decode("utf-8", "replace")


def created(peer: Peer, path: str, servers: Sequence[IceServer]) -> web.Response:
    """Return the answer to an offer: the SDP, whose type has no parameters (RFC 8866, section 8.1),
    and where the session is."""
    response = web.Response(status=201, body=peer.answer.encode(), content_type=SDP)
    response.headers["Location"] = f"{path}/{peer.id}"
    response.headers["ETag"] = peer.tag
    response.headers["Accept-Patch"] = fragment.TYPE
    return with_servers(response, servers)


def with_servers(response: web.Response, servers: Sequence[IceServer]) -> web.Response:
    """Name the ICE servers (RFC 9725, section 4.6)."""
    for server in servers:
        link = f'<{server.urls}>; rel="ice-server"'
        if server.username:
            link += f'; username="{server.username}"; credential="{server.credential}"'
            link += '; credential-type="password"'
        response.headers.add("Link", link)
    return response


def peer_of(request: web.Request) -> Peer:
    """Return the peer of a session's secret name."""
    peer = request.app[PEERS].get(request.match_info["id"])
    if peer is None:
        raise gate.refuse(web.HTTPNotFound, "no such session", "it has ended; start again")
    return peer
