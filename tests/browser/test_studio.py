"""The studio page in a real Chromium: what a person would do, and what they would see."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

from playwright.sync_api import Page, expect

Serving = Callable[..., AbstractContextManager[str]]

# Shares of the shown picture that are green, blue, yellow and red, through a canvas. Every look
# keeps the most red ever seen: the room must not show even for one picture.
SHARES = """() => {
  const video = document.getElementById("picture");
  if (!video.videoWidth || video.readyState < 2) return null;
  const canvas = document.createElement("canvas");
  canvas.width = 160; canvas.height = 90;
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 160, 90);
  const pixels = context.getImageData(0, 0, 160, 90).data;
  const near = (r, g, b) => {
    let n = 0;
    for (let i = 0; i < pixels.length; i += 4)
      n += Math.max(Math.abs(pixels[i] - r), Math.abs(pixels[i + 1] - g),
                    Math.abs(pixels[i + 2] - b)) < 60;
    return n / (pixels.length / 4);
  };
  return { green: near(0, 200, 0), blue: near(0, 0, 200), yellow: near(200, 200, 0),
           red: near(200, 0, 0) };
}"""

WATCH_FOR_ROOM = f"""() => {{
  window.mostRed = 0; window.looks = 0;
  const video = document.getElementById("picture");
  const look = () => {{
    const seen = ({SHARES})();
    if (seen) {{ window.mostRed = Math.max(window.mostRed, seen.red); window.looks += 1; }}
    video.requestVideoFrameCallback(look);
  }};
  video.requestVideoFrameCallback(look);
}}"""

OUTLINE = 0.01
"""Share of pixels along the outline where the toy's coarse matte may err; the room has half."""


def open_studio(page: Page, url: str) -> None:
    page.goto(url)
    page.evaluate(WATCH_FOR_ROOM)


def sees(page: Page, backdrop: str) -> None:
    """Wait until person and backdrop are seen."""
    wanted = f"seen.green > 0.05 && seen.{backdrop} > 0.3"
    page.wait_for_function(f"() => {{ const seen = ({SHARES})(); return seen && {wanted}; }}")


def assert_no_room(page: Page) -> None:
    page.wait_for_function("() => window.looks > 3")
    assert page.evaluate("window.mostRed") < OUTLINE


def lend_camera(page: Page) -> None:
    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="Use this browser's camera").click()


def test_a_browser_lends_its_camera(page: Page, serving: Serving) -> None:
    with serving() as url:
        open_studio(page, url)
        lend_camera(page)
        sees(page, "blue")
        expect(page.get_by_role("status")).to_have_text("Live")
        expect(page.locator("[data-figure=matte]")).to_contain_text("ms")
        page.get_by_role("button", name="Yellow wall").click()
        sees(page, "yellow")
        expect(page.get_by_role("button", name="Yellow wall")).to_have_attribute(
            "aria-pressed", "true"
        )
        assert_no_room(page)
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("button", name="Use this browser's camera")).to_be_focused()
        expect(page.locator("[data-figure=matte]")).to_have_text("–")
        taken = "async () => (await (await fetch('/api/v1/state')).json()).peers.taken"
        page.wait_for_function(f"async () => (await ({taken})()) === 0")


def test_a_choice_before_the_start_is_kept(page: Page, serving: Serving) -> None:
    with serving() as url:
        open_studio(page, url)
        page.get_by_role("button", name="Yellow wall").click()
        lend_camera(page)
        sees(page, "yellow")
        assert_no_room(page)


def test_the_page_watches_the_local_line(page: Page, serving: Serving) -> None:
    with serving(camera=True) as url:
        open_studio(page, url)
        sees(page, "blue")
        page.get_by_label("Any colour").fill("#c8c800")
        sees(page, "yellow")
        assert_no_room(page)
        page.get_by_role("button", name="Stop").click()
        page.get_by_role("button", name="Watch again").click()
        sees(page, "yellow")


def test_a_refused_camera_is_explained(page: Page, serving: Serving) -> None:
    with serving() as url:
        open_studio(page, url)
        page.get_by_role("button", name="Use this browser's camera").click()
        expect(page.get_by_role("heading", name="The camera is blocked")).to_be_visible()
        expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_a_token_is_asked_for_and_kept(page: Page, serving: Serving) -> None:
    with serving(token="s3cret") as url:
        open_studio(page, url)
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_label("Token")).to_have_value("")
        page.get_by_label("Token").fill("s3cret")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Use this browser's camera")).to_be_visible()
        page.reload()
        expect(page.get_by_role("button", name="Use this browser's camera")).to_be_visible()


def test_all_places_taken_and_the_server_gone(page: Page, serving: Serving) -> None:
    with serving(camera=True, max_peers=1) as url:
        open_studio(page, url)
        sees(page, "blue")
        second = page.context.new_page()
        second.goto(url)
        expect(second.get_by_role("heading", name="All places are taken")).to_be_visible()
        second.close()
    gone = re.compile("The server is gone|The picture stopped")  # which comes first
    expect(page.get_by_role("heading", name=gone)).to_be_visible()
    port = int(url.rstrip("/").rpartition(":")[2])
    with serving(camera=True, port=port):
        page.get_by_role("button", name="Reconnect").click()
        sees(page, "blue")
        assert_no_room(page)
