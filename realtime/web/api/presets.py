"""Presets by HTTP: looks with a name. Choosing one is changing the scene to its look."""

from __future__ import annotations

import asyncio

from aiohttp import web
from pydantic import Field

from realtime.errors import UnknownName
from realtime.web.api.operation import respond
from realtime.web.body import read_json
from realtime.web.keys import STUDIO
from realtime.web.look import Look, Strict, checked, read_look

NAME = r"^[A-Za-z0-9\u00c0-\ud7ff][^\u0000-\u001f\u007f/\\]{0,39}$"


class PresetName(Strict):
    """What a preset may be called."""

    name: str = Field(pattern=NAME)


class Presets(Strict):
    """All presets by name, in the order in which they were first saved."""

    presets: dict[str, Look]


async def read_presets(request: web.Request) -> web.StreamResponse:
    found = await asyncio.to_thread(request.app[STUDIO].store.presets)
    return web.json_response({"presets": found})


async def save_preset(request: web.Request) -> web.StreamResponse:
    """Keep a look under a name; one that has it already is replaced."""
    studio = request.app[STUDIO]
    name = checked(PresetName, {"name": request.match_info["name"]}).name
    look = read_look(await read_json(request))
    studio.tables(look)  # names that stand for nothing are refused now, not when it is chosen
    new = await asyncio.to_thread(studio.store.save_preset, name, look)
    return respond(Look.model_validate(look), 201 if new else 200)


async def delete_preset(request: web.Request) -> web.StreamResponse:
    store = request.app[STUDIO].store
    if not await asyncio.to_thread(store.delete_preset, request.match_info["name"]):
        raise UnknownName("no such preset", "see /api/v1/presets")
    return web.Response(status=204)
