"""The studio's server: the application that is served, and serving it."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from realtime import heap
from realtime.errors import ConfigError
from realtime.web import gate, room, whep, whip
from realtime.web.api.table import api_routes
from realtime.web.body import MAX_BODY
from realtime.web.darkroom import Darkroom
from realtime.web.intake import Intake
from realtime.web.keys import DARKROOM, INTAKE, PASS, PEERS, STUDIO
from realtime.web.peers import Peers
from realtime.web.routes import STATIC, routes
from realtime.web.studio import Studio

log = logging.getLogger(__name__)

IDLE_S = 15.0
"""Seconds in which a connection must have sent the head of its first, or its next, request."""

LINGER_S = 0.5
"""Seconds for which the rest of a refused body is read, so that its sender hears the answer."""

SWITCH_S = 0.001
"""Seconds for which another thread may keep the interpreter from the event loop, which asks for it
several times a packet. With Python's own 5 ms packets are lost unread when many compose."""

PORTS_FAULT = (errno.EADDRINUSE, errno.EACCES)
"""Why an address cannot be listened on that is a good one but for its port."""


def make_app(studio: Studio) -> web.Application:
    """Build the server's application. Raises `ConfigError` for an open address without token."""
    settings = studio.control.config.web
    gate.require_token(settings.host, settings.token)
    entry = gate.Pass(settings.token)
    app = web.Application(
        middlewares=[gate.errors_as_json, gate.make_gate(settings.host, entry)],
        client_max_size=MAX_BODY,
    )
    app[STUDIO], app[PASS], app[DARKROOM] = studio, entry, Darkroom(studio.control)
    app[INTAKE] = Intake()
    app[PEERS] = Peers(settings.max_peers, settings.max_cameras)
    for table in (routes, api_routes(), whep.routes, whip.routes, room.routes):
        app.add_routes(table)
    app.router.add_static("/static", STATIC)
    app.on_response_prepare.append(gate.add_headers)
    app.cleanup_ctx.append(_govern_peers)
    app.on_shutdown.append(_close_peers)
    return app


async def serve(
    studio: Studio,
    host: str,
    port: int,
    ready: Callable[[str], None],
    tls: ssl.SSLContext | None = None,
) -> None:
    """Serve until cancelled, by https with `tls`; `ready` gets the studio's URL, with the port
    really bound.

    Raises `ConfigError` when the address cannot be listened on.
    """
    gate.require_token(host, studio.control.config.web.token)
    sys.setswitchinterval(SWITCH_S)
    runner = web.AppRunner(
        make_app(studio),
        access_log=None,
        logger=logging.Logger("http", logging.CRITICAL),  # what is no request is not our error
        shutdown_timeout=2.0,
        keepalive_timeout=IDLE_S,
        lingering_time=LINGER_S,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, ssl_context=tls)
        try:
            await site.start()
        except OSError as error:
            raise _no_place(host, port, error) from error
        heap.settle()
        bound = runner.addresses[0][1]
        name = f"[{host}]" if ":" in host else host
        ready(f"{'https' if tls else 'http'}://{name}:{bound}/")
        if not tls and not gate.is_loopback(host):
            log.error("without https others on the network can read along: set web.cert")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def expect_free(host: str, port: int) -> None:
    """Raise `ConfigError` for a port that is taken.

    `serve` finds out too, but by then a camera is on and others have seen its picture.
    """
    try:
        for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            socket.create_server(address, family=family).close()
    except OSError as error:
        if error.errno in PORTS_FAULT:
            raise _no_place(host, port, error) from error
    except UnicodeError as error:
        raise ConfigError(f"web.host: {host!r} is no address", "--host 127.0.0.1") from error


def _no_place(host: str, port: int, error: OSError) -> ConfigError:
    taken = error.errno in PORTS_FAULT
    reason = os.strerror(error.errno or 0) if taken else error.strerror or str(error)
    return ConfigError(
        f"web: cannot listen on {host}:{port}: {reason}",
        f"choose another with {'--port' if taken else '--host'}",
    )


def secure(host: str, token: str, cert: str, key: str) -> ssl.SSLContext | None:
    """Return what https needs, None for http. A key's passphrase is asked for at the terminal.

    Raises `ConfigError` for an open address without token and for files that are none.
    """
    gate.require_token(host, token)
    if not cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cert)  # says that it is one
    except OSError as error:
        raise _no_pem("web.cert", cert, "certificate", error) from error
    try:
        context.load_cert_chain(cert, key or None)
    except OSError as error:
        name = "web.key" if key else "web.cert"
        raise _no_pem(name, key or cert, "private key of the certificate", error) from error
    return context


def _no_pem(name: str, path: str, wanted: str, error: OSError) -> ConfigError:
    unread = None if isinstance(error, ssl.SSLError) else error.strerror
    reason = unread or f"there is no {wanted} in it"
    if error.errno == errno.EINVAL:  # so OpenSSL's callback says it
        reason = "this is not its passphrase"
    return ConfigError(f"{name}: {path}: {reason}", f"give a PEM file with the {wanted}")


async def _govern_peers(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[PEERS].govern())
    yield
    task.cancel()


async def _close_peers(app: web.Application) -> None:
    await app[PEERS].close()
