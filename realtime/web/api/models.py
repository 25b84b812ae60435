"""Networks and devices by HTTP."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from aiohttp import web

from realtime.build import DEFAULT_MODEL, find_model
from realtime.contract import Card
from realtime.errors import ModelError
from realtime.matting.engine import available_devices, read_card
from realtime.web.api.operation import respond
from realtime.web.keys import STUDIO
from realtime.web.look import Strict
from realtime.web.studio import Studio


class Model(Strict):
    """A network's card, in short."""

    name: str
    default: bool
    licence: str
    origin: str
    sizes: list[tuple[int, int]]
    classes: list[str]
    figures: dict[str, float]


class Device(Strict):
    """What OpenVINO can compute on; `name` is what `matting.device` takes."""

    name: str
    title: str


class Models(Strict):
    """What may be chosen."""

    models: list[Model]
    devices: list[Device]


async def read_models(request: web.Request) -> web.StreamResponse:
    return respond(await asyncio.to_thread(_found, request.app[STUDIO]))


def _found(studio: Studio) -> Models:
    """Describe networks; one whose file is gone, or broken, cannot be chosen."""
    models = []
    for name, known in studio.models().items():
        if name != "default":
            with suppress(ModelError, OSError):
                models.append(_model(name, known))
    titles = available_devices()
    devices = [Device(name=title.partition(" ")[0], title=title) for title in titles]
    return Models(models=models, devices=devices)


def _model(name: str, known: str) -> Model:
    path = find_model(known)
    card = _card(path, path.stat().st_mtime_ns)
    return Model(
        name=name,
        default=name == DEFAULT_MODEL,
        licence=card.licence,
        origin=card.origin,
        sizes=list(card.sizes),
        classes=list(card.classes),
        figures=card.figures,
    )


@lru_cache(maxsize=64)
def _card(path: Path, changed: int) -> Card:
    """Read a card again when its file has changed: all of them together take a second."""
    return read_card(path)
