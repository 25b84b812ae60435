"""The room's own picture: to who sits at this computer and asks for it, and to nobody else."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import aioice.ice
import cv2
import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer

from realtime.config import Config
from realtime.web import keys, server
from tests.web.guest import browser, share_of, watch
from tests.web.serving import BLUE, GREEN, PATIENCE_S, RED, bearer, error_of, in_loop, served, until


def own_page(client: TestClient[Any, Any]) -> dict[str, str]:
    """Return what a browser sends for a page of ours."""
    return {"Origin": str(client.make_url("/")).rstrip("/"), **bearer(client)}


async def picture_of(answer: Any) -> np.ndarray:
    async with asyncio.timeout(PATIENCE_S):
        size = int.from_bytes(await answer.content.readexactly(4), "big")
        jpeg = await answer.content.readexactly(size)
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


async def shown(client: TestClient[Any, Any]) -> bool:
    return client.server.app[keys.STUDIO].control.runner.room is not None


@in_loop
async def test_it_is_shown_to_its_own_page_and_to_no_viewer(config: Config, loopback: None) -> None:
    async with served(config, camera=True) as client, browser() as guest:
        await watch(client, guest)
        await guest.sees(GREEN, BLUE)
        async with client.post("/room", headers=own_page(client)) as answer:
            assert answer.status == 200
            for _ in range(3):
                assert share_of(await picture_of(answer), RED) > 0.3
            await guest.sees(GREEN, BLUE)  # asserts that it has seen no room on the way
            snapshot = await (await client.get("/snapshot.jpg")).read()
            jpeg = cv2.imdecode(np.frombuffer(snapshot, np.uint8), cv2.IMREAD_COLOR)
            assert share_of(jpeg, RED) < 0.01
            answer.close()
        assert await until(lambda: shown(client), False), "it ends with the request"


ATTACKS: dict[str, dict[str, str]] = {
    "no page": {"Origin": ""},
    "another page": {"Origin": "http://evil.example"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "a proxy": {"X-Forwarded-For": "127.0.0.1"},
    "a proxy's host": {"X-Forwarded-Host": "localhost"},
    "a proxy by the book": {"Forwarded": "for=127.0.0.1"},
    "a proxy that says its name": {"Via": "1.1 proxy"},
    "a proxy's other way": {"X-Real-IP": "127.0.0.1"},
    "another name": {"Host": "evil.example", "Origin": "http://evil.example"},
}


@pytest.mark.parametrize("attack", ATTACKS)
@in_loop
async def test_who_is_not_there_is_refused(config: Config, attack: str) -> None:
    async with served(config, camera=True) as client:
        headers = {**own_page(client), **ATTACKS[attack]}
        sent = {name: value for name, value in headers.items() if value}
        await error_of(await client.post("/room", headers=sent), 403)
        assert not await shown(client)


@in_loop
async def test_another_user_and_another_machine_are_refused(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(config, camera=True) as client:
        app = client.server.app
        for address in aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=False):
            # the same program, asked by its network address under a forged name
            async with TestServer(server.make_app(app[keys.STUDIO]), host=address) as far:
                name = {"Host": "localhost", "Origin": "http://localhost"}
                answer = await client.session.post(far.make_url("/room"), headers=name)
                assert "own computer" in await error_of(answer, 403)
        monkeypatch.setattr(os, "getuid", lambda: 12345)
        await error_of(await client.post("/room", headers=own_page(client)), 403)
    for web in ({"host": "0.0.0.0", "token": "s3cret"}, {"host": "::", "token": "s3cret"}):
        async with served(config, camera=True, **web) as client:
            await error_of(await client.post("/room", headers=own_page(client)), 403)


@in_loop
async def test_a_token_is_needed_too(config: Config) -> None:
    async with served(config, camera=True, token="s3cret") as client:
        origin = {"Origin": own_page(client)["Origin"]}
        await error_of(await client.post("/room", headers=origin), 401)
        async with client.post("/room", headers=own_page(client)) as answer:
            assert answer.status == 200
            await picture_of(answer)
            answer.close()


@in_loop
async def test_privacy_ends_it_and_a_second_look_the_first(config: Config) -> None:
    async with served(config, camera=True) as client:
        first = await client.post("/room", headers=own_page(client))
        await picture_of(first)
        second = await client.post("/room", headers=own_page(client))
        await picture_of(second)
        await asyncio.wait_for(first.read(), PATIENCE_S)
        client.server.app[keys.STUDIO].control.hide(True)
        await asyncio.wait_for(second.read(), PATIENCE_S)
        await error_of(await client.post("/room", headers=own_page(client)), 404)
        assert not await shown(client)


@in_loop
async def test_without_a_local_camera_there_is_no_room(config: Config) -> None:
    async with served(config) as client:
        await error_of(await client.post("/room", headers=own_page(client)), 404)
