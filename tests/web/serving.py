"""A studio served to a test, and what tests ask of it."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.control import Control
from realtime.runner import Outlet, Runner
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


@asynccontextmanager
async def served(
    config: Config, *, camera: bool = False, **settings: object
) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """Serve a studio; with `camera` it has a local line that films the pattern."""
    config = config.with_values({"web": settings})
    model, stats, watch = load_model(config.matting), Stats(), Broadcast()
    line = None
    if camera:
        pipeline = make_pipeline(config, model, stats)
        outlet = Outlet("watchers", lambda: watch, FPS)
        line = Runner(lambda: PatternSource(SIZE, FPS, flat=True), pipeline, [outlet], SIZE, stats)
        line.start()
    try:
        app = server.make_app(Studio(Control(config, model, stats, line), watch))
        async with TestClient(TestServer(app)) as client:
            yield client
            assert await gone(client)
    finally:
        if line:
            await asyncio.to_thread(line.stop)


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
