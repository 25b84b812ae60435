"""What a person does with the studio page, and what they see in it."""

from __future__ import annotations

from playwright.sync_api import Page

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

KEEP_CAMERAS = """window.cameras = [];
const lend = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const camera = await lend(wanted);
  window.cameras.push(...camera.getTracks());
  return camera;
};"""

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


def holds(page: Page, wanted: dict[str, object]) -> None:
    """Wait until the server says that these settings hold."""
    ask = "async () => (await (await fetch('/api/v1/scene')).json())"
    page.wait_for_function(
        f"async (wanted) => {{ const now = await ({ask})();"
        " return Object.entries(wanted).every(([key, value]) => now[key] === value); }",
        arg=wanted,
    )
