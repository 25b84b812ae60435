"""Settings, presets, uploads, keys and figures beside the picture, in a real Chromium."""

from __future__ import annotations

import base64
import re
from typing import Literal

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from realtime.config import Config
from realtime.web.look import Look
from tests.browser.axe import assert_accessible
from tests.browser.conftest import Serving
from tests.browser.studio import assert_no_room, holds, open_live, sees


def test_every_setting_has_a_control_that_acts(page: Page, serving: Serving) -> None:
    with serving(camera=True) as url:
        open_live(page, url)
        keys = page.evaluate(
            "[...document.querySelectorAll('[data-key]')].map((x) => x.dataset.key)"
        )
        assert set(Look.model_json_schema()["properties"]) == {*keys, "scene.backdrop"}
        assert len(set(keys)) == len(keys)
        words = "async () => Object.keys((await import('/static/words.js')).SETTINGS)"
        assert {*page.evaluate(words), "matting.model", "matting.device"} == {*keys}
        assert page.locator("output:not([aria-live=off])").count() == 0, "sliders say it themselves"
        page.get_by_label("Smoothing", exact=True).fill("0.3")
        page.get_by_text("More", exact=True).click()
        page.get_by_label("Edges follow the picture").select_option("off")
        page.get_by_label("Steady through changing light").uncheck()
        seconds = page.get_by_label("Seconds for each picture of a folder")
        expect(seconds).to_have_value("30")
        seconds.fill("45")
        seconds.press("Enter")
        holds(page, {"scene.slide": 45.0})
        holds(page, {"temporal.strength": 0.3, "refine.method": "off", "light.time": False})
        page.get_by_role("button", name="Defaults").click()
        usual = Config().temporal.strength
        holds(page, {"temporal.strength": usual, "refine.method": "guided", "light.time": True})
        expect(page.get_by_label("Smoothing", exact=True)).to_have_value(str(usual))
        assert_no_room(page)


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
        assert page.request.delete(f"{url}api/v1/presets/Blue hour").ok  # in another window
        page.get_by_role("button", name="Delete Blue hour").click()
        expect(preset).to_have_count(0)
        expect(page.locator("#preset-message")).to_be_empty()
        expect(page.get_by_label("Name of the preset")).to_be_focused()
        page.keyboard.type("  ")
        page.keyboard.press("Enter")
        assert page.evaluate("document.querySelector('#save').matches(':invalid')")
        expect(page.locator("#preset-message")).to_be_empty()


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
        expect(page.get_by_role("button", name="Blurred room")).to_have_attribute(
            "aria-pressed", "true"
        )
        expect(page.get_by_label("Add a picture")).to_be_focused()


DROP = """([coded, size]) => {
  const files = new DataTransfer();
  const bytes = Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0));
  files.items.add(new File([bytes, new Uint8Array(size)], "dropped.png", { type: "image/png" }));
  const event = new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true });
  document.getElementById("figures").dispatchEvent(event);
  return event.defaultPrevented;
}"""


def test_a_picture_is_dropped_anywhere(page: Page, serving: Serving) -> None:
    yellow = np.full((90, 160, 3), (0, 200, 200), np.uint8)
    coded = base64.b64encode(cv2.imencode(".png", yellow)[1].tobytes()).decode()
    with serving(camera=True) as url:
        open_live(page, url)
        assert page.evaluate(DROP, [coded, 33 * 2**20]), "the browser would show it instead"
        expect(page.locator("#panel-message")).to_have_text("Dropped.png is larger than 32 MB.")
        assert page.evaluate(DROP, [coded, 0])
        sees(page, "yellow")
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
        page.get_by_text("More", exact=True).click()
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
