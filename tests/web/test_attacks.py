"""What is thrown at a server like this one, and the answer to each; afterwards it still serves.

Requests are bytes on a socket: a client library would refuse to send most of them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest
from aiortc.rtcdtlstransport import generate_certificate
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from realtime.config import Config
from realtime.errors import ConfigError
from realtime.web import body, server
from realtime.web.studio import Studio
from tests.web.guest import OFFER
from tests.web.serving import in_loop, studio_of

JSON = "Content-Type: application/json\r\n"
EVIL = "http://evil.example"


def request(
    line: str, content: str | bytes = b"", headers: str = "", host: str = "localhost"
) -> bytes:
    coded = content.encode() if isinstance(content, str) else content
    length = f"Content-Length: {len(coded)}\r\n" if coded else ""
    head = f"{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}{length}\r\n"
    return head.encode("latin-1") + coded


def patch(content: str, headers: str = JSON, host: str = "localhost") -> bytes:
    return request("PATCH /api/v1/scene", content, headers, host)


def post(path: str, content: str | bytes, headers: str = JSON) -> bytes:
    return request(f"POST {path}", content, headers)


FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
PNG = "Content-Type: image/png\r\n"
SDP = "Content-Type: application/sdp\r\n"
HUGE = "9" * 4000

ATTACKS = {
    # bodies
    "a body that is too large": (post("/offer", "x" * (body.MAX_BODY + 1)), 413),
    "a length that lies": (
        request("POST /offer", headers=f"{JSON}Content-Length: 99999999999\r\n"),
        413,
    ),
    "chunks without end": (
        request("POST /offer", headers=f"{JSON}Transfer-Encoding: chunked\r\n")
        + b"4000\r\n" + b"x" * 0x4000 + b"\r\n" * 1,
        None,
    ),
    "two lengths": (
        request("POST /offer", "{}", f"{JSON}Transfer-Encoding: chunked\r\n"),
        400,
    ),
    "a body that is not coded as it says": (
        post("/offer", b"\x1f\x8bno gzip", f"{JSON}Content-Encoding: gzip\r\n"), 400,
    ),
    "lists in lists": (patch("[" * 60_000), 400),
    "tables in tables": (patch('{"scene.blur":' * 5_000), 400),
    "a number without end": (patch(f'{{"scene.blur": {HUGE}}}'), 400),
    "an infinite number": (patch('{"scene.blur": 1e999}'), 400),
    "no number": (patch('{"scene.blur": NaN}'), 400),
    "half a surrogate": (patch('{"scene.backdrop": "\\ud800"}'), 400),
    "a key twice": (patch('{"scene.blur": 0.5, "scene.blur": 7}'), 400),
    "keys of objects": (patch('{"__proto__": {"x": 1}}'), 400),
    "a picture that is none": (post("/api/v1/photo", b"\x89PNG\r\n\x1a\n" + b"\0" * 99, PNG), 422),
    "a script as a picture": (post("/api/v1/backdrops", "<svg onload=alert(1)>", PNG), 422),
    # heads
    "a header that is too long": (request("GET /", headers=f"X: {'y' * 20_000}\r\n"), 400),
    "no request at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "a line of its own": (request("GET /", headers="X: a\nSet-Cookie: b\r\n"), 400),
    "no host": (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
    "two hosts": (request("GET /", headers="Host: evil.example\r\n"), 400),
    "a method of its own": (request("BREW /api/v1/scene"), 400),
    "a trace": (request("TRACE /"), 405),
    # who asks
    "a name that is not ours": (request("GET /api/v1/state", host="evil.example"), 403),
    "a name that looks like ours": (request("GET /", host="localhost.evil.example"), 403),
    "a name before the port": (request("GET /", host="localhost:80@evil.example"), 403),
    "another page": (patch('{"scene.blur": 0.1}', f"{JSON}Origin: {EVIL}\r\n"), 403),
    "a page without a place": (patch('{"scene.blur": 0.1}', f"{JSON}Origin: null\r\n"), 403),
    "a page whose place cannot be read": (
        patch('{"scene.blur": 0.1}', f"{JSON}Origin: http://[\r\n"), 403,
    ),
    "a form of another page": (
        post("/api/v1/backdrops", "a=b", f"{FORM}Origin: {EVIL}\r\n"), 403,
    ),
    "a form": (request("PUT /api/v1/privacy", "hidden=1", FORM), 415),
    "a plain text that is JSON": (
        request("PUT /api/v1/privacy", '{"hidden": true}', "Content-Type: text/plain\r\n"), 415,
    ),
    "a preflight": (
        request("OPTIONS /api/v1/scene", headers=f"Origin: {EVIL}\r\n"
                "Access-Control-Request-Method: PATCH\r\n"), 403,
    ),
    "a forged address": (
        request("GET /api/v1/state", headers="X-Forwarded-For: 127.0.0.1\r\n"
                "X-Forwarded-Host: localhost\r\n", host="evil.example"), 403,
    ),
    "somebody else's session": (request("DELETE /api/v1/sessions/guessed"), 404),
    "somebody else's stream": (request("DELETE /whep/guessed"), 404),
    # paths
    "up and out": (request("GET /static/../../config.py"), 404),
    "up and out, coded": (request("GET /static/%2e%2e/%2e%2e/config.py"), 404),
    "up and out, coded twice": (request("GET /static/%252e%252e%252fconfig.py"), 404),
    "from the root": (request("GET /static//etc/passwd"), 404),
    "a backslash": (request("GET /static/..%5c..%5cconfig.py"), 404),
    "a zero in a path": (request("GET /static/index.html%00.js"), 404),
    "a backdrop's path": (request("GET /api/v1/backdrops/..%2f..%2fsecret.png/thumbnail"), 404),
    "a link's thumbnail": (request("GET /api/v1/backdrops/link.png/thumbnail"), 404),
    "a backdrop that is a file": (patch('{"scene.backdrop": "/etc/passwd"}'), 404),
    "a model that is a file": (patch('{"matting.model": "/etc/passwd"}'), 404),
    "a network's address": (patch('{"scene.backdrop": "http://169.254.169.254/"}'), 404),
    "a file of ours": (request("DELETE /api/v1/backdrops/..%2fpresets.json"), 404),
    "a preset outside": (request("PUT /api/v1/presets/..%2f..%2fx", "{}", JSON), 400),
    "a key that is the owner's": (patch('{"recording.path": "/tmp/x.mp4"}'), 400),
    "no folder is listed": (request("GET /static/"), 403),
    # offers
    "no offer": (post("/offer", '{"type": "offer", "sdp": ""}'), 400),
    "no SDP": (post("/whep", "hello", SDP), 400),
    "media without end": (post("/whep", OFFER + "m=audio 9 RTP/AVP 0\r\n" * 2000, SDP), 400),
    "an SDP of the wrong type": (post("/whep", OFFER, JSON), 415),
}  # fmt: skip


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
            if wanted is not None and status_of(answer) != wanted:
                wrong[name] = (status_of(answer), wanted)
        assert not wrong
        assert studio.control.config == before and not studio.control.hidden
        assert not Path(config.web.folder).exists(), "nothing was stored"
        await assert_serves(port)


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
        held: list[int] = []
        for _ in range(5):
            await asyncio.gather(*(throw(port, sent) for sent, _ in ATTACKS.values()))
            await asyncio.sleep(0.7)
            now = [here.num_fds(), len(asyncio.all_tasks()), here.memory_info().rss >> 25]
            held = held or now
        grown = [after - before for before, after in zip(held, now, strict=True)]
        assert max(grown) <= 2, f"descriptors, tasks, 32 MB: {held}, then {now}"
        await assert_serves(port)


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
