"""The studio page in a real Chromium: what a person would do, and what they would see."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Literal

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from realtime.config import Config
from realtime.web.look import Look
from tests.browser.axe import assert_accessible
from tests.browser.conftest import in_thread
from tests.web.serving import studio_of

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


def open_live(page: Page, url: str, backdrop: str = "blue") -> None:
    """Open the studio of a local line and wait for its picture."""
    open_studio(page, url)
    sees(page, backdrop)


def lend_camera(page: Page) -> None:
    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="Use this browser's camera").click()


def test_a_browser_lends_its_camera(page: Page, serving: Serving) -> None:
    with serving() as url:
        open_studio(page, url)
        lend_camera(page)
        sees(page, "blue")
        expect(page.get_by_role("status").first).to_have_text("Live")
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


def test_a_camera_plugged_in_later_is_watched(page: Page, config: Config, serving: Serving) -> None:
    with studio_of(config, camera=True) as studio, in_thread(studio, 0) as url:
        assert studio.control.runner
        studio.control.runner.searching = True
        open_studio(page, url)
        expect(page.get_by_role("button", name="Use this browser's camera")).to_be_visible()
        with page.expect_response("**/api/v1/state"):  # and again and again
            pass
        studio.control.runner.searching = False
        sees(page, "blue")
        assert_no_room(page)


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


def test_every_setting_has_a_control_that_acts(page: Page, serving: Serving) -> None:
    with serving(camera=True) as url:
        open_live(page, url)
        keys = page.evaluate(
            "[...document.querySelectorAll('[data-key]')].map((x) => x.dataset.key)"
        )
        assert set(Look.model_json_schema()["properties"]) == {*keys, "scene.backdrop"}
        assert len(set(keys)) == len(keys)
        page.get_by_label("Smoothing", exact=True).fill("0.3")
        page.get_by_text("More").click()
        page.get_by_label("Edges follow the picture").select_option("off")
        page.get_by_label("Steady through changing light").uncheck()
        holds(page, {"temporal.strength": 0.3, "refine.method": "off", "light.time": False})
        page.get_by_role("button", name="Defaults").click()
        holds(page, {"temporal.strength": 0.8, "refine.method": "guided", "light.time": True})
        expect(page.get_by_label("Smoothing", exact=True)).to_have_value("0.8")
        assert_no_room(page)


def holds(page: Page, wanted: dict[str, object]) -> None:
    """Wait until the server says that these settings hold."""
    ask = "async () => (await (await fetch('/api/v1/scene')).json())"
    page.wait_for_function(
        f"async (wanted) => {{ const now = await ({ask})();"
        " return Object.entries(wanted).every(([key, value]) => now[key] === value); }",
        arg=wanted,
    )


def test_presets_are_saved_chosen_and_deleted(page: Page, serving: Serving) -> None:
    with serving(camera=True) as url:
        open_live(page, url)
        page.get_by_label("Name of the preset").fill("Blue hour")
        page.keyboard.press("Enter")
        preset = page.get_by_role("button", name="Blue hour", exact=True)
        expect(preset).to_have_attribute("aria-pressed", "true")
        page.get_by_role("button", name="Yellow wall").click()
        sees(page, "yellow")
        expect(preset).to_have_attribute("aria-pressed", "false")
        page.reload()
        sees(page, "yellow")
        preset.click()
        sees(page, "blue")
        page.get_by_role("button", name="Delete Blue hour").click()
        expect(preset).to_have_count(0)


def test_a_picture_is_uploaded_chosen_and_deleted(page: Page, serving: Serving) -> None:
    yellow = np.full((90, 160, 3), (0, 200, 200), np.uint8)
    coded = cv2.imencode(".png", yellow)[1].tobytes()
    with serving(camera=True) as url:
        open_live(page, url)
        broken = {"name": "broken.png", "mimeType": "image/png", "buffer": b"no picture"}
        page.get_by_label("Add a picture").set_input_files([broken])  # type: ignore[list-item]
        expect(page.locator("#panel-message")).to_contain_text("no JPEG, PNG or WebP")
        good = {"name": "My <i>beach.png", "mimeType": "image/png", "buffer": coded}
        page.get_by_label("Add a picture").set_input_files([good])  # type: ignore[list-item]
        sees(page, "yellow")
        tile = page.get_by_role("button", name="My i beach", exact=True)
        expect(tile).to_have_attribute("aria-pressed", "true")
        page.get_by_role("button", name="Delete My i beach").click()
        expect(tile).to_have_count(0)
        assert_no_room(page)


def test_the_privacy_button_puts_the_slate_up(page: Page, serving: Serving) -> None:
    with serving(camera=True, hidden=True) as url:
        open_studio(page, url)
        expect(page.get_by_role("status").first).to_have_text("Hidden")
        page.get_by_role("button", name="Show me again").click()
        sees(page, "blue")
        page.keyboard.press("p")
        expect(page.get_by_role("status").first).to_have_text("Hidden")
        gone = (
            f"() => {{ const seen = ({SHARES})(); return seen && seen.green + seen.blue < 0.01; }}"
        )
        page.wait_for_function(gone)
        assert_no_room(page)


SHOWS_ROOM = """() => { const video = document.getElementById("before");
      if (video.readyState < 2) return false;
      const canvas = document.createElement("canvas"); canvas.width = canvas.height = 8;
      const context = canvas.getContext("2d"); context.drawImage(video, 0, 0, 8, 8);
      const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
      return red > 150 && green < 80 && blue < 80; }"""


def test_before_and_after_of_the_own_camera(page: Page, serving: Serving) -> None:
    with serving() as url:
        open_studio(page, url)
        compare = page.get_by_role("button", name="Compare")
        expect(compare).to_be_disabled()
        lend_camera(page)
        sees(page, "blue")
        page.keyboard.press("c")
        expect(page.get_by_text("Your room: only you see it")).to_be_visible()
        page.wait_for_function(SHOWS_ROOM)
        wipe = page.get_by_label("Share of the picture that shows your room")
        wipe.press("End")
        assert page.evaluate("document.getElementById('screen').style.cssText") == "--wipe: 100%;"
        compare.click()
        expect(wipe).to_be_hidden()
        assert page.evaluate("document.getElementById('before').srcObject") is None
        assert_no_room(page)


def test_before_and_after_of_the_local_camera_ends_with_a_press(
    page: Page, serving: Serving
) -> None:
    with serving(camera=True) as url:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        open_live(page, url)
        badge = page.get_by_text("Your room: only you see it")
        expect(badge).to_be_hidden()
        assert f"{url}room" not in asked, "only a press asks for it"
        for end in ("c", "p"):  # the press itself, and privacy, which ends it at the server
            page.get_by_role("button", name="Compare").click()
            expect(badge).to_be_visible()
            page.wait_for_function(SHOWS_ROOM)
            page.keyboard.press(end)
            expect(badge).to_be_hidden()
            assert page.evaluate("document.getElementById('before').srcObject") is None
        assert_no_room(page)


def test_keys_act_but_not_while_writing(page: Page, serving: Serving) -> None:
    with serving(camera=True) as url:
        open_live(page, url)
        page.keyboard.press("2")
        sees(page, "yellow")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        name = page.get_by_label("Name of the preset")
        name.press_sequentially("bp 1")
        expect(name).to_have_value("bp 1")
        holds(page, {"scene.backdrop": "yellow-wall.png"})
        expect(page.get_by_role("button", name="Hide me")).to_be_visible()


def test_figures_and_verdict_are_live(page: Page, serving: Serving) -> None:
    with serving(camera=True) as url:
        open_live(page, url)
        for name in ("fps", "age", "matte", "flicker", "drops", "viewers"):
            expect(page.locator(f"[data-figure={name}]")).to_contain_text(re.compile(r"[0-9]"))
        expect(page.locator("#steps li", has_text="composite")).to_contain_text(re.compile("[0-9]"))
        expect(page.locator("#verdict")).to_have_text(re.compile("[A-Z]"))
        expect(page.get_by_text("delay it by")).to_contain_text(re.compile("[1-9].* ms"))
        page.wait_for_function("() => document.querySelector('.spark path').getAttribute('d')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_axe_finds_nothing_serious(
    page: Page, serving: Serving, scheme: Literal["light", "dark"], width: int
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})
    with serving(camera=True) as url:
        page.request.put(f"{url}api/v1/presets/One", data={"scene.blur": 0.5})
        open_live(page, url)
        page.get_by_text("More").click()
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
