"""The photo page in a real Chromium: pictures in, results beside them, saved as files."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import assert_accessible

Serving = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Two people before a red room, and a file that is no picture."""
    paths = [tmp_path / "ann.png", tmp_path / "bob.jpg", tmp_path / f"{'broken' * 20}.png"]
    for path in paths[:2]:
        bgr = np.full((400, 300, 3), (0, 0, 200), np.uint8)
        cv2.ellipse(bgr, (150, 160), (50, 70), 0, 0, 360, (140, 170, 225), -1)
        cv2.ellipse(bgr, (150, 380), (120, 140), 0, 0, 360, (120, 60, 40), -1)
        cv2.imwrite(str(path), bgr)
    paths[2].write_bytes(b"no picture")
    return paths


def saved(page: Page, name: str) -> np.ndarray:
    with page.expect_download() as download:
        page.locator(".result", has_text=name).get_by_role("link", name="Save").click()
    picture = cv2.imread(str(download.value.path()), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return picture


def test_photos_are_cut_out_coloured_and_saved(
    page: Page, serving: Serving, pictures: list[Path]
) -> None:
    with serving() as url:
        page.goto(f"{url}photo")
        expect(page.get_by_role("button", name="Clear")).to_have_attribute("aria-pressed", "true")
        page.locator("#files").set_input_files(pictures)
        expect(page.get_by_text("3 of 3")).to_be_visible()
        failed = page.locator(".result[data-state=failed]")
        expect(failed).to_contain_text("broken.png: This is no JPEG, PNG or WebP")
        expect(page.locator(".result").first).to_contain_text("ann.png")
        clear = saved(page, "ann.png")
        assert clear.shape == (400, 300, 4) and clear[5, 5, 3] < 5 and clear[160, 150, 3] > 240
        page.get_by_label("Colour as hex").fill("#c8c800")
        page.get_by_label("Save as").select_option("jpeg")
        page.get_by_label("Cut", exact=True).select_option("35x45")
        expect(page.locator(".result[data-state=waiting]").first).to_be_visible()
        expect(page.get_by_text("3 of 3")).to_be_visible()
        yellow = saved(page, "bob.jpg")
        assert yellow.shape == (531, 413, 3)
        assert np.abs(yellow[3, 3].astype(int) - (0, 200, 200)).max() < 30
        expect(page.locator("#all")).to_be_visible()


def test_photos_are_saved_together_tried_again_and_removed(
    page: Page, serving: Serving, pictures: list[Path]
) -> None:
    with serving() as url:
        page.goto(f"{url}photo")
        page.locator("#files").set_input_files(pictures)
        expect(page.get_by_text("3 of 3")).to_be_visible()
        downloads: list[str] = []
        page.on("download", lambda each: downloads.append(each.suggested_filename))
        page.get_by_role("button", name="Save all").click()
        while len(downloads) < 2:
            page.wait_for_timeout(50)
        assert downloads == ["ann-scrim.png", "bob-scrim.png"]
        page.get_by_role("button", name=re.compile("Try broken.* again")).click()
        expect(page.get_by_text("3 of 3")).to_be_visible()
        expect(page.get_by_role("status")).to_have_text("1 of 3 failed")
        page.get_by_role("button", name=re.compile("Remove broken")).click()
        expect(page.get_by_role("status")).to_have_text("Done")
        page.get_by_role("button", name="Remove ann").click()
        expect(page.get_by_role("button", name="Remove bob")).to_be_focused()
        page.get_by_role("button", name="Remove bob").click()
        expect(page.get_by_role("status")).to_have_text("Ready")
        expect(page.locator("#progress")).to_be_hidden()


def test_a_colour_that_is_none_is_told(page: Page, serving: Serving) -> None:
    with serving() as url:
        page.goto(f"{url}photo")
        page.get_by_label("Colour as hex").fill("#red")
        page.get_by_label("Cut", exact=True).focus()
        expect(page.get_by_role("alert")).to_contain_text("such as #ffffff")
        assert_accessible(page)
        page.get_by_label("Colour as hex").fill("#c80000")
        expect(page.get_by_role("alert")).to_be_empty()


def test_a_file_that_is_too_large_is_told(page: Page, serving: Serving, tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(bytes(33 * 2**20))
    with serving() as url:
        page.goto(f"{url}photo")
        page.locator("#files").set_input_files([tmp_path / "large.png"])
        expect(page.get_by_role("alert")).to_have_text("large.png is larger than 32 MB.")
        expect(page.locator(".result")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    page: Page, serving: Serving, pictures: list[Path], scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    with serving() as url:
        page.goto(f"{url}photo")
        page.locator("#files").set_input_files(pictures[1:])
        expect(page.get_by_text("2 of 2")).to_be_visible()
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
        page.set_viewport_size({"width": 375, "height": 800})
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
