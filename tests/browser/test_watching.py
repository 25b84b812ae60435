"""What a real browser sees of a broadcast: both codecs, their colours, and who comes later."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Serving

# Watches by WHEP in one codec only, and gives the colour in the picture's upper left corner.
WATCH = """async (codec) => {
  const connection = new RTCPeerConnection();
  const video = Object.assign(document.createElement("video"), { autoplay: true, muted: true });
  connection.ontrack = (event) => { video.srcObject = new MediaStream([event.track]); };
  const line = connection.addTransceiver("video", { direction: "recvonly" });
  const known = RTCRtpReceiver.getCapabilities("video").codecs;
  line.setCodecPreferences(known.filter((one) => one.mimeType === "video/" + codec));
  await connection.setLocalDescription();
  const answer = await fetch("/whep", { method: "POST", body: connection.localDescription.sdp,
                                        headers: { "Content-Type": "application/sdp" } });
  await connection.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  for (let seen = 0; seen < 5; seen++)  // the first keyframe may be coarse where it has to be small
    await new Promise((done) => video.requestVideoFrameCallback(done));
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 36 });
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 64, 36);
  const stats = [...(await connection.getStats()).values()];
  const received = stats.find((one) => one.type === "inbound-rtp");
  const used = stats.find((one) => one.id === received.codecId);
  return { codec: used.mimeType, size: [video.videoWidth, video.videoHeight],
           colour: [...context.getImageData(4, 4, 1, 1).data].slice(0, 3) };
}"""

TELLING = "#962896"
"""Read as BT.709 its 150, 40, 150 would be 158, 57, 153."""


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_colours_are_what_they_were(page: Page, serving: Serving, codec: str) -> None:
    with serving(camera=True) as url:
        change = {"scene.backdrop": TELLING}
        assert page.request.patch(f"{url}api/v1/scene", data=change).ok
        page.goto(f"{url}healthz")
        seen = page.evaluate(WATCH, codec)
    assert seen["codec"] == f"video/{codec}" and seen["size"] == [640, 360]
    assert seen["colour"] == pytest.approx([150, 40, 150], abs=8)


def test_who_comes_later_sees_the_same(chromium: Browser, serving: Serving) -> None:
    context = chromium.new_context()
    with serving(camera=True) as url:
        for codec in ("H264", "H264", "VP8"):
            page = context.new_page()
            page.goto(f"{url}healthz")
            colour = page.evaluate(WATCH, codec)["colour"]
            assert colour == pytest.approx([0, 0, 200], abs=8)
    context.close()


def test_the_page_asks_the_servers_of_the_configuration(page: Page, serving: Serving) -> None:
    page.add_init_script(
        """window.asked = [];
        window.RTCPeerConnection = class extends RTCPeerConnection {
          constructor(settings) { super(settings); window.asked.push(settings.iceServers); }
        };"""
    )
    turn = {"urls": "turn:127.0.0.1:9?transport=udp", "username": "me", "credential": "s3cret"}
    with serving(camera=True, ice_servers=[{"urls": "stun:127.0.0.1:9"}, turn]) as url:
        page.goto(url)
        page.wait_for_function("() => window.asked.length")
        assert page.evaluate("JSON.parse(JSON.stringify(window.asked[0]))") == [
            {"urls": "stun:127.0.0.1:9"},
            turn,
        ]
