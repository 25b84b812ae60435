"""A real Chromium with a camera of ours, and a studio in a thread for it to open."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import aioice.ice
import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from realtime.config import Config
from realtime.web.server import serve
from realtime.web.studio import Studio
from tests.web.serving import GREEN, RED, settings_of, studio_of

SIZE = (640, 360)
PATIENCE_S = 30.0

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection"),
    *("--use-fake-device-for-media-stream", "--disable-dev-shm-usage"),
)

Serving = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A camera's clip, Motion-JPEG: a green person before a red room."""
    path = tmp_path_factory.mktemp("clip") / "person.mjpeg"
    with path.open("wb") as file:
        for step in range(4):
            picture = np.full((SIZE[1], SIZE[0], 3), RED, np.uint8)
            picture[120:, 200 + 8 * step : 440 + 8 * step] = GREEN
            file.write(cv2.imencode(".jpg", picture)[1].tobytes())
    return path


@pytest.fixture(scope="module")
def chromium(clip: Path) -> Iterator[Browser]:
    """Debian's Chromium; its camera shows the clip."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("there is no chromium here: apt install chromium")
    camera = f"--use-file-for-fake-video-capture={clip}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, camera])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A new window; an error or a refused resource in its console fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
    expect.set_options(timeout=PATIENCE_S * 1000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda said: errors.append(said.text) if "Content Security" in said.text else None,
    )
    yield page
    context.close()
    assert not errors


@pytest.fixture
def config(toy_ir: Path, tmp_path: Path) -> Config:
    return settings_of(toy_ir, tmp_path, SIZE, "yellow-wall.png")


@pytest.fixture
def serving(config: Config, monkeypatch: pytest.MonkeyPatch) -> Serving:
    """Serve a studio from a thread of its own; ICE uses 127.0.0.1, which aioice leaves out."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **kinds: ["127.0.0.1"])

    @contextmanager
    def serve_studio(
        *, camera: bool = False, hidden: bool = False, port: int = 0, **web: object
    ) -> Iterator[str]:
        settings = config.with_values({"web": web})
        with (
            studio_of(settings, camera=camera, hidden=hidden) as studio,
            in_thread(studio, port) as url,
        ):
            yield url

    return serve_studio


@contextmanager
def in_thread(studio: Studio, port: int) -> Iterator[str]:
    """Run the server until the end of the block; gives its URL."""
    urls: list[str] = []
    up = threading.Event()
    stop: list[Callable[[], object]] = []

    def ready(url: str) -> None:
        urls.append(url)
        up.set()

    async def run() -> None:
        serving = asyncio.ensure_future(serve(studio, "127.0.0.1", port, ready))
        loop = asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(serving.cancel))
        await asyncio.wait([serving])

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert up.wait(PATIENCE_S)
    try:
        yield urls[0]
    finally:
        stop[0]()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
