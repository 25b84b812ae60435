"""Photographs by HTTP: a picture in, the same person before something else out."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from pydantic import Field

from realtime.errors import ConfigError
from realtime.photo import Cut, Format, Order
from realtime.web.body import read_picture
from realtime.web.keys import DARKROOM, INTAKE, STUDIO
from realtime.web.look import Strict, checked
from realtime.web.upload import expect_picture

CLEAR = "none"


class Wishes(Strict):
    """How a photograph is wanted."""

    backdrop: str = Field(CLEAR, description="a name, #rrggbb, blur, or none: clear, as PNG only")
    model: str = Field("", description="a name of /api/v1/models; empty = the one at work")
    format: Format = "png"
    cut: Cut = Field("none", description="millimetres of an identity photograph, at 300 dpi")


async def develop_photo(request: web.Request) -> web.StreamResponse:
    """Answer a picture with the person in it before the backdrop that is wished for."""
    wishes = checked(Wishes, dict(request.query))
    order = Order(wishes.format, wishes.cut, wishes.backdrop == CLEAR)
    if order.clear and order.format == "jpeg":
        raise ConfigError("JPEG cannot be clear", "wish for PNG or for a backdrop")
    tables = await asyncio.to_thread(request.app[STUDIO].tables, _look(wishes))
    with request.app[INTAKE].place():
        picture = await read_picture(request)
        await asyncio.to_thread(expect_picture, picture)
        photo = await request.app[DARKROOM].develop(picture, order, tables)
    return web.Response(body=photo, content_type=f"image/{order.format}")


def _look(wishes: Wishes) -> dict[str, Any]:
    backdrop = "#ffffff" if wishes.backdrop == CLEAR else wishes.backdrop
    look = {"scene.backdrop": backdrop, "scene.framing": False}
    return {**look, "matting.model": wishes.model} if wishes.model else look
