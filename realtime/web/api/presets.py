"""Presets by HTTP: looks with a name. Choosing one is changing the scene to its look."""

from __future__ import annotations

import asyncio

from aiohttp import web

from realtime.errors import UnknownName
from realtime.web.api.operation import respond
from realtime.web.body import read_json
from realtime.web.keys import STUDIO
from realtime.web.look import Look, Strict, read_look


class Presets(Strict):
    """All presets by name, in the order in which they were first saved."""

    presets: dict[str, Look]


async def read_presets(request: web.Request) -> web.StreamResponse:
    found = await asyncio.to_thread(request.app[STUDIO].store.presets)
    return web.json_response({"presets": found})


async def save_preset(request: web.Request) -> web.StreamResponse:
    """Keep a look under a name; one that has it already is replaced."""
    studio = request.app[STUDIO]
    look = read_look(await read_json(request))
    new = await asyncio.to_thread(studio.save_preset, request.match_info["name"], look)
    return respond(Look.model_validate(look), 201 if new else 200)


async def delete_preset(request: web.Request) -> web.StreamResponse:
    store = request.app[STUDIO].store
    if not await asyncio.to_thread(store.delete_preset, request.match_info["name"]):
        raise UnknownName("no such preset", "see /api/v1/presets")
    return web.Response(status=204)
