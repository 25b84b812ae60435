"""The operations of the API: a row each, by which the server routes and the document is made."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from importlib.metadata import version

from aiohttp import web

from realtime.web.api import backdrops, line, login, models, photo, presets, watchdog
from realtime.web.api.document import describe
from realtime.web.api.operation import NOTHING, Operation
from realtime.web.body import PICTURE_TYPES
from realtime.web.keys import STUDIO
from realtime.web.look import Look
from realtime.web.studio import NAME

JSON = (400, 404, 408, 413, 415)
"""What goes wrong with a body of JSON, or with the line that it is for."""

PICTURE = (400, 408, 409, 413, 415, 422, 503)

OPERATIONS = (
    Operation("GET /api/v1/state", line.read_state, "The local line", {200: line.State}),
    Operation("GET /api/v1/scene", line.read_scene, "Its look", {200: Look}, errors=(404,)),
    Operation(
        "PATCH /api/v1/scene", line.change_scene, "Change it", {200: Look}, Look, errors=JSON
    ),
    Operation(
        *("GET /api/v1/privacy", line.read_privacy, "Whether the slate is up"),
        {200: line.Privacy},
        errors=(404,),
    ),
    Operation(
        *("PUT /api/v1/privacy", line.change_privacy, "Put the slate up or away"),
        *({200: line.Privacy}, line.Privacy),
        errors=JSON,
    ),
    Operation(
        *("GET /api/v1/sessions/{id}", line.read_session, "A browser's own line"),
        {200: line.Session},
        errors=(404,),
    ),
    Operation(
        *("DELETE /api/v1/sessions/{id}", line.end_session, "End it"),
        {204: NOTHING},
        errors=(404,),
    ),
    Operation(
        *("PATCH /api/v1/sessions/{id}/scene", line.change_scene, "Change its look"),
        *({200: Look}, Look),
        errors=JSON,
    ),
    Operation(
        *("PUT /api/v1/sessions/{id}/privacy", line.change_privacy, "Put its slate up or away"),
        *({200: line.Privacy}, line.Privacy),
        errors=JSON,
    ),
    Operation(
        *("GET /api/v1/backdrops", backdrops.read_backdrops, "What may stand behind a person"),
        {200: backdrops.Backdrops},
    ),
    Operation(
        *("POST /api/v1/backdrops", backdrops.upload_backdrop, "Upload a picture as a backdrop"),
        *({201: backdrops.Choice}, PICTURE_TYPES, backdrops.Title),
        errors=PICTURE,
    ),
    Operation(
        *("DELETE /api/v1/backdrops/{name}", backdrops.delete_backdrop, "Delete an upload"),
        {204: NOTHING},
        errors=(404,),
    ),
    Operation(
        *("GET /api/v1/backdrops/{name}/thumbnail", backdrops.read_thumbnail, "A small picture"),
        {200: "image/jpeg"},
        errors=(400, 404),
    ),
    Operation(
        *("GET /api/v1/presets", presets.read_presets, "Looks with a name"),
        {200: presets.Presets},
    ),
    Operation(
        *("PUT /api/v1/presets/{name}", presets.save_preset, "Keep a look under a name"),
        *({200: Look, 201: Look}, Look),
        errors=(*JSON, 409),
        names={"name": NAME},
    ),
    Operation(
        *("DELETE /api/v1/presets/{name}", presets.delete_preset, "Forget a preset"),
        {204: NOTHING},
        errors=(404,),
    ),
    Operation(
        "GET /api/v1/models", models.read_models, "Networks and devices", {200: models.Models}
    ),
    Operation(
        *("POST /api/v1/login", login.log_in, "Exchange the token for a cookie"),
        *({204: NOTHING}, login.Login),
        errors=(400, 408, 413, 415),
    ),
    Operation("DELETE /api/v1/login", login.log_out, "Forget the cookie", {204: NOTHING}),
    Operation(
        *("POST /api/v1/photo", photo.develop_photo, "A picture of a person before a backdrop"),
        *({200: ("image/png", "image/jpeg")}, PICTURE_TYPES, photo.Wishes),
        errors=(400, 404, 408, 413, 415, 422, 503),
    ),
    Operation("GET /healthz", watchdog.read_health, "Is it alive?", {200: watchdog.Health}),
    Operation(
        *("GET /readyz", watchdog.read_readiness, "Do pictures come?"),
        {200: watchdog.Health, 503: watchdog.Health},
    ),
    Operation("GET /metrics", watchdog.read_metrics, "For Prometheus", {200: "text/plain"}),
    Operation(
        *("GET /snapshot.jpg", watchdog.read_snapshot, "The newest composed picture"),
        {200: "image/jpeg"},
        errors=(404,),
    ),
)


async def read_document(request: web.Request) -> web.StreamResponse:
    """Return the document of the table above."""
    guarded = bool(request.app[STUDIO].control.config.web.token)
    text = await asyncio.to_thread(_document, guarded)
    return web.Response(text=text, content_type="application/json")


@cache
def _document(guarded: bool) -> str:
    """Make it once: it takes as long as a picture, and nothing in it changes."""
    return json.dumps(describe(OPERATIONS, version("scrim"), guarded))


def api_routes() -> list[web.RouteDef]:
    """Return what the server routes."""
    rows = [web.route(each.method, each.path, each.handler) for each in OPERATIONS]
    return [*rows, web.get("/api/v1/openapi.json", read_document)]
