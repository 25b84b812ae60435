"""Backdrops by HTTP: listed and shown by name, uploaded, deleted."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from pathlib import Path
from typing import Literal

from aiohttp import web
from pydantic import Field

from realtime.build import PICTURES, make_backdrop
from realtime.config import Scene
from realtime.errors import UnknownName
from realtime.web.api.operation import respond
from realtime.web.body import read_picture
from realtime.web.jpeg import encode_jpeg
from realtime.web.keys import INTAKE, PEERS, STUDIO
from realtime.web.look import Strict, checked
from realtime.web.upload import as_backdrop, own_name

THUMBNAIL = (320, 180)

COLOURS = ("#2f3e46", "#e8e4dc", "#35524a", "#7a4b3a")
"""Colours that the studio offers beside its own colour picker."""

Kind = Literal["blur", "colour", "picture", "video"]


class Choice(Strict):
    """A backdrop that may be chosen; colours are only a proposal, any other is allowed."""

    name: str
    kind: Kind
    uploaded: bool = Field(description="whether it may be deleted")


class Backdrops(Strict):
    """All backdrops."""

    backdrops: list[Choice]


class Title(Strict):
    """What an upload is called."""

    title: str = Field("", max_length=200)


async def read_backdrops(request: web.Request) -> web.StreamResponse:
    return respond(Backdrops(backdrops=await asyncio.to_thread(_choices, request)))


def _choices(request: web.Request) -> list[Choice]:
    studio = request.app[STUDIO]
    found = [_choice("blur", "blur"), *(_choice(colour, "colour") for colour in COLOURS)]
    for name, path in studio.backdrops().items():
        kind: Kind = "picture" if path.suffix.lower() in PICTURES else "video"
        found.append(_choice(name, kind, path.parent == studio.store.uploads))
    return found


def _choice(name: str, kind: Kind, uploaded: bool = False) -> Choice:
    return Choice(name=name, kind=kind, uploaded=uploaded)


async def upload_backdrop(request: web.Request) -> web.StreamResponse:
    """Keep a picture; the answer says under which name."""
    title = checked(Title, dict(request.query)).title
    intake = request.app[INTAKE]
    with intake.place():
        data = await read_picture(request)
        async with intake.turn:
            kept = await asyncio.to_thread(as_backdrop, data)
    name = own_name(title, kept)
    await asyncio.to_thread(request.app[STUDIO].store.save_upload, name, kept)
    return respond(_choice(name, "picture", True), 201)


async def delete_backdrop(request: web.Request) -> web.StreamResponse:
    """Delete an upload; a line that shows it could not be changed any more, and is blurred."""
    studio, name = request.app[STUDIO], request.match_info["name"]
    path = str(studio.store.uploads / name)
    # First, so that who is just choosing it either cannot any more or is found to show it.
    there = await asyncio.to_thread(studio.store.delete_upload, name)
    for control in [studio.control, *(line.control for line in request.app[PEERS].lines())]:
        if await asyncio.to_thread(control.lose, path) and control is studio.control:
            await asyncio.to_thread(studio.remember)
    if not there:
        raise UnknownName("no such upload", "only what was uploaded can be deleted here")
    return web.Response(status=204)


async def read_thumbnail(request: web.Request) -> web.StreamResponse:
    """Return a small JPEG of a picture or a video."""
    try:
        found = await asyncio.to_thread(request.app[STUDIO].backdrops)
        path = found[request.match_info["name"]].absolute()
        file = path.stat()
    except (KeyError, OSError) as error:
        raise UnknownName("no such backdrop", "choose one of /api/v1/backdrops") from error
    async with request.app[INTAKE].turn:
        jpeg = await asyncio.to_thread(_thumbnail, path, file.st_mtime_ns, file.st_size)
    return web.Response(body=jpeg, content_type="image/jpeg")


@lru_cache(maxsize=256)
def _thumbnail(path: Path, changed: int, size: int) -> bytes:
    """Open a file again when it has changed: a large one takes a second and 200 MB."""
    alone = Scene(backdrop=str(path), fit="crop")
    return encode_jpeg(make_backdrop(alone).alone(THUMBNAIL))
