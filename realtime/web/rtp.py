"""Plain RTP (RFC 3550) to one address, for servers and players that take nothing else.

Nothing comes back, so keyframes are sent unasked.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from realtime.address import Codec
from realtime.errors import SinkLost
from realtime.web.broadcast import Broadcast
from realtime.web.encoder import CLOCK_HZ
from realtime.web.packets import Packets

PAYLOAD_TYPE = 96

KEYFRAME_S = 2.0
"""Seconds after which who begins to listen, or has lost a packet, sees a picture again."""


@asynccontextmanager
async def rtp_socket(host: str, port: int) -> AsyncIterator[asyncio.DatagramTransport]:
    """Open what sends to an address. Raises `SinkLost`."""
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=(host, port)
        )
    except (OSError, UnicodeError) as error:  # no host can have such a name
        raise SinkLost(f"rtp://{host}:{port} cannot be sent to: {error}") from error
    try:
        yield transport
    finally:
        transport.close()


async def send_rtp(
    broadcast: Broadcast, transport: asyncio.DatagramTransport, codec: Codec
) -> None:
    """Send until the line ends, which raises `MediaStreamError`."""
    viewer, keyed_at = broadcast.viewer(codec), time.monotonic()
    packets = Packets(PAYLOAD_TYPE, secrets.randbits(32))
    viewer.unsent = transport.get_write_buffer_size  # type: ignore[attr-defined]  # it has
    try:
        while True:
            encoded = await viewer.recv()
            for _, packet in packets.of(encoded):
                transport.sendto(packet)
            if time.monotonic() - keyed_at >= KEYFRAME_S:
                keyed_at = time.monotonic()
                viewer.ask_key()
    finally:
        viewer.stop()


def describe(host: str, port: int, codec: Codec) -> str:
    """Return the SDP that a player needs to receive the stream (RFC 8866)."""
    family = "IP6" if ":" in host else "IP4"
    return (
        f"v=0\no=- 0 0 IN {family} {host}\ns=Scrim\nc=IN {family} {host}\nt=0 0\n"
        f"m=video {port} RTP/AVP {PAYLOAD_TYPE}\na=rtpmap:{PAYLOAD_TYPE} {codec}/{CLOCK_HZ}\n"
        + (f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1\n" if codec == "H264" else "")
    )
