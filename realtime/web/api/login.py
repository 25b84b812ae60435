"""The token exchanged for a cookie, so that pictures and pages carry it by themselves."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from realtime.web import gate
from realtime.web.body import read_json
from realtime.web.keys import PASS
from realtime.web.look import Strict, checked


class Login(Strict):
    """The secret of `web.token`."""

    token: str = Field(max_length=1000)


async def log_in(request: web.Request) -> web.StreamResponse:
    """Answer the right token with a cookie that no script can read and no other page sends."""
    entry = request.app[PASS]
    given = checked(Login, await read_json(request)).token
    if not entry.is_token(given):
        raise await gate.refuse_token(request)
    response = web.Response(status=204)
    response.set_cookie(
        gate.COOKIE, entry.cookie, httponly=True, samesite="Strict", secure=request.secure, path="/"
    )
    return response


async def log_out(request: web.Request) -> web.StreamResponse:
    response = web.Response(status=204)
    response.del_cookie(gate.COOKIE, httponly=True, samesite="Strict", path="/")
    return response
