"""One operation of the API, as the server routes it and as the document describes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import BaseModel

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Schema = type[BaseModel]

NOTHING = ""


@dataclass(frozen=True)
class Operation:
    """`route` is method and path, such as "GET /api/v1/state".

    `answers` says what each good status carries: a model as JSON, media types, or `NOTHING`.
    `body` is a model for JSON, or the media types that are taken. `errors` are the statuses
    besides 401 and 403, which every operation has. `names` are patterns of names in the path.
    """

    route: str
    handler: Handler
    summary: str
    answers: Mapping[int, Schema | str | tuple[str, ...]]
    body: Schema | tuple[str, ...] | None = None
    query: Schema | None = None
    errors: tuple[int, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def method(self) -> str:
        return self.route.split(" ")[0]

    @property
    def path(self) -> str:
        return self.route.split(" ")[1]


def respond(answer: BaseModel, status: int = 200) -> web.Response:
    """Return a model as JSON, under the names that the document gives."""
    text = answer.model_dump_json(by_alias=True, exclude_unset=True)
    return web.Response(text=text, status=status, content_type="application/json")
