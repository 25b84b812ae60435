"""What is thrown at a server like this one; afterwards it still serves."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from realtime.build import open_camera
from realtime.config import Camera, Config
from realtime.web import body, server
from realtime.web.routes import STATIC
from realtime.web.studio import Studio
from tests.web.attacks import ATTACKS, JSON, PNG, SDP, post, request
from tests.web.guest import OFFER
from tests.web.memory import used_mb
from tests.web.serving import in_loop, studio_of


@asynccontextmanager
async def listening(config: Config) -> AsyncIterator[tuple[int, Studio]]:
    """Serve a studio with a local line, as `scrim run` does; gives its port."""
    urls: list[str] = []
    with studio_of(config, camera=True) as studio:
        serving = asyncio.create_task(server.serve(studio, "127.0.0.1", 0, urls.append))
        try:
            while not urls and not serving.done():
                await asyncio.sleep(0.01)
            yield int(urls[0].rstrip("/").rpartition(":")[2]), studio
        finally:
            serving.cancel()
            await asyncio.wait([serving])


async def throw(port: int, sent: bytes) -> bytes:
    """Send bytes and return all that comes back until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def assert_tells_nothing(answer: bytes, config: Config) -> None:
    for secret in (b"Traceback", b"root:", b"site-packages", config.scene.folder.encode()):
        assert secret not in answer


async def assert_serves(port: int) -> None:
    for path in ("/", "/api/v1/state", "/snapshot.jpg", "/metrics"):
        assert status_of(await throw(port, request(f"GET {path}"))) == 200


@in_loop
async def test_each_attack_has_its_answer(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_TIMEOUT_S", 0.5)
    folder = Path(config.scene.folder)
    (folder.parent / "secret.png").write_bytes((folder / "yellow.png").read_bytes())
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    async with listening(config) as (port, studio):
        while studio.watch.newest is None:
            await asyncio.sleep(0.01)
        before = studio.control.config
        await assert_serves(port)
        wrong = {}
        for name, (sent, wanted) in ATTACKS.items():
            answer = await throw(port, sent)
            assert_tells_nothing(answer, config)
            if status_of(answer) != wanted:
                wrong[name] = (status_of(answer), wanted)
        assert not wrong
        assert studio.control.config == before and not studio.control.hidden
        assert not Path(config.web.folder).exists(), "nothing was stored"
        await assert_serves(port)


@in_loop
async def test_a_script_as_a_camera_is_a_name(config: Config) -> None:
    script = "<script>alert(1)</script>"
    async with listening(config) as (port, studio):
        line = studio.control.runner
        assert line
        line._open_source = lambda: open_camera(Camera(device=script), print)
        line.renew_source()
        while script not in studio.control.stats.state:
            await asyncio.sleep(0.01)
        head, _, text = (await throw(port, request("GET /api/v1/state"))).partition(b"\r\n\r\n")
        assert script in json.loads(text)["figures"]["state"]
        assert b"application/json" in head and b"nosniff" in head
        for path in ("/", "/healthz", "/readyz", "/metrics", "/snapshot.jpg"):
            assert script.encode() not in await throw(port, request(f"GET {path}"))


def test_the_pages_show_what_they_are_told_as_text() -> None:
    for path in STATIC.glob("*.js"):
        assert not re.search(r"HTML|document\.write|\beval\b|\bFunction\b", path.read_text()), path


@in_loop
async def test_slow_and_silent_connections_end(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "IDLE_S", 0.5)
    monkeypatch.setattr(body, "BODY_TIMEOUT_S", 0.5)
    started = request("POST /offer", headers=f"{JSON}Content-Length: 100\r\n")
    async with listening(config) as (port, _):
        for sent in (b"", b"GET / HTTP/1.1\r\nHost: local", started + b"{"):
            answers = await asyncio.gather(*(throw(port, sent) for _ in range(50)))
            assert all(not answer or status_of(answer) in (400, 408) for answer in answers)
        await assert_serves(port)


@in_loop
async def test_who_leaves_in_the_middle_of_a_body_is_no_error_of_ours(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    begun = request("POST /api/v1/backdrops", headers=f"{PNG}Content-Length: 100\r\n") + b"x"
    async with listening(config) as (port, studio):
        while studio.watch.newest is None:
            await asyncio.sleep(0.01)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(begun)
            await writer.drain()
            await assert_serves(port)
        finally:
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()
        await assert_serves(port)
        assert not caplog.records


@in_loop
async def test_a_flood_of_offers_takes_its_places_and_no_more(
    config: Config, loopback: None
) -> None:
    few = config.with_values({"web": {"max_peers": 2, "max_cameras": 1}})
    async with listening(few) as (port, _):
        sent = post("/whep", OFFER.replace("sendrecv", "recvonly"), SDP)
        answers = [status_of(await throw(port, sent)) for _ in range(40)]
        assert answers == [201, 201, *[503] * 38]
        await assert_serves(port)


@in_loop
async def test_nothing_is_leaked(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_TIMEOUT_S", 0.2)
    monkeypatch.setattr(server, "IDLE_S", 0.5)
    here = psutil.Process(os.getpid())
    async with listening(config) as (port, _):
        held: list[float] = []
        for _ in range(5):
            await asyncio.gather(*(throw(port, sent) for sent, _ in ATTACKS.values()))
            await asyncio.sleep(0.7)
            now = [here.num_fds(), len(asyncio.all_tasks()), used_mb()]
            held = held or now
        grown = [after - before for before, after in zip(held, now, strict=True)]
        assert max(grown) <= 2, f"descriptors, tasks, MB: {held}, then {now}"
        await assert_serves(port)
