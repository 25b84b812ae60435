"""Who hides, and who compares: the slate and the room on the studio page, in a real Chromium."""

from __future__ import annotations

from playwright.sync_api import APIResponse, Page, Route, expect

from tests.browser.conftest import Serving
from tests.browser.studio import (
    KEEP_CAMERAS,
    SHARES,
    assert_no_room,
    lend_camera,
    open_live,
    open_studio,
    sees,
)


def test_the_privacy_button_puts_the_slate_up(page: Page, serving: Serving) -> None:
    with serving(camera=True, hidden=True) as url:
        open_studio(page, url)
        expect(page.get_by_role("status").first).to_have_text("Hidden")
        page.get_by_role("button", name="Compare").click()
        said = page.get_by_role("alert").first
        expect(said).to_have_text("There is no picture of the room. Is it hidden?")
        page.get_by_role("button", name="Show me again").click()
        expect(page.get_by_role("button", name="Compare")).to_be_enabled()
        sees(page, "blue")
        page.keyboard.press("p")
        expect(page.get_by_role("status").first).to_have_text("Hidden")
        gone = (
            f"() => {{ const seen = ({SHARES})(); return seen && seen.green + seen.blue < 0.01; }}"
        )
        page.wait_for_function(gone)
        assert_no_room(page)


def test_the_line_is_hidden_also_by_who_does_not_watch(page: Page, serving: Serving) -> None:
    with serving(camera=True, max_peers=1) as url:
        open_live(page, url)
        page.get_by_role("button", name="Stop").click()
        page.get_by_role("button", name="Hide me").click()
        expect(page.get_by_role("button", name="Show me again")).to_be_visible()
        assert page.request.get(f"{url}api/v1/privacy").json() == {"hidden": True}
        page.get_by_role("button", name="Watch again").click()
        expect(page.get_by_role("status").first).to_have_text("Hidden")
        second = page.context.new_page()
        second.goto(url)
        expect(second.get_by_role("heading", name="All places are taken")).to_be_visible()
        second.get_by_role("button", name="Show me again").click()
        expect(page.get_by_role("status").first).to_have_text("Live")
        assert_no_room(page)


def test_who_hides_sends_the_server_nothing_either(page: Page, serving: Serving) -> None:
    page.add_init_script(KEEP_CAMERAS)
    with serving() as url:
        open_studio(page, url)
        lend_camera(page)
        sees(page, "blue")
        for name, sent in (("Hide me", False), ("Show me again", True)):
            page.get_by_role("button", name=name).click()
            page.wait_for_function(f"() => window.cameras[0].enabled === {str(sent).lower()}")
        sees(page, "blue")
        assert_no_room(page)


def test_an_answer_from_before_shows_nobody_again(page: Page, serving: Serving) -> None:
    page.add_init_script(KEEP_CAMERAS)
    old: list[tuple[Route, APIResponse]] = []

    def delay_first(route: Route) -> None:
        if old or route.request.method != "GET":
            route.continue_()
        else:
            old.append((route, route.fetch()))

    with serving() as url:
        open_studio(page, url)
        lend_camera(page)
        sees(page, "blue")
        page.route("**/api/v1/sessions/*", delay_first)
        while not old:
            page.wait_for_timeout(50)
        page.get_by_role("button", name="Hide me").click()
        expect(page.get_by_role("button", name="Show me again")).to_be_visible()
        page.evaluate(WATCH_CAMERA)
        (route, answer) = old[0]
        route.fulfill(response=answer)
        expect(page.get_by_role("status").first).to_have_text("Hidden")
        assert not page.evaluate("window.lit")
        assert_no_room(page)


def test_nor_does_a_younger_one_that_overtakes_the_order(page: Page, serving: Serving) -> None:
    page.add_init_script(KEEP_CAMERAS)
    slow: list[Route] = []
    with serving() as url:
        open_studio(page, url)
        lend_camera(page)
        sees(page, "blue")
        page.route("**/privacy", lambda route: slow.append(route))
        page.get_by_role("button", name="Hide me").click()
        page.evaluate(WATCH_CAMERA)
        for _ in range(2):
            with page.expect_response(lambda said: said.url.split("/")[-2] == "sessions"):
                pass
        page.wait_for_timeout(200)
        assert slow and not page.evaluate("window.lit")
        slow[0].continue_()
        expect(page.get_by_role("status").first).to_have_text("Hidden")
        assert_no_room(page)


WATCH_CAMERA = """() => {
  const [camera] = window.cameras;
  const enabled = Object.getOwnPropertyDescriptor(MediaStreamTrack.prototype, "enabled");
  window.lit = false;
  Object.defineProperty(camera, "enabled", {
    get() { return enabled.get.call(this); },
    set(on) { window.lit ||= on; enabled.set.call(this, on); },
  });
}"""


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
