"""Make README's pictures of the studio: `python -m tests.browser.pictures`, on a quiet machine.

The person and the room are drawn, the network is the default one, the figures are what they are.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import aioice.ice
import cv2
import numpy as np
from playwright.sync_api import Browser, sync_playwright

from realtime import pixels
from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.control import Control
from realtime.delivery import Outlet
from realtime.runner import Runner
from realtime.sources.pattern import PatternSource
from realtime.stats import Stats
from realtime.web.broadcast import Broadcast
from realtime.web.studio import Studio
from tests.browser.conftest import FLAGS, in_thread

DOCS = Path(__file__).parent.parent.parent / "docs"
SIZE, FPS = (1280, 720), 30.0
WINDOW = {"width": 1280, "height": 820}
SETTLED_MS = 20_000
"""Until the charts have something to show."""


def main() -> None:
    """Write docs/studio.jpg and docs/photo.jpg."""
    aioice.ice.get_host_addresses = lambda **kinds: ["127.0.0.1"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        scene = {"backdrop": "backdrops/morning-window.jpg"}
        config = Config().with_values({"scene": scene, "web": {"folder": folder}})
        model, stats, watch = load_model(config.matting), Stats(), Broadcast(FPS)
        line = Runner(
            lambda: PatternSource(SIZE, FPS),
            make_pipeline(config, model, stats),
            [Outlet("watchers", lambda: watch, FPS)],
            SIZE,
            stats,
        )
        line.start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        try:
            with in_thread(Studio(Control(config, model, stats, line), watch), 0) as url:
                _write("studio.jpg", _studio(browser, url))
                line.hidden = True
                _write("photo.jpg", _photo(browser, url, Path(folder)))
        finally:
            browser.close()
            line.stop()


def _studio(browser: Browser, url: str) -> bytes:
    page = browser.new_page(viewport=WINDOW)
    page.goto(url)
    page.wait_for_selector("#picture.on")
    for name, backdrop in (("Morning", "morning-window.jpg"), ("Calm", "blur")):
        page.request.put(f"{url}api/v1/presets/{name}", data={"scene.backdrop": backdrop})
    page.reload()
    page.wait_for_selector("#picture.on")
    page.wait_for_timeout(SETTLED_MS)
    return page.screenshot()


def _photo(browser: Browser, url: str, folder: Path) -> bytes:
    drawn = PatternSource((960, 1200), FPS)
    below_its_barcode = pixels.to_bgr(drawn.read())[160:]
    picture = folder / "portrait.png"
    cv2.imwrite(str(picture), below_its_barcode)
    drawn.close()
    page = browser.new_page(viewport=WINDOW)
    page.goto(f"{url}photo")
    page.get_by_role("button", name="Lamplit wall").click()
    page.locator("#files").set_input_files([picture])
    page.wait_for_selector(".result[data-state=done]")
    page.wait_for_timeout(500)
    return page.screenshot()


def _write(name: str, screenshot: bytes) -> None:
    bgr = cv2.imdecode(np.frombuffer(screenshot, np.uint8), cv2.IMREAD_COLOR)
    cv2.imwrite(str(DOCS / name), bgr, [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
