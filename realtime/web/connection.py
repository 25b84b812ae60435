"""aiortc's peer connection as Scrim needs it, and the few places where that means its inside.

aiortc encodes for every viewer; a sender that is given our pictures only puts them into packets.
These places are private, so the version is pinned and `tests/web/test_connection.py` tries each.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from aioice import ice
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCRtpSender
from OpenSSL import SSL

from realtime.config import IceServer
from realtime.web.encoder import Encoded
from realtime.web.ladder import Report
from realtime.web.offer import CODECS
from realtime.web.viewer import Viewer

CIPHERS = b":".join(
    f"ECDHE-{key}-{cipher}".encode()
    for key in ("ECDSA", "RSA")
    for cipher in ("AES128-GCM-SHA256", "CHACHA20-POLY1305", "AES128-SHA", "AES256-SHA")
)
"""aiortc takes ECDSA certificates only; GStreamer brings one with RSA."""

# A peer that vanished is noticed after five unanswered requests, some 8 s, and not after 30 s (RFC
# 7675 allows a shorter time). A link that is full loses most of them: three are too few to tell.
ice.CONSENT_INTERVAL = 1.2  # type: ignore[assignment]
ice.CONSENT_FAILURES = 5

RESENT = 0.25
"""Share of a rung's rate that may go into packets sent again. A receiver behind a full link asks
again for most of what it was sent, and an answer to all of it keeps the link full."""

PACKET_BITS = 8 * 1200
"""Bits of a packet, about."""


def open_connection(servers: Sequence[IceServer] = ()) -> RTCPeerConnection:
    """Return a connection that asks only these servers for addresses and takes RSA certificates.

    aiortc's own default would ask a public one.
    """
    asked = [RTCIceServer(each.urls, each.username, each.credential) for each in servers]
    connection = RTCPeerConnection(RTCConfiguration(iceServers=asked))
    for certificate in connection._RTCPeerConnection__certificates:
        make_context = certificate._create_ssl_context
        certificate._create_ssl_context = partial(_with_ciphers, make_context)
    return connection


def _with_ciphers(make_context: Callable[..., SSL.Context], **arguments: object) -> SSL.Context:
    context = make_context(**arguments)
    context.set_cipher_list(CIPHERS)
    return context


def preferred() -> list[object]:
    """Return aiortc's codecs in our order, and retransmission (RFC 4588)."""
    known = RTCRtpSender.getCapabilities("video").codecs
    order = [*(f"video/{codec}".lower() for codec in CODECS), "video/rtx"]
    wanted = [codec for codec in known if codec.mimeType.lower() in order]
    return sorted(wanted, key=lambda codec: order.index(codec.mimeType.lower()))


def send(sender: RTCRtpSender, viewer: Viewer) -> None:
    """Let a sender send a viewer's pictures, and the viewer hear what its receiver says."""
    sender.replaceTrack(viewer)
    sender._RTCRtpSender__encoder = Packets(viewer, sender)
    sender._send_keyframe = viewer.ask_key
    viewer.unsent = lambda: _unsent(sender)
    sender._retransmit = Resend(viewer, sender._retransmit)


class Packets:
    """Stands where aiortc has a sender's encoder: packs, and is told the link's rate (REMB)."""

    def __init__(self, viewer: Viewer, sender: RTCRtpSender) -> None:
        self._viewer, self._sender = viewer, sender

    def pack(self, encoded: Encoded) -> tuple[list[bytes], int]:
        """Return payloads and timestamp of a picture."""
        return encoded.payloads, encoded.timestamp

    @property
    def target_bitrate(self) -> int:
        """Bits a second of the viewer's rung."""
        return self._viewer.rate

    @target_bitrate.setter
    def target_bitrate(self, rate: int) -> None:
        said = self._sender._RTCRtpSender__stats.values()
        for each in (one for one in said if one.type == "remote-inbound-rtp"):
            lost, round_trip_s = each.fractionLost / 256, each.roundTripTime or 0.0
            return self._viewer.estimate(Report(rate, lost, round_trip_s))
        self._viewer.estimate(Report(rate))


class Resend:
    """Sends lost packets again (NACK, RFC 4585), within a share of the viewer's rate."""

    def __init__(self, viewer: Viewer, resend: Callable[[int], Awaitable[None]]) -> None:
        self._viewer, self._resend = viewer, resend
        self._left, self._filled_at = 0.0, -math.inf

    async def __call__(self, sequence_number: int) -> None:
        """Send a packet again, or not at all."""
        a_second, now = RESENT * self._viewer.rate / PACKET_BITS, time.monotonic()
        self._left = min(self._left + (now - self._filled_at) * a_second, a_second)
        self._filled_at = now
        if self._left >= 1:
            self._left -= 1
            await self._resend(sequence_number)


def _unsent(sender: RTCRtpSender) -> int:
    """Return the bytes that the nominated pair's socket, or its TURN server's, holds back."""
    pair = sender.transport.transport._connection._nominated.get(1)
    if pair is None:
        return 0
    turn = getattr(pair.protocol.transport, "_TurnTransport__inner_protocol", pair.protocol)
    return int(turn.transport.get_write_buffer_size())
