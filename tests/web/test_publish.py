"""The line's picture goes to a server that hands it on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import av
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from realtime.address import Codec
from realtime.config import Config, IceServer
from realtime.errors import SinkLost
from realtime.frame import Frame
from realtime.pixels import to_bgr
from realtime.web import keys, publish, whip_client
from realtime.web.broadcast import Broadcast
from realtime.web.rtp import describe
from tests.web.guest import share_of
from tests.web.serving import BLUE, GREEN, composed, in_loop, served, taken, until


@asynccontextmanager
async def publishing(client: TestClient[Any, Any], url: str, token: str = "") -> AsyncIterator[Any]:
    """Publish the local line of a studio; gives all notices."""
    said: list[str] = []
    broadcast = client.server.app[keys.STUDIO].watch
    task = asyncio.create_task(publish.publish(broadcast, url, token, (), said.append))
    try:
        yield said
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "FIRST_RETRY_S", 0.1)
    monkeypatch.setattr(publish, "LAST_RETRY_S", 0.2)


@in_loop
async def test_a_line_is_published_and_published_again(config: Config, loopback: None) -> None:
    async with served(config, camera=True) as ours, served(config, token="t0ken") as theirs:
        async with publishing(ours, str(theirs.make_url("/whip")), "t0ken") as said:
            assert await until(lambda: composed(theirs), True)
            peers = theirs.server.app[keys.PEERS]
            await peers.close()
            assert await until(lambda: composed(theirs), True)
            assert [note.partition(" ")[0] for note in said] == ["published", "not", "published"]
        assert await until(lambda: taken(theirs), 0), "it says good-bye"


@in_loop
async def test_what_cannot_be_published_is_said(
    config: Config, loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whip_client, "REQUEST_S", 2.0)
    async with served(config, camera=True) as ours, served(config, token="t0ken") as theirs:
        watch, whip = str(theirs.make_url("/healthz")), str(theirs.make_url("/whip"))
        for url, token, words in (
            (whip, "wrong", "answers 401 (is --token right?)"),
            (watch, "t0ken", "answers 405 (is this a WHIP endpoint?)"),
            ("http://127.0.0.1:9/whip", "", "cannot be reached"),
            ("rtp://255.255.255.255:5004", "", "cannot be sent to"),
            ("rtp://no..name:5004", "", "cannot be sent to"),
        ):
            async with publishing(ours, url, token) as said:
                assert await until(lambda said=said: anything(said), True)
                assert all("not published" in note and words in note for note in said), said
        assert await taken(theirs) == 0
        assert ours.server.app[keys.STUDIO].watch.viewers == 0


async def anything(said: list[str]) -> bool:
    return bool(said)


@in_loop
async def test_the_same_failure_is_said_once(config: Config, loopback: None) -> None:
    tries: list[None] = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tries.append(None)
        writer.close()

    async def tried() -> bool:
        return len(tries) >= 3

    async def changed() -> bool:
        return len(said) >= 2

    async with served(config, camera=True) as ours:
        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with publishing(ours, f"http://127.0.0.1:{port}/whip") as said:
            assert await until(tried, True)
            assert len(said) == 1
            server.close()
            assert await until(changed, True), "another reason is said"


@in_loop
async def test_an_answer_that_is_none_leaves_nothing_behind(
    config: Config, loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(self: whip_client.WhipClient, offer: str) -> str:
        return "v=0\r\n"

    monkeypatch.setattr(whip_client.WhipClient, "_post", answer)
    async with served(config, camera=True) as ours:
        before = len(asyncio.all_tasks())
        async with publishing(ours, "http://127.0.0.1:9/") as said:
            assert await until(lambda: anything(said), True)
        assert "no answer that could be used" in said[0]
        assert len(asyncio.all_tasks()) <= before + 1


@in_loop
async def test_an_ice_server_that_is_none_is_said(loopback: None) -> None:
    server = IceServer(urls="stun:[::1]:3478")
    client = whip_client.WhipClient("http://127.0.0.1:9/", "", [server])
    try:
        with pytest.raises(SinkLost, match=r"nothing can be offered: .*see web\.ice_servers"):
            await client.open(Broadcast())
    finally:
        await client.close()


@pytest.mark.parametrize("size", [40_000, whip_client.MAX_ANSWER + 1])
@in_loop
async def test_an_answer_comes_in_parts_and_has_an_end(size: int) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=201)
        await response.prepare(request)
        for part in (size // 2, size - size // 2):
            await response.write(b"x" * part)
            await asyncio.sleep(0.05)
        return response

    app = web.Application()
    app.router.add_post("/whip", answer)
    async with TestServer(app) as server:
        client = whip_client.WhipClient(str(server.make_url("/whip")), "", ())
        try:
            if size <= whip_client.MAX_ANSWER:
                assert len(await client._post("offer")) == size
            else:
                with pytest.raises(SinkLost, match="without end"):
                    await client._post("offer")
        finally:
            await client.close()


@pytest.mark.parametrize("way", ["place", "redirect"])
@in_loop
async def test_the_token_is_for_its_own_server_alone(way: str) -> None:
    heard: list[tuple[str, str | None]] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append((request.method, request.headers.get("Authorization")))
        return web.Response(status=201, headers={"Location": "/session"})

    async def send_on(request: web.Request) -> web.Response:
        await answer(request)
        place = str(other.make_url("/whip" if way == "redirect" else "/session"))
        status = 307 if way == "redirect" else 201
        return web.Response(status=status, headers={"Location": place})

    ours, theirs = web.Application(), web.Application()
    ours.router.add_post("/whip", send_on)
    theirs.router.add_route("*", "/{any}", answer)
    async with TestServer(theirs) as other, TestServer(ours) as server:
        client = whip_client.WhipClient(str(server.make_url("/whip")), "t0ken", ())
        try:
            await client._post("offer")
        finally:
            await client.close()
    assert heard[0] == ("POST", "Bearer t0ken") and heard[-1] == ("DELETE", None)
    assert [token for _, token in heard[1:]] == [None] * (2 if way == "redirect" else 1)


@pytest.mark.parametrize("codec", ["H264", "VP8"])
@in_loop
async def test_a_player_receives_plain_rtp(config: Config, tmp_path: Path, codec: Codec) -> None:
    port = free_port()
    sdp = tmp_path / "stream.sdp"
    sdp.write_text(describe("127.0.0.1", port, codec))
    async with served(config, camera=True) as ours:
        url = f"rtp://127.0.0.1:{port}?codec={codec}"
        async with publishing(ours, url) as said:
            bgr = await asyncio.to_thread(first_picture, sdp)
            assert describe("127.0.0.1", port, codec) in said[0]
    assert share_of(bgr, GREEN) > 0.1 and share_of(bgr, BLUE) > 0.1


def first_picture(sdp: Path) -> Any:
    """Play an SDP file as ffplay would; the first packets are lost, since it comes late."""
    options = {"protocol_whitelist": "file,udp,rtp", "fflags": "nobuffer"}
    with av.open(str(sdp), options=options, timeout=20) as player:
        key = next(packet for packet in player.demux(video=0) if packet.is_keyframe)
        (picture,) = key.decode() or player.streams.video[0].decode(None)
        return to_bgr(Frame(picture.to_ndarray(format="yuv420p")))


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
