"""Publishing to a real SFU, Debian's Janus, which hands the picture on."""

from __future__ import annotations

import shutil
from pathlib import Path

import aioice.ice
import pytest

from realtime.config import Config
from realtime.web import keys
from tests.web.guest import Browser
from tests.web.janus import running_janus, watch_mount, watch_room, whip_shim
from tests.web.serving import BLUE, GREEN, in_loop, served, until
from tests.web.test_publish import publishing


@pytest.fixture(scope="module", autouse=True)
def janus() -> None:
    if shutil.which("janus") is None:
        pytest.skip("there is no Janus here: apt install janus")
    if not aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True):
        pytest.skip("there is no network interface here besides loopback, which Janus leaves out")


@in_loop
async def test_janus_hands_on_what_comes_by_whip(config: Config, tmp_path: Path) -> None:
    async with (
        served(config, camera=True) as ours,
        running_janus(tmp_path) as janus,
        whip_shim(janus, "t0ken") as (url, feeds),
    ):
        async with publishing(ours, url, "t0ken") as said:
            assert await until(lambda: length(said), 1) and said[0] == f"published to {url}"
            for _ in range(2):
                await sees(await watch_room(janus, feeds[0]))
            assert ours.server.app[keys.STUDIO].watch.viewers == 1, "Janus is the only one"
        assert await until(lambda: length(feeds), 0), "it says good-bye"


@in_loop
async def test_janus_hands_on_what_comes_by_rtp(config: Config, tmp_path: Path) -> None:
    async with (
        served(config, camera=True) as ours,
        running_janus(tmp_path) as janus,
        publishing(ours, f"rtp://127.0.0.1:{janus.rtp}"),
    ):
        await sees(await watch_mount(janus))


async def sees(guest: Browser) -> None:
    try:
        await guest.sees(GREEN, BLUE)
    finally:
        await guest.connection.close()


async def length(found: list[object]) -> int:
    return len(found)
