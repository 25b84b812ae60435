"""Who may ask what of the studio."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiortc.rtcdtlstransport import generate_certificate
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from realtime.build import load_model
from realtime.config import Config
from realtime.control import Control
from realtime.errors import ConfigError
from realtime.stats import Stats
from realtime.web import gate, server
from realtime.web.broadcast import Broadcast
from realtime.web.studio import Studio
from tests.web.serving import error_of, in_loop, served


@in_loop
async def test_the_page_may_load_nothing_from_elsewhere(config: Config) -> None:
    async with served(config) as client:
        page = await client.get("/")
        text = await page.text()
        assert "<title>Scrim</title>" in text
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=|https?://", text)
        for path in re.findall(r'(?:src|href)="([^"]+)"', text):
            assert (await client.get(path)).status == 200
        missing = await client.get("/static/..%2fserver.py")
        assert missing.status in (403, 404)
        assert missing.headers["X-Content-Type-Options"] == "nosniff"
        assert await (await client.get("/healthz")).json() == {"ok": True, "state": "no camera"}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(("localhost:8080", 200), ("127.0.0.1", 200), ("[::1]:1", 200)),
        *(("evil.example", 403), ("localhost.evil.example", 403), ("10.0.0.1", 403), ("[", 403)),
    ],
)
@in_loop
async def test_other_names_are_refused(config: Config, host: str, status: int) -> None:
    async with served(config) as client:
        assert (await client.get("/", headers={"Host": host})).status == status


@pytest.mark.parametrize(("host", "status"), [("10.0.0.1:80", 200), ("evil.example", 403)])
@in_loop
async def test_who_listens_everywhere_has_any_address(
    config: Config, host: str, status: int
) -> None:
    async with served(config, host="0.0.0.0", token="s3cret") as client:
        assert (await client.get("/healthz", headers={"Host": host})).status == status


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1"])
@in_loop
async def test_other_pages_may_not_ask(config: Config, origin: str) -> None:
    async with served(config, camera=True) as client:
        ours = str(client.make_url("/")).rstrip("/")
        change = {"scene.backdrop": "#00ff00"}
        answer = await client.patch("/api/v1/scene", json=change, headers={"Origin": origin})
        assert "other pages" in await error_of(answer, 403)
        answer = await client.patch("/api/v1/scene", json=change, headers={"Origin": ours})
        assert answer.status == 200


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong token does not wait for its answer."""
    monkeypatch.setattr(gate, "WRONG_S", (0, 0))


@in_loop
async def test_a_token_is_asked_for(config: Config, at_once: None) -> None:
    async with served(config, token="s3cret") as client:
        assert (await client.get("/")).status == 200
        for given in ("", "Bearer wrong", "Bearer", "Basic s3cret", "Bearer s3cret\u00e9"):
            for path in ("/api/v1/state", "/offer", "/whep", "/whep/x", "/api/nothing"):
                answer = await client.get(path, headers={"Authorization": given})
                assert "token" in await error_of(answer, 401)
                assert answer.headers["WWW-Authenticate"] == "Bearer"
        right = {"Authorization": "Bearer s3cret"}
        assert (await client.get("/api/v1/state", headers=right)).status == 200


@in_loop
async def test_the_token_is_exchanged_for_a_cookie(config: Config) -> None:
    async with served(config, token="s3cret") as client:
        wrong = await client.post("/api/v1/login", json={"token": "wrong"})
        assert "token" in await error_of(wrong, 401)
        assert not wrong.cookies
        right = await client.post("/api/v1/login", json={"token": "s3cret"})
        cookie = right.cookies[gate.COOKIE]
        assert (
            cookie["httponly"] and cookie["samesite"] == "Strict" and "s3cret" not in cookie.value
        )
        cookies = {gate.COOKIE: cookie.value}
        for jar, status in ((cookies, 200), ({gate.COOKIE: "guess"}, 401), ({}, 401)):
            client.session.cookie_jar.clear()
            assert (await client.get("/api/v1/state", cookies=jar)).status == status
    async with served(config, token="s3cret") as client:
        again = await client.get("/api/v1/state", cookies=cookies)
        assert again.status == 401, "it ends with the program"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "laptop.local"])
def test_an_open_address_needs_a_token(config: Config, host: str) -> None:
    open_to_all = config.with_values({"web": {"host": host}})
    model = load_model(config.matting)
    studio = Studio(Control(open_to_all, model, Stats(), None), Broadcast())
    with pytest.raises(ConfigError, match="needs a token"):
        server.make_app(studio)
    studio = Studio(Control(config, model, Stats(), None), Broadcast())
    with pytest.raises(ConfigError, match="needs a token"):
        asyncio.run(server.serve(studio, host, 0, print))


@in_loop
async def test_an_unknown_error_keeps_its_details(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Studio, config: Config) -> None:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr(Studio, "shown", fail)
    studio = Studio(Control(config, load_model(config.matting), Stats(), None), Broadcast())
    app = server.make_app(studio)
    async with TestClient(TestServer(app)) as client:
        assert await error_of(await client.get("/api/v1/state"), 500) == "internal error"


@in_loop
async def test_serve_names_the_port_and_says_when_it_is_taken(config: Config) -> None:
    config = config.with_values({"web": {"token": "s3cret"}})
    studio = Studio(Control(config, load_model(config.matting), Stats(), None), Broadcast())
    urls: list[str] = []
    serving = asyncio.create_task(server.serve(studio, "127.0.0.1", 0, urls.append))
    while not urls:
        await asyncio.sleep(0.01)
    port = int(urls[0].rstrip("/").rpartition(":")[2])
    with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}: .*--port"):
        await server.serve(studio, "127.0.0.1", port, urls.append)
    with pytest.raises(ConfigError, match=r"cannot listen on 192\.0\.2\.1:.*--host"):
        await server.serve(studio, "192.0.2.1", port, urls.append)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving


@pytest.mark.parametrize(
    ("cert", "key", "words"),
    [
        ("gone.pem", "", "web.cert: .*gone.pem: No such file"),
        ("broken.pem", "", "web.cert: .*broken.pem: there is no certificate in it"),
        ("cert.pem", "", "web.cert: .*cert.pem: there is no private key of the certificate"),
        ("cert.pem", "gone.pem", "web.key: .*gone.pem: No such file"),
        ("cert.pem", "broken.pem", "web.key: .*broken.pem: there is no private key"),
    ],
)
def test_a_certificate_that_is_none_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cert: str, key: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.pem").write_text("no certificate")
    made = generate_certificate(ec.generate_private_key(ec.SECP256R1()))
    Path("cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    with pytest.raises(ConfigError, match=words):
        server.secure("127.0.0.1", "", cert, key)
