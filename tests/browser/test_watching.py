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
  for (let seen = 0; seen < 15; seen++)  // the first keyframe is coarse where it has to be small
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

# Watches by WHEP, begins ICE anew, twice, and waits for pictures over each new way.
RESTART = """async () => {
  const connection = new RTCPeerConnection();
  const video = Object.assign(document.createElement("video"), { autoplay: true, muted: true });
  connection.ontrack = (event) => { video.srcObject = new MediaStream([event.track]); };
  connection.addTransceiver("video", { direction: "recvonly" });
  const offered = async () => {
    await connection.setLocalDescription();
    while (connection.iceGatheringState !== "complete")
      await new Promise((done) => setTimeout(done, 20));
    return connection.localDescription.sdp;
  };
  const pictures = async (count) => {
    for (let seen = 0; seen < count; seen++)
      await new Promise((done) => video.requestVideoFrameCallback(done));
  };
  const way = async () => {
    const stats = [...(await connection.getStats()).values()];
    const chosen = stats.find((one) => one.type === "transport").selectedCandidatePairId;
    const { localCandidateId, remoteCandidateId } = stats.find((one) => one.id === chosen);
    const port = (id) => stats.find((one) => one.id === id).port;
    return [port(localCandidateId), port(remoteCandidateId)];
  };
  const answer = await fetch("/whep", { method: "POST", body: await offered(),
                                        headers: { "Content-Type": "application/sdp" } });
  const first = await answer.text(), place = answer.headers.get("Location");
  await connection.setRemoteDescription({ type: "answer", sdp: first });
  await pictures(5);
  const told = { ways: [await way()], tags: [answer.headers.get("ETag")], statuses: [] };
  for (let round = 0; round < 2; round++) {
    connection.restartIce();
    const wanted = /a=(?:ice-ufrag|ice-pwd|mid|candidate|end-of-candidates).*\\r\\n/g;
    const said = await fetch(place, {
      method: "PATCH", body: (await offered()).match(wanted).join(""),
      headers: { "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*" } });
    const ours = await said.text();
    const ice = /a=(?:ice-ufrag|ice-pwd|candidate|end-of-candidates).*\\r\\n/g;
    const sdp = first.replace(ice, "") + ours.match(ice).join("");
    await connection.setRemoteDescription({ type: "answer", sdp });
    let now = told.ways[round];
    for (let tries = 0; tries < 200 && now[1] === told.ways[round][1]; tries++) {
      await new Promise((done) => setTimeout(done, 50));
      now = await way();
    }
    await new Promise((done) => setTimeout(done, 500));  // what was on the old way has come
    await pictures(5);
    told.ways.push(now);
    told.tags.push(said.headers.get("ETag"));
    told.statuses.push(said.status);
  }
  return { ...told, state: connection.connectionState };
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


def test_a_browser_begins_ice_anew_and_goes_on_watching(page: Page, serving: Serving) -> None:
    with serving(camera=True) as url:
        page.goto(f"{url}healthz")
        seen = page.evaluate(RESTART)
        assert page.request.get(f"{url}api/v1/state").json()["peers"]["taken"] == 1
    assert seen["statuses"] == [200, 200] and len(set(seen["tags"])) == 3
    assert len(set(map(tuple, seen["ways"]))) == 3 and seen["state"] == "connected"


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
