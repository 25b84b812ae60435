"""The picture of the studio page in a real Chromium: lent, watched and refused."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Serving
from tests.browser.studio import (
    assert_no_room,
    lend_camera,
    open_live,
    open_studio,
    sees,
)


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


def test_viewers_are_those_of_the_picture_that_is_shown(page: Page, serving: Serving) -> None:
    with serving() as url:
        for each in (page, page.context.new_page()):
            open_studio(each, url)
            lend_camera(each)
            sees(each, "blue")
        expect(each.locator("[data-figure=viewers]")).to_have_text("1")


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


def test_the_last_choice_holds_however_slow_the_first_is(page: Page, serving: Serving) -> None:
    with serving(camera=True) as url:
        open_live(page, url)
        slow: list[Route] = []
        answered: list[str] = []

        def delay_first(route: Route) -> None:
            if slow or route.request.method != "PATCH":
                route.continue_()
            else:
                slow.append(route)

        page.route("**/api/v1/scene", delay_first)
        page.on(
            "response", lambda each: each.request.method == "PATCH" and answered.append(each.url)
        )
        page.get_by_role("button", name="Yellow wall").click()
        page.get_by_role("button", name="Colour #e8e4dc").click()
        with page.expect_response("**/api/v1/state"):  # time for the second to overtake
            pass
        slow[0].continue_()
        while len(answered) < 2:
            page.wait_for_timeout(50)
        scene = page.request.get(f"{url}api/v1/scene").json()
        assert scene["scene.backdrop"] == "#e8e4dc"
        assert_no_room(page)


def test_another_of_the_browsers_cameras_is_lent(page: Page, serving: Serving) -> None:
    page.add_init_script("""
        const lend = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        window.asked = [];
        navigator.mediaDevices.getUserMedia = (wanted) => {
            window.asked.push(wanted.video.deviceId?.ideal);
            return lend(wanted);
        };
        const list = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
        navigator.mediaDevices.enumerateDevices = async () =>
            [...(await list()), { kind: "videoinput", deviceId: "desk", label: "On the desk" }];
    """)
    with serving() as url:
        open_studio(page, url)
        expect(page.get_by_label("Camera", exact=True)).to_be_hidden()
        lend_camera(page)
        sees(page, "blue")
        page.get_by_label("Camera", exact=True).select_option("On the desk")
        page.wait_for_function("() => window.asked.length === 2")
        sees(page, "blue")
        assert page.evaluate("window.asked") == [None, "desk"]
        assert_no_room(page)
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_label("Camera", exact=True)).to_be_hidden()


def test_a_browser_without_webrtc_is_told(page: Page, serving: Serving) -> None:
    page.add_init_script("delete window.RTCPeerConnection")
    with serving(camera=True) as url:
        open_studio(page, url)
        expect(page.get_by_text("WebRTC is missing or turned off here.")).to_be_visible()


def test_a_refused_camera_is_explained(page: Page, serving: Serving) -> None:
    with serving() as url:
        open_studio(page, url)
        page.get_by_role("button", name="Use this browser's camera").click()
        expect(page.get_by_role("heading", name="The camera is blocked")).to_be_visible()
        expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_a_camera_that_does_not_start_is_explained(page: Page, serving: Serving) -> None:
    fails = "async () => { throw new DOMException('', 'AbortError'); }"  # without a word
    page.add_init_script(f"navigator.mediaDevices.getUserMedia = {fails}")
    with serving() as url:
        open_studio(page, url)
        page.get_by_role("button", name="Use this browser's camera").click()
        expect(page.get_by_role("heading", name="The camera does not start")).to_be_visible()
        expect(page.locator("#notice-text")).to_contain_text("Unplug it")


def test_a_token_is_asked_for_and_kept(page: Page, serving: Serving) -> None:
    with serving(token="s3cret") as url:
        open_studio(page, url)
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", name="That is not the token")).to_be_visible()
        expect(page.get_by_label("Token")).to_be_focused()
        expect(page.get_by_label("Token")).to_have_value("")
        page.get_by_label("Token").fill("s3cret")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Use this browser's camera")).to_be_visible()
        page.reload()
        expect(page.get_by_role("button", name="Use this browser's camera")).to_be_visible()


def test_a_look_that_is_gone_is_forgotten(page: Page, serving: Serving) -> None:
    with serving() as url:
        page.add_init_script("""localStorage["scrim-look"] ??= '{"scene.backdrop": "gone.jpg"}'""")
        open_studio(page, url)
        lend_camera(page)
        expect(page.get_by_role("heading", name="The last look is gone")).to_be_visible()
        expect(page.locator("#notice-text")).to_contain_text("No backdrop 'gone.jpg'")
        page.get_by_role("button", name="Start again").click()
        page.get_by_role("button", name="Use this browser's camera").click()
        sees(page, "blue")
        assert_no_room(page)


def test_a_browser_that_keeps_nothing_shows_the_picture(page: Page, serving: Serving) -> None:
    refuse = "{ get() { throw new DOMException('blocked', 'SecurityError'); } }"
    for name in ("localStorage", "sessionStorage"):
        page.add_init_script(f"Object.defineProperty(window, '{name}', {refuse})")
    with serving(camera=True) as url:
        open_live(page, url)
        page.get_by_role("button", name="Light or dark").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_telephone_is_not_offered_what_it_cannot_do(page: Page, serving: Serving) -> None:
    page.add_init_script(
        "Object.defineProperty(Document.prototype, 'fullscreenEnabled', { value: undefined });"
        "delete Element.prototype.requestFullscreen;"
    )
    with serving(camera=True) as url:
        open_live(page, url)
        expect(page.get_by_role("button", name="Full screen")).to_be_hidden()
        page.keyboard.press("f")
