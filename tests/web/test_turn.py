"""Through a real TURN server, coturn: whichever side has it, and nothing goes another way."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aioice.ice
import pytest
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection
from aiortc.rtcconfiguration import RTCIceTransportPolicy

from realtime.config import Config
from tests.web.guest import Browser, browser, post_sdp
from tests.web.serving import BLUE, GREEN, PATIENCE_S, in_loop, served, taken
from tests.web.test_publish import free_port

NAME, SECRET = "me", "s3cret"


@pytest.fixture(scope="module", autouse=True)
def coturn() -> None:
    if shutil.which("turnserver") is None:
        pytest.skip("there is no TURN server here: apt install coturn")


TRIES, START_S = 4, 8.0
"""A port that is free for TCP may be taken for UDP, or the next one, which coturn wants too."""


@asynccontextmanager
async def turn_server(folder: Path) -> AsyncIterator[str]:
    """Run coturn on loopback; gives its URL."""
    for number in range(TRIES):
        port, log = free_port(), folder / f"log{number}"
        process = await _started(port, log)
        try:
            if await _comes_up(process, port):
                yield f"turn:127.0.0.1:{port}"
                return
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
    pytest.fail(f"coturn does not start: {log.read_text() if log.exists() else 'no log'}")


async def _started(port: int, log: Path) -> asyncio.subprocess.Process:
    program = shutil.which("turnserver")
    assert program
    return await asyncio.create_subprocess_exec(
        program,
        *("-n", "--no-tls", "--no-dtls", "--no-cli", "--lt-cred-mech", "--realm", "scrim"),
        *("--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "--allow-loopback-peers"),
        *("--listening-port", str(port), "--user", f"{NAME}:{SECRET}"),
        *("--pidfile", str(log.with_suffix(".pid")), "--log-file", str(log), "--simple-log"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def _comes_up(process: asyncio.subprocess.Process, port: int) -> bool:
    """Wait until the server listens; say no where it ends or takes too long."""
    for _ in range(round(START_S / 0.1)):
        if await _is_up(port):
            return True
        if process.returncode is not None:
            return False
        await asyncio.sleep(0.1)
    return False


async def _is_up(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@in_loop
async def test_our_side_is_reached_by_turn(
    config: Config, loopback: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with turn_server(tmp_path) as url, browser() as guest:
        servers = [{"urls": url, "username": NAME, "credential": SECRET}]
        async with served(config, camera=True, ice_servers=servers) as ours:
            offer = await guest.offer()
            monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **kinds: [])
            answer = await (await post_sdp(ours, offer)).text()
            assert re.findall(r"a=candidate.* typ (\w+)", answer) == ["relay"]
            await guest.accept(answer)
            await guest.sees(GREEN, BLUE)


@in_loop
async def test_a_turn_server_that_is_gone_keeps_nobody_from_leaving(
    config: Config, loopback: None, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(turn_server(tmp_path))
        servers = [{"urls": url, "username": NAME, "credential": SECRET}]
        async with served(config, camera=True, ice_servers=servers) as ours, browser() as guest:
            answer = await post_sdp(ours, await guest.offer())
            await guest.accept(await answer.text())
            await guest.sees(GREEN, BLUE)
            await stack.aclose()
            async with asyncio.timeout(PATIENCE_S):  # asked in vain it is three times as long
                assert (await ours.delete(answer.headers["Location"])).status == 200
                assert await taken(ours) == 0


@in_loop
async def test_a_viewer_comes_by_turn(config: Config, loopback: None, tmp_path: Path) -> None:
    async with turn_server(tmp_path) as url:
        relay = RTCConfiguration(
            iceServers=[RTCIceServer(url, NAME, SECRET)],
            iceTransportPolicy=RTCIceTransportPolicy.RELAY,
        )
        guest = Browser(connection=RTCPeerConnection(relay))
        guest.connection.addTransceiver("video", direction="recvonly")
        async with served(config, camera=True) as ours:
            offer = await guest.offer()
            assert re.findall(r"a=candidate.* typ (\w+)", offer) == ["relay"]
            await guest.accept(await (await post_sdp(ours, offer)).text())
            await guest.sees(GREEN, BLUE)
            await guest.connection.close()
