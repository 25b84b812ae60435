"""Whether a peer is still there, and still wants to be sent to (RFC 7675), in aioice's place.

aioice asks every five seconds and gives up after thirty. Here a peer that vanished is noticed after
some 8 s. But on a machine, or a link, with too much to do all answers are late at times: while
packets come from a peer it has not vanished, and only the thirty seconds of the RFC end it.
"""

from __future__ import annotations

import asyncio
import random
import time

from aioice import Connection
from aioice.stun import TransactionError

INTERVAL_S, MOST_SILENT = 1.2, 5
"""Seconds between two requests, and how many in a row must see neither an answer nor a packet. A
link that is full loses most of them: three are too few to tell."""

EXPIRES_S = 30.0
"""Seconds without an answer after which nothing more may be sent, whatever comes."""


def install() -> None:
    """Let all of aioice's connections ask so."""
    Connection.query_consent = query_consent  # type: ignore[assignment, method-assign]
    Connection.data_received = data_received  # type: ignore[assignment, method-assign]


def data_received(connection: Connection, data: bytes, component: int) -> None:
    """Keep what has come, as aioice does, and when it came."""
    connection._heard_at = time.monotonic()  # type: ignore[attr-defined]
    connection._queue.put_nowait((data, component))


async def query_consent(connection: Connection) -> None:
    """Ask again and again; end a connection whose peer is gone."""
    silent, answered_at = 0, time.monotonic()
    while silent < MOST_SILENT and time.monotonic() - answered_at < EXPIRES_S:
        began = time.monotonic()
        await asyncio.sleep(INTERVAL_S * random.uniform(0.8, 1.2))
        if await _answers(connection):
            silent, answered_at = 0, time.monotonic()
        elif getattr(connection, "_heard_at", 0.0) > began:
            silent = 0
        else:
            silent += 1
    connection._query_consent_task = None
    await connection.close()


async def _answers(connection: Connection) -> bool:
    pair = connection._nominated[1]
    try:
        await pair.protocol.request(
            connection.build_request(pair, nominate=False),
            pair.remote_addr,
            integrity_key=str(connection.remote_password).encode("utf8"),
            retransmissions=0,
        )
    except TransactionError:
        return False
    return True
