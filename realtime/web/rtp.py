"""Plain RTP (RFC 3550) to one address, for servers and players that take nothing else.

Nothing comes back, so keyframes are sent unasked.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiortc.rtp import HeaderExtensionsMap, RtpPacket

from realtime.address import Codec
from realtime.errors import SinkLost
from realtime.web.broadcast import Broadcast
from realtime.web.encoder import CLOCK_HZ, Encoded

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
    viewer, packets, keyed_at = broadcast.viewer(codec), Packets(), time.monotonic()
    viewer.unsent = transport.get_write_buffer_size  # type: ignore[attr-defined]  # it has
    try:
        while True:
            encoded = await viewer.recv()
            for packet in packets.of(encoded):
                transport.sendto(packet)
            if time.monotonic() - keyed_at >= KEYFRAME_S:
                keyed_at = time.monotonic()
                viewer.ask_key()
    finally:
        viewer.stop()


class Packets:
    """Numbers the packets of one stream."""

    def __init__(self) -> None:
        self._source, self._began = secrets.randbits(32), secrets.randbits(32)
        self._number = secrets.randbits(15)

    def of(self, encoded: Encoded) -> list[bytes]:
        """Return the packets of one picture; the last one carries the marker."""
        found = []
        for payload in encoded.payloads:
            packet = RtpPacket(
                payload_type=PAYLOAD_TYPE,
                marker=int(payload is encoded.payloads[-1]),
                sequence_number=self._number,
                timestamp=(self._began + encoded.timestamp) % 2**32,
                ssrc=self._source,
                payload=payload,
            )
            self._number = (self._number + 1) % 2**16
            found.append(packet.serialize(HeaderExtensionsMap()))
        return found


def describe(host: str, port: int, codec: Codec) -> str:
    """Return the SDP that a player needs to receive the stream (RFC 8866)."""
    family = "IP6" if ":" in host else "IP4"
    return (
        f"v=0\no=- 0 0 IN {family} {host}\ns=Scrim\nc=IN {family} {host}\nt=0 0\n"
        f"m=video {port} RTP/AVP {PAYLOAD_TYPE}\na=rtpmap:{PAYLOAD_TYPE} {codec}/{CLOCK_HZ}\n"
        + (f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1\n" if codec == "H264" else "")
    )
