"""The studio page when a camera, a picture or the server comes and goes, in a real Chromium."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from realtime.config import Config
from tests.browser.conftest import Serving, in_thread
from tests.browser.studio import (
    KEEP_CAMERAS,
    assert_no_room,
    lend_camera,
    open_live,
    open_studio,
    sees,
)
from tests.web.serving import studio_of


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


def test_a_server_that_comes_back_without_its_camera_is_told(
    page: Page, config: Config, serving: Serving
) -> None:
    with studio_of(config, camera=True) as studio, in_thread(studio, 0) as url:
        open_live(page, url)
        assert studio.control.runner
        studio.control.runner.searching = True
        expect(page.get_by_role("heading", name="The picture stopped")).to_be_visible()
        page.get_by_role("button", name="Reconnect").click()
        expect(page.get_by_role("button", name="Use this browser's camera")).to_be_visible()


def test_a_picture_that_stands_still_is_not_called_live(
    page: Page, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    with studio_of(config, camera=True) as studio, in_thread(studio, 0) as url:
        open_live(page, url)
        with monkeypatch.context() as held:
            held.setattr(studio.watch, "write", lambda frame: None)
            expect(page.get_by_role("status").first).to_have_text("No picture")
        expect(page.get_by_role("status").first).to_have_text("Live")


def test_a_line_that_breaks_is_watched_again(page: Page, serving: Serving) -> None:
    page.add_init_script("""
        window.lines = [];
        window.RTCPeerConnection = class extends RTCPeerConnection {
            constructor(...how) { super(...how); window.lines.push(this); }
        };
    """)
    with serving(camera=True) as url:
        open_live(page, url)
        page.evaluate("""() => {
            const [line] = window.lines;
            Object.defineProperty(line, "connectionState", { value: "failed" });
            line.onconnectionstatechange();
        }""")
        expect(page.get_by_role("heading", name="The picture stopped")).to_be_visible()
        expect(page.get_by_role("status").first).to_have_text("Live")
        assert page.evaluate("window.lines.length") == 2


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
    with serving(camera=True, port=port):  # and nobody has to press anything
        sees(page, "blue")
        assert_no_room(page)


def test_one_answer_that_is_missing_ends_nothing(page: Page, serving: Serving) -> None:
    with serving(camera=True) as url:
        open_live(page, url)
        page.route("**/api/v1/state", lambda route: route.abort(), times=1)
        expect(page.get_by_role("status").first).to_have_text("No answer")
        expect(page.get_by_role("status").first).to_have_text("Live")
        assert page.evaluate("document.getElementById('picture').srcObject !== null")
        assert_no_room(page)


def test_a_lent_camera_is_closed_when_the_server_is_gone(page: Page, serving: Serving) -> None:
    page.add_init_script(KEEP_CAMERAS)
    with serving() as url:
        open_studio(page, url)
        page.route("**/whep", lambda route: route.abort())
        lend_camera(page)
        expect(page.get_by_role("heading", name="The server is gone")).to_be_visible()
        assert page.evaluate("window.cameras.every((track) => track.readyState === 'ended')")


def test_a_lent_camera_stays_when_another_is_plugged_in(
    page: Page, config: Config, serving: Serving
) -> None:
    with studio_of(config, camera=True) as studio, in_thread(studio, 0) as url:
        assert studio.control.runner
        studio.control.runner.searching = True
        open_studio(page, url)
        lend_camera(page)
        sees(page, "blue")
        watched: list[str] = []
        page.on("request", lambda asked: asked.method == "POST" and watched.append(asked.url))
        studio.control.runner.searching = False
        for _ in range(5):
            with page.expect_response("**/api/v1/sessions/*"):
                pass
        assert not watched
        assert_no_room(page)
