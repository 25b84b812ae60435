"""A foreign client, GStreamer's webrtcbin, plays and publishes both codecs."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aioice.ice
import pytest

from realtime.address import Codec
from realtime.config import Config
from realtime.web import keys
from tests.web.guest import browser, post_sdp
from tests.web.serving import BLUE, GREEN, PATIENCE_S, SIZE, composed, in_loop, served, until

PYTHON = "/usr/bin/python3"  # the system's, which has the system's GStreamer
CLIENT = Path(__file__).with_name("gst_client.py")
PACKAGES = (
    "python3-gi gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice gstreamer1.0-libav "
    "gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly"
)


@pytest.fixture(scope="module", autouse=True)
def gstreamer() -> None:
    elements = ("webrtcbin", "nicesrc", "x264enc", "avdec_h264", "vp8enc", "rtph264pay")
    check = (
        "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstWebRTC', '1.0'); "
        "from gi.repository import Gst; Gst.init(None); "
        f"assert all(map(Gst.ElementFactory.find, {elements!r}))"
    )
    if (
        not Path(PYTHON).exists()
        or subprocess.run([PYTHON, "-c", check], capture_output=True).returncode
    ):
        pytest.skip(f"there is no GStreamer here: apt install {PACKAGES}")
    if not aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True):
        pytest.skip("there is no network interface here besides loopback")


@asynccontextmanager
async def gst_client(*arguments: str) -> AsyncIterator[asyncio.StreamReader]:
    """Run the client; gives what it prints."""
    pipe = asyncio.subprocess.PIPE
    client = await asyncio.create_subprocess_exec(
        PYTHON, str(CLIENT), *arguments, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    assert client.stdin and client.stdout
    try:
        yield client.stdout
    finally:
        client.stdin.close()
        try:
            await asyncio.wait_for(client.communicate(), PATIENCE_S)
        except TimeoutError:
            client.kill()
            await client.wait()


@pytest.mark.parametrize("codec", ["H264", "VP8"])
@in_loop
async def test_gstreamer_plays_the_line(config: Config, codec: Codec) -> None:
    async with (
        served(config, camera=True) as ours,
        gst_client("play", str(ours.make_url("/whep")), codec) as printed,
        asyncio.timeout(PATIENCE_S),
    ):
        width, height, red, green, blue = map(int, (await printed.readline()).split())
    assert (width, height) == SIZE
    assert red < 20 and green < 20 and blue == pytest.approx(BLUE[0], abs=20)


@pytest.mark.parametrize("codec", ["H264", "VP8"])
@in_loop
async def test_gstreamer_publishes_a_camera(config: Config, codec: Codec) -> None:
    async with (
        served(config) as ours,
        browser() as watcher,
        gst_client("publish", str(ours.make_url("/whip")), codec),
    ):
        assert await until(lambda: composed(ours), True)
        (peer,) = ours.server.app[keys.PEERS]._peers.values()
        answer = await post_sdp(ours, await watcher.offer(), f"/whep/line/{peer.watch}")
        await watcher.accept(await answer.text())
        await watcher.sees(GREEN, BLUE)
