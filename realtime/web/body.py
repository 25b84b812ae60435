"""Bodies of requests: bounded in size and in time, and of the type that was asked for."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any, NoReturn

from aiohttp import web

from realtime.errors import BadOffer, BodyTooLarge
from realtime.web import gate

BODY_TIMEOUT_S = 10.0
UPLOAD_TIMEOUT_S = 60.0

MAX_BODY = 128 * 1024
"""Bytes of a usual request; an offer has about 5,000."""

MAX_PICTURE = 32 * 2**20
"""Bytes of a picture that is sent."""

PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp")


async def read_json(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a body. Raises `BadOffer`, and what `read_body` raises."""
    expect_type(request, "application/json")
    try:
        text = await read_body(request)
        body = json.loads(text, parse_constant=_refuse_constant, parse_float=_number)
    except (ValueError, RecursionError) as error:
        raise BadOffer("the body is no JSON") from error
    if not isinstance(body, dict):
        raise BadOffer("the body is no JSON object")
    return body


async def read_picture(request: web.Request) -> bytes:
    """Return the bytes of a picture; what they really are is found out later."""
    expect_type(request, *PICTURE_TYPES)
    return await read_body(request, MAX_PICTURE, UPLOAD_TIMEOUT_S)


async def read_body(
    request: web.Request, most: int = MAX_BODY, timeout_s: float | None = None
) -> bytes:
    """Return a body of at most so many bytes, however it is sent.

    Raises `BodyTooLarge`, `BadOffer` for one that breaks off, `HTTPRequestTimeout` for a slow one.
    """
    if (request.content_length or 0) > most:
        raise BodyTooLarge(f"the body is larger than {most} bytes")
    data = bytearray()
    try:
        async with asyncio.timeout(timeout_s or BODY_TIMEOUT_S):
            async for chunk in request.content.iter_any():
                data += chunk
                if len(data) > most:
                    raise BodyTooLarge(f"the body is larger than {most} bytes")
    except TimeoutError as error:
        raise gate.refuse(web.HTTPRequestTimeout, "the body took too long") from error
    except (web.RequestPayloadError, ConnectionError) as error:  # wrongly coded, or its sender left
        raise BadOffer("the body cannot be read to its end") from error
    return bytes(data)


def expect_type(request: web.Request, *wanted: str) -> None:
    """Refuse a body of another content type."""
    if request.content_type not in wanted:
        raise gate.refuse(web.HTTPUnsupportedMediaType, f"send {' or '.join(wanted)}")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _number(text: str) -> float:
    """Read 7.0 as the integer that it is to JSON Schema, and no infinity out of 1e999."""
    value = float(text)
    if not math.isfinite(value):
        _refuse_constant(text)
    return int(value) if value.is_integer() else value
