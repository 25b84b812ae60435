"""Who may ask what: checks of every request, and errors as JSON.

DNS rebinding is met by the Host header, foreign pages by the Origin header and by demanding
content types that a plain form cannot send; a token by `Authorization: Bearer` (RFC 6750) or by
the cookie that a log-in gives.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import logging
import random
import secrets
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from realtime.errors import ConfigError, ScrimError

log = logging.getLogger(__name__)

OPEN_PATHS = ("/", "/photo", "/healthz", "/readyz", "/api/v1/login", "/favicon.ico")
"""With everything under /static/, what needs no token: the page has to ask for it."""

RETRY_S = "5"
"""Seconds after which a place may have become free."""

COOKIE = "scrim"

WRONG_S = (0.3, 0.8)
"""Seconds that a wrong token waits for its answer: guessing is slow, and timing tells nothing."""

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
    "Server": "Scrim",
}


class Pass:
    """What lets a browser in: the token, or the cookie that it was exchanged for.

    The cookie is drawn anew at every start and is of no use to who learns it later.
    """

    def __init__(self, token: str) -> None:
        self._token = token
        self.cookie = secrets.token_urlsafe(32)

    def admits(self, request: web.Request) -> bool:
        """Say whether a request may come in, which everybody may where there is no token."""
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer" and self.is_token(given.strip()):
            return True
        return not self._token or _same(request.cookies.get(COOKIE, ""), self.cookie)

    def is_token(self, given: str) -> bool:
        """Compare in a time that tells nothing."""
        return not self._token or _same(given, self._token)


async def refuse_token(request: web.Request) -> web.HTTPException:
    """Return the answer to a missing token; a wrong one waits for it."""
    if request.body_exists or "Authorization" in request.headers:
        await asyncio.sleep(random.uniform(*WRONG_S))
    error = refuse(web.HTTPUnauthorized, "a token is needed", "it is web.token of config")
    error.headers["WWW-Authenticate"] = "Bearer"
    return error


def require_token(host: str, token: str) -> None:
    """Raise `ConfigError` for an address that others can reach without a secret."""
    if not token and not is_loopback(host):
        raise ConfigError(
            f"web.host: {host} can be reached from other machines, which needs a token",
            "set web.token to a long secret, or web.host to 127.0.0.1",
        )


def refuse(kind: type[web.HTTPException], message: str, hint: str = "") -> web.HTTPException:
    """Return an HTTP error with our JSON as its body."""
    body = json.dumps({"error": message, "hint": hint})
    return kind(text=body, content_type="application/json")


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the headers of safety on every response."""
    response.headers.update(HEADERS)


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error as {error, hint}; of unknown ones only that there was one."""
    try:
        return await handler(request)
    except ScrimError as error:
        if error.http_status >= 500:
            log.warning("%s %s: %s", request.method, request.path, error)
        body = {"error": error.message, "hint": error.hint}
        again = {"Retry-After": RETRY_S} if error.http_status == 503 else None
        return web.json_response(body, status=error.http_status, headers=again)
    except web.HTTPException as error:
        if error.content_type != "application/json":
            error.text = json.dumps({"error": error.reason.lower(), "hint": ""})
            error.content_type = "application/json"
        raise
    except Exception:  # the HTTP handler's one broad net
        log.exception("%s %s", request.method, request.path)
        return web.json_response({"error": "internal error", "hint": "see the log"}, status=500)


def make_gate(host: str, entry: Pass) -> Middleware:
    """Return the middleware that lets through our own page, and asks for the token if any."""

    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _host_allowed(request.headers.get("Host", ""), host):
            raise refuse(
                web.HTTPForbidden, "this name is not ours", "open the studio by its address"
            )
        origin = request.headers.get("Origin")
        if origin is not None and not _is_ours(origin, request.headers["Host"]):
            raise refuse(web.HTTPForbidden, "other pages may not ask", "open the studio itself")
        if _is_guarded(request.path) and not entry.admits(request):
            raise await refuse_token(request)
        return await handler(request)

    return gate


def _is_guarded(path: str) -> bool:
    return path not in OPEN_PATHS and not path.startswith("/static/")


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), secret.encode())


def _is_ours(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


def _host_allowed(header: str, configured: str) -> bool:
    """Rebinding needs a name: who listens on all addresses is asked for by any address."""
    try:
        name = urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return False
    if is_loopback(name) or name == configured.strip("[]").lower():
        return True
    return _is_wildcard(configured) and _address(name) is not None


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach an address."""
    address = _address(host)
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


def _is_wildcard(host: str) -> bool:
    address = _address(host)
    return address is not None and address.is_unspecified


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
