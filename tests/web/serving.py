"""A studio served to a test, and what tests ask of it."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.contract import Size
from realtime.control import Control
from realtime.delivery import Outlet
from realtime.runner import Runner
from realtime.sources.pattern import PatternSource
from realtime.stats import Stats
from realtime.web import keys, server
from realtime.web.broadcast import Broadcast
from realtime.web.studio import Studio

SIZE = (320, 180)
FPS = 30.0
RED, GREEN, BLUE, YELLOW = (0, 0, 200), (0, 200, 0), (200, 0, 0), (0, 200, 200)
PATIENCE_S = 20.0


def in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an async test to its end."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), 60))

    return run


def settings_of(toy_ir: Path, folder: Path, size: Size, picture: str = "yellow.png") -> Config:
    """Return a studio's settings: a blue backdrop, and a folder of one yellow picture."""
    backdrops = folder / "backdrops"
    backdrops.mkdir()
    cv2.imwrite(str(backdrops / picture), np.full((90, 160, 3), YELLOW, np.uint8))
    return Config().with_values(
        {
            "camera": {"width": size[0], "height": size[1], "fps": FPS},
            "matting": {"model": str(toy_ir)},
            "scene": {"backdrop": "#0000c8", "folder": str(backdrops)},
            "web": {"folder": str(folder / "state")},
        }
    )


@contextmanager
def studio_of(config: Config, *, camera: bool, hidden: bool = False) -> Iterator[Studio]:
    """Give a studio; with `camera` it has a local line that films the pattern."""
    model, stats = load_model(config.matting), Stats()
    watch, size = Broadcast(FPS, stats), (config.camera.width, config.camera.height)
    if not camera:
        yield Studio(Control(config, model, stats, None), watch)
        return
    pipeline = make_pipeline(config, model, stats)
    outlet = Outlet("watchers", lambda: watch, FPS)
    line = Runner(lambda: PatternSource(size, FPS, flat=True), pipeline, [outlet], size, stats)
    line.hidden = hidden
    line.start()
    try:
        yield Studio(Control(config, model, stats, line), watch)
    finally:
        line.stop()


@asynccontextmanager
async def served(
    config: Config, *, camera: bool = False, **settings: object
) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """Serve a studio; with `camera` it has a local line that films the pattern."""
    with studio_of(config.with_values({"web": settings}), camera=camera) as studio:
        async with TestClient(TestServer(server.make_app(studio))) as client:
            yield client
            assert await gone(client)


async def taken(client: TestClient[Any, Any]) -> int:
    state = await (await client.get("/api/v1/state", headers=bearer(client))).json()
    return int(state["peers"]["taken"])


def bearer(client: TestClient[Any, Any]) -> dict[str, str]:
    token = client.server.app[keys.STUDIO].control.config.web.token
    return {"Authorization": f"Bearer {token}"} if token else {}


async def gone(client: TestClient[Any, Any]) -> bool:
    """Close all peers; wait until their places are free and no thread of theirs runs."""
    await client.server.app[keys.PEERS].close()
    assert not [thread for thread in threading.enumerate() if thread.name == "deliver browser"]
    return await until(lambda: taken(client), 0)


async def composed(client: TestClient[Any, Any]) -> bool:
    """Say whether a camera that came from elsewhere is being composed."""
    peers = list(client.server.app[keys.PEERS]._peers.values())
    return bool(peers) and peers[0].line.control.stats.snapshot()["frames"] > 0


async def until(ask: Callable[[], Awaitable[Any]], wanted: object) -> bool:
    async with asyncio.timeout(PATIENCE_S):
        while await ask() != wanted:
            await asyncio.sleep(0.02)
    return True


async def error_of(response: Any, status: int) -> str:
    """Assert an error in our form and return its words."""
    body = await response.json()
    assert response.status == status, body
    assert set(body) == {"error", "hint"} and body["error"]
    assert "Traceback" not in str(body)
    return str(body["error"])
