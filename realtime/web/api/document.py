"""The API's document, OpenAPI 3.1, made of the table that the server routes by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic.json_schema import models_json_schema

from realtime.web.api.operation import NOTHING, Operation, Schema
from realtime.web.gate import OPEN_PATHS
from realtime.web.look import Strict

Json = dict[str, Any]

ALWAYS = (401, 403)
"""What every operation may answer: no token, or another page that asks."""


class Error(Strict):
    """What went wrong and what to do about it."""

    error: str
    hint: str


def describe(operations: Iterable[Operation], version: str, guarded: bool) -> Json:
    """Return the document of operations; `guarded` says whether a token is asked for."""
    operations = list(operations)
    schemas: set[Schema] = {Error}.union(*map(_schemas, operations))
    named = sorted(schemas, key=lambda schema: schema.__name__)
    _, definitions = models_json_schema(
        [(schema, "serialization") for schema in named], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, Json] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Scrim",
            "version": version,
            "description": "Replaces the room behind a person on a webcam, live.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}, {"cookie": []}, *([] if guarded else [{}])],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "scrim"},
            },
        },
    }


def _schemas(operation: Operation) -> list[Schema]:
    every = [operation.body, *operation.answers.values()]
    return [schema for schema in every if isinstance(schema, type)]


def _operation(each: Operation) -> Json:
    answers = {str(status): _answer(status, kind) for status, kind in each.answers.items()}
    for status in (*ALWAYS, *each.errors):
        answers[str(status)] = _answer(status, Error)
    described: Json = {
        "operationId": each.handler.__name__ + ("_of_session" if "{id}" in each.path else ""),
        "summary": each.summary,
        "responses": answers,
    }
    if each.path in OPEN_PATHS:
        described["security"] = []
    if parameters := [*_path_parameters(each), *_query_parameters(each.query)]:
        described["parameters"] = parameters
    if each.body:
        described["requestBody"] = {"required": True, "content": _content(each.body)}
    return described


def _answer(status: int, kind: Schema | str | tuple[str, ...]) -> Json:
    answer: Json = {"description": HTTPStatus(status).phrase}
    if kind != NOTHING:
        answer["content"] = _content((kind,) if isinstance(kind, str) else kind)
    return answer


def _content(kind: Schema | tuple[str, ...]) -> Json:
    if isinstance(kind, tuple):
        return {media: {"schema": _text_or_bytes(media)} for media in kind}
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{kind.__name__}"}}}


def _text_or_bytes(media: str) -> Mapping[str, str]:
    return {"type": "string"} if media.startswith("text/") else {}


def _path_parameters(each: Operation) -> list[Json]:
    names = re.findall(r"{(\w+)}", each.path)
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, **_pattern(each.names.get(name))},
        }
        for name in names
    ]


def _pattern(pattern: str | None) -> Json:
    return {"pattern": pattern} if pattern else {}


def _query_parameters(query: Schema | None) -> list[Json]:
    if query is None:
        return []
    described = query.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": name in described.get("required", ()),
            "schema": schema,
        }
        for name, schema in described["properties"].items()
    ]
