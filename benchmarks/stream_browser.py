"""What a real Chromium sees, for `benchmarks.stream`: ages of pictures, and how many come."""

from __future__ import annotations

import json
import shutil
from typing import Annotated, Any

import typer
from playwright.sync_api import sync_playwright

from benchmarks.stream_server import BITS, BLOCK, SIZE, TOKEN

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--autoplay-policy=no-user-gesture-required", "--disable-dev-shm-usage"),
)

# Ages of presented pictures in ms, and the moment at which each was presented. Where the page is
# too busy for a picture it is presented without a word, and counted at the next one.
LOOK = """async ({ url, token, camera, bits, block, size, seconds }) => {
  const [width, height] = size;
  const headers = { Authorization: "Bearer " + token };
  const connection = new RTCPeerConnection();
  const video = Object.assign(document.createElement("video"), { autoplay: true, muted: true });
  connection.ontrack = (event) => { video.srcObject = new MediaStream([event.track]); };
  if (camera) {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d", { alpha: false });
    const draw = () => {
      const now = Date.now();
      context.fillStyle = "#305070"; context.fillRect(0, 0, width, height);
      context.fillStyle = "#a06040"; context.fillRect(500 + (now / 20) % 100, 200, 280, 520);
      for (let bit = 0; bit < bits; bit++) {
        context.fillStyle = Math.floor(now / 2 ** bit) % 2 ? "#fff" : "#000";
        context.fillRect(bit * block, 0, block, block);
      }
    };
    setInterval(draw, 33);
    connection.addTrack(canvas.captureStream(30).getVideoTracks()[0]);
  } else connection.addTransceiver("video", { direction: "recvonly" });
  const began = performance.now();
  await connection.setLocalDescription();
  await new Promise((done) => {
    if (connection.iceGatheringState === "complete") done();
    connection.onicegatheringstatechange = () =>
      connection.iceGatheringState === "complete" && done();
  });
  const sdp = connection.localDescription.sdp;
  let answer;
  if (camera) {
    headers["Content-Type"] = "application/json";
    const body = JSON.stringify({ type: "offer", sdp });
    answer = (await (await fetch(url + "/offer", { method: "POST", headers, body })).json()).sdp;
  } else {
    headers["Content-Type"] = "application/sdp";
    answer = await (await fetch(url + "/whep", { method: "POST", headers, body: sdp })).text();
  }
  await connection.setRemoteDescription({ type: "answer", sdp: answer });
  const strip = Object.assign(document.createElement("canvas"), { width: 4 * bits, height: 4 });
  const context = strip.getContext("2d", { willReadFrequently: true });
  const seen = [];
  let first = 0;
  const look = (_, { presentedFrames }) => {
    const now = Date.now();
    const part = video.videoWidth / width;
    context.drawImage(video, 0, 0, bits * block * part, block * part, 0, 0, 4 * bits, 4);
    const pixels = context.getImageData(0, 2, 4 * bits, 1).data;
    let made = 0;
    for (let bit = 0; bit < bits; bit++) if (pixels[4 * (4 * bit + 2)] > 128) made += 2 ** bit;
    first = first || performance.now() - began;
    seen.push([now, (now % 2 ** bits) - made, video.videoWidth, presentedFrames]);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  await new Promise((done) => setTimeout(done, 1000 * seconds));
  return { first, seen, codec: answer.match(/a=rtpmap:\\d+ (\\w+)/)[1] };
}"""


def look(url: str, camera: bool, seconds: float) -> dict[str, Any]:
    """Watch, or lend a drawn camera, and return every presented picture's age."""
    path = shutil.which("chromium")
    flags = [*FLAGS, f"--unsafely-treat-insecure-origin-as-secure={url}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        page = browser.new_page()
        page.goto(f"{url}/healthz")
        print("looking", flush=True)
        told = {"url": url, "token": TOKEN, "camera": camera, "seconds": seconds}
        found = page.evaluate(LOOK, {**told, "bits": BITS, "block": BLOCK, "size": list(SIZE)})
        browser.close()
    return dict(found)


def main(
    url: Annotated[str, typer.Argument()],
    camera: Annotated[bool, typer.Option()] = False,
    seconds: Annotated[float, typer.Option()] = 10.0,
) -> None:
    """Say when it looks, then print what was seen as JSON."""
    print(json.dumps(look(url, camera, seconds)))


if __name__ == "__main__":
    typer.run(main)
