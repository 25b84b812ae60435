"""What a real Chromium sees, for `benchmarks.stream`: ages of pictures, and how many come.

What it has seen is taken from the page part by part, so that a long look fills no memory, and what
breaks off has told what it saw.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Annotated

import typer
from playwright.sync_api import Page, sync_playwright

from benchmarks.stream_ages import Seen
from benchmarks.stream_server import BITS, BLOCK, SIZE, TOKEN

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--autoplay-policy=no-user-gesture-required", "--disable-dev-shm-usage"),
)

# Sends a video track, or asks for the server's own line; gives the connection and what it shows.
CONNECT = """() => { window.connected = async (url, token, track) => {
  const headers = { Authorization: "Bearer " + token };
  const connection = new RTCPeerConnection();
  const video = Object.assign(document.createElement("video"), { autoplay: true, muted: true });
  connection.ontrack = (event) => { video.srcObject = new MediaStream([event.track]); };
  if (track) connection.addTrack(track);
  else connection.addTransceiver("video", { direction: "recvonly" });
  await connection.setLocalDescription();
  await new Promise((done) => {
    if (connection.iceGatheringState === "complete") done();
    connection.onicegatheringstatechange = () =>
      connection.iceGatheringState === "complete" && done();
  });
  const sdp = connection.localDescription.sdp;
  let answer;
  if (track) {
    headers["Content-Type"] = "application/json";
    const body = JSON.stringify({ type: "offer", sdp });
    answer = (await (await fetch(url + "/offer", { method: "POST", headers, body })).json()).sdp;
  } else {
    headers["Content-Type"] = "application/sdp";
    answer = await (await fetch(url + "/whep", { method: "POST", headers, body: sdp })).text();
  }
  await connection.setRemoteDescription({ type: "answer", sdp: answer });
  return { connection, video };
}; }"""

# Leaves in `seen` the ages of presented pictures in ms, and the moment at which each was presented.
# Where the page is too busy for a picture it is presented without a word, and counted at the next.
LOOK = """async ({ url, token, camera, bits, block, size }) => {
  const [width, height] = size;
  let track = null;
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
    track = canvas.captureStream(30).getVideoTracks()[0];
  }
  const { video } = await connected(url, token, track);
  const strip = Object.assign(document.createElement("canvas"), { width: 4 * bits, height: 4 });
  const context = strip.getContext("2d", { willReadFrequently: true });
  window.seen = [];
  const look = (_, { presentedFrames }) => {
    const now = Date.now();
    const part = video.videoWidth / width;
    context.drawImage(video, 0, 0, bits * block * part, block * part, 0, 0, 4 * bits, 4);
    const pixels = context.getImageData(0, 2, 4 * bits, 1).data;
    let made = 0;
    for (let bit = 0; bit < bits; bit++) if (pixels[4 * (4 * bit + 2)] > 128) made += 2 ** bit;
    seen.push([now, (now % 2 ** bits) - made, video.videoWidth, presentedFrames]);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
}"""

# Gives the ms from the wish to watch to the first picture that is presented.
JOIN = """async ({ url, token }) => {
  const began = performance.now();
  const { connection, video } = await connected(url, token, null);
  await new Promise((done) => video.requestVideoFrameCallback(done));
  const took = performance.now() - began;
  connection.close();
  return took;
}"""


@contextmanager
def page_of(url: str) -> Iterator[Page]:
    """Open a page of the server's; say when it is there."""
    path = shutil.which("chromium")
    flags = [*FLAGS, f"--unsafely-treat-insecure-origin-as-secure={url}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        page = browser.new_page()
        page.goto(f"{url}/healthz")
        page.evaluate(CONNECT)
        print("looking", flush=True)
        yield page


def look(url: str, camera: bool, warm: float, seconds: float) -> Iterator[Seen]:
    """Watch, or lend a drawn camera; once warm, yield what is new after every so many seconds."""
    with page_of(url) as page:
        told = {"url": url, "token": TOKEN, "camera": camera}
        page.evaluate(LOOK, {**told, "bits": BITS, "block": BLOCK, "size": list(SIZE)})
        page.wait_for_timeout(1000 * warm)
        page.evaluate("seen.splice(0)")
        while True:
            page.wait_for_timeout(1000 * seconds)
            yield page.evaluate("seen.splice(0)")


def join(url: str, count: int) -> list[float]:
    """Return the seconds in which a viewer had its first picture, one viewer after the other."""
    with page_of(url) as page:
        took = []
        for _ in range(count):
            page.wait_for_timeout(1000)
            took.append(page.evaluate(JOIN, {"url": url, "token": TOKEN}) / 1000)
        return took


def main(
    url: Annotated[str, typer.Argument()],
    camera: Annotated[bool, typer.Option()] = False,
    warm: Annotated[float, typer.Option(help="seconds that are left out")] = 0.0,
    seconds: Annotated[float, typer.Option(help="of each part")] = 10.0,
    parts: Annotated[int, typer.Option()] = 1,
    joins: Annotated[int, typer.Option(help="only join so often, and tell the seconds")] = 0,
) -> None:
    """Say when it looks, then print what was seen, a line of JSON a part."""
    if joins:
        return print(json.dumps(join(url, joins)), flush=True)
    for seen in islice(look(url, camera, warm, seconds), parts):
        print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    typer.run(main)
