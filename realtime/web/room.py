"""What the camera sees, for who sits at this computer and presses for it: before, beside after.

The one way out that does not lead through `composite`, so it is narrow. It is open to a page of our
own (Origin) in a browser of the same user, on a server that listens on loopback alone, over a
connection that nobody has forwarded; to one at a time, while the camera is not hidden. What is sent
is the answer to that one request, and ends with it.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from realtime.frame import Frame
from realtime.runner import Runner
from realtime.slot import Slot
from realtime.web import gate
from realtime.web.jpeg import encode_jpeg
from realtime.web.keys import STUDIO

PATIENCE_S = 2.0
"""Seconds without a frame, or without its reader, after which the stream ends."""

FORWARDED = ("forwarded", "via", "x-forwarded", "x-real-ip")
"""Beginnings of what proxies add (RFC 7239, RFC 9110)."""

SOCKETS = ("/proc/net/tcp", "/proc/net/tcp6")
"""Linux's tables of sockets and their users."""

routes = web.RouteTableDef()


@routes.post("/room")
async def show_room(request: web.Request) -> web.StreamResponse:
    """Send the camera's pictures: each its length, 4 bytes, big-endian, and a JPEG."""
    control = request.app[STUDIO].control
    if not (gate.is_loopback(control.config.web.host) and _is_here(request)):
        raise gate.refuse(
            web.HTTPForbidden, "the room is shown at its own computer only", "open the studio there"
        )
    line = control.runner
    if line is None or line.hidden:
        raise gate.refuse(web.HTTPNotFound, "there is no picture of the room", "is it hidden?")
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    slot = Slot[Frame]()
    if line.room:
        line.room.close()
    line.room = slot
    try:
        await response.prepare(request)
        await _send(response, line, slot)
    finally:
        slot.close()
        if line.room is slot:
            line.room = None
    return response


async def _send(response: web.StreamResponse, line: Runner, slot: Slot[Frame]) -> None:
    with suppress(ConnectionError, TimeoutError):
        while frame := await asyncio.to_thread(slot.take, PATIENCE_S):
            picture = await asyncio.to_thread(encode_jpeg, frame)
            if line.hidden:
                break
            async with asyncio.timeout(PATIENCE_S):
                await response.write(len(picture).to_bytes(4, "big") + picture)


def _is_here(request: web.Request) -> bool:
    """Say whether a request comes from our own page in a browser of this user, and directly.

    The gate has compared Origin and Host. Where the system does not tell whose a connection is,
    the token does.
    """
    if "Origin" not in request.headers or request.transport is None:
        return False
    if any(name.lower().startswith(FORWARDED) for name in request.headers):
        return False
    ends = [request.transport.get_extra_info(end) for end in ("peername", "sockname")]
    if not all(end and gate.is_loopback(end[0]) for end in ends):
        return False
    if not Path(SOCKETS[0]).exists():
        return bool(request.app[STUDIO].control.config.web.token)
    return _users(ends[0][1], ends[1][1]) == {os.getuid()}


def _users(port: int, to: int) -> set[int]:
    """Return whose the sockets are that lead from one port to another."""
    found = set()
    for table in SOCKETS:
        with suppress(OSError):
            for line in Path(table).read_text("ascii").splitlines()[1:]:
                _, local, remote, *_, user = line.split()[:8]
                if [int(end.rpartition(":")[2], 16) for end in (local, remote)] == [port, to]:
                    found.add(int(user))
    return found
