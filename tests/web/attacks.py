"""What is thrown at a server like this one, and the answer to each.

Requests are bytes on a socket: a client library would refuse to send most of them.
"""

from __future__ import annotations

from realtime.web import body
from tests.web.guest import OFFER

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
        + b"4000\r\n" + b"x" * 0x4000 + b"\r\n",
        408,
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
