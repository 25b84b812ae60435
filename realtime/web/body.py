"""Bodies of requests: bounded in size and in time, and of the type that was asked for."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

from realtime.errors import BadOffer
from realtime.web import gate

BODY_TIMEOUT_S = 10.0


async def read_json(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a body. Raises `BadOffer`."""
    expect_type(request, "application/json")
    try:
        body = json.loads(await read_body(request))
    except (ValueError, RecursionError) as error:
        raise BadOffer("the body is no JSON") from error
    if not isinstance(body, dict):
        raise BadOffer("the body is no JSON object")
    return body


async def read_body(request: web.Request) -> bytes:
    """Return a body."""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except TimeoutError as error:
        raise gate.refuse(web.HTTPRequestTimeout, "the body took too long") from error


def expect_type(request: web.Request, wanted: str) -> None:
    """Refuse a body of another content type."""
    if request.content_type != wanted:
        raise gate.refuse(web.HTTPUnsupportedMediaType, f"send {wanted}")
