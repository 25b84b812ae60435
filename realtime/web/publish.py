"""A line's picture to a server that hands it on to many: by WHIP, or as plain RTP.

What ends, whoever ended it, is begun again until the line stops.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from aiortc.mediastreams import MediaStreamError

from realtime.address import is_rtp, read_rtp_url
from realtime.config import IceServer
from realtime.errors import SinkLost
from realtime.web.broadcast import Broadcast
from realtime.web.rtp import describe, rtp_socket, send_rtp
from realtime.web.whip_client import WhipClient

FIRST_RETRY_S, LAST_RETRY_S = 1.0, 30.0
"""Pause before the next try; doubles from the first to the last, and begins anew after what lasted
longer than that."""


async def publish(
    broadcast: Broadcast,
    url: str,
    token: str,
    servers: Sequence[IceServer],
    notice: Callable[[str], None],
) -> None:
    """Publish to `url`, http(s) or rtp, until cancelled; `notice` is told what happens, once."""
    pause_s, said = FIRST_RETRY_S, ""

    def tell(news: str) -> None:
        nonlocal said
        if news != said:
            notice(news)
        said = news

    while True:
        began = time.monotonic()
        try:
            if is_rtp(url):
                await _by_rtp(broadcast, url, tell)
            else:
                await _by_whip(broadcast, url, token, servers, tell)
        except SinkLost as error:
            tell(f"not published: {error}")
        if time.monotonic() - began > LAST_RETRY_S:
            pause_s = FIRST_RETRY_S
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LAST_RETRY_S)


async def _by_whip(
    broadcast: Broadcast,
    url: str,
    token: str,
    servers: Sequence[IceServer],
    notice: Callable[[str], None],
) -> None:
    client = WhipClient(url, token, servers)
    try:
        await client.open(broadcast)
        notice(f"published to {url}")
        await client.wait()
        raise SinkLost(f"{url}: the session has ended")
    finally:
        await client.close()


async def _by_rtp(broadcast: Broadcast, url: str, notice: Callable[[str], None]) -> None:
    host, port, codec = read_rtp_url(url)
    wanted = f"a player needs this SDP:\n{describe(host, port, codec)}"
    try:
        async with rtp_socket(host, port) as transport:
            notice(f"sending RTP to {host}:{port}; {wanted}")
            await send_rtp(broadcast, transport, codec)
    except MediaStreamError as error:
        raise SinkLost(f"{url}: the line's picture has ended") from error
