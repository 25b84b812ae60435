"""The link from one of aiortc's senders to its receiver: what it is spared, and what it can carry.

A link that is full stays full when everything that is lost on it is sent again. Whether it has
become wider is tried with packets that nobody needs, so that a failing try shows nothing.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from typing import Any

from aioice import stun
from aiortc import RTCRtpCodecParameters, RTCRtpSender, clock
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcdtlstransport import State
from aiortc.rtcrtpsender import RTP_HISTORY_SIZE
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap, RtpPacket

from realtime.web.encoder import Encoded
from realtime.web.ladder import Report
from realtime.web.packets import Packets, extended
from realtime.web.viewer import Viewer

RESENT = 0.25
"""Share of a rung's rate that may go into packets sent again. A receiver behind a full link asks
again for most of what it was sent, and an answer to all of it keeps the link full."""

PACKET_BITS = 8 * 1200
"""Bits of a packet, about."""

TRY_S, PACE_S = 0.45, 0.02
"""Seconds of a try, and between two of its steps. A token bucket hides a narrow link for a while:
16 KB of it are used up within half of the time."""

LATER_S = 0.08
"""Seconds more of round trip than usual that end a try."""


class Link:
    """Stands where aiortc has a sender's encoder, its loop and its answer to NACK (RFC 4585).

    aiortc's own loop takes twice the time for a packet, and sixteen viewers have 4000 a second.
    """

    def __init__(self, sender: RTCRtpSender, viewer: Viewer) -> None:
        self._sender, self._viewer = sender, viewer
        self._send_again = sender._retransmit
        self._sent: dict[int, tuple[int, bytes]] = {}
        self._left, self._filled_at = 0.0, -math.inf
        self._usual_s = math.inf

    async def run(self, codec: RTCRtpCodecParameters) -> None:
        """Send what the viewer is to get until one of both ends."""
        packets = Packets(codec.payloadType, self._sender._ssrc)
        self._sender._RTCRtpSender__rtp_started.set()
        try:
            while True:
                encoded = await self._viewer.recv()
                if self._sender._enabled:
                    self._send(encoded, packets)
        except (asyncio.CancelledError, ConnectionError, MediaStreamError):
            pass
        finally:
            self._viewer.stop()
            self._sender._RTCRtpSender__rtp_exited.set()

    def _send(self, encoded: Encoded, packets: Packets) -> None:
        """Send a picture. Nobody needs what is before a keyframe. Raises `ConnectionError`."""
        transport, pair = self._sender.transport, self._ice._nominated.get(1)
        if transport._state is not State.CONNECTED or pair is None:
            raise ConnectionError
        if encoded.is_key:
            self._sent.clear()
        now = clock.current_ntp_time()
        numbered = packets.of(encoded, self._extensions(now))
        protect, send_to = transport._tx_srtp.protect, pair.protocol.transport.sendto
        for number, packet in numbered:
            self._sent[number % RTP_HISTORY_SIZE] = number, packet
            send_to(protect(packet), pair.remote_addr)
        self._count(encoded, packets.timestamp(encoded), now)

    def _extensions(self, now: int) -> bytes:
        values = HeaderExtensions(
            mid=self._sender._RTCRtpSender__mid, abs_send_time=now >> 14 & 0xFFFFFF
        )
        return extended(*self._map.set(values))

    def _count(self, encoded: Encoded, timestamp: int, now: int) -> None:
        """Keep what aiortc tells the receiver (SR) and in its figures."""
        sender, transport = self._sender, self._sender.transport
        sender._RTCRtpSender__ntp_timestamp = now
        sender._RTCRtpSender__rtp_timestamp = timestamp
        sender._RTCRtpSender__octet_count += encoded.size
        sender._RTCRtpSender__packet_count += len(encoded.payloads)
        transport._RTCDtlsTransport__tx_bytes += encoded.size
        transport._RTCDtlsTransport__tx_packets += len(encoded.payloads)

    @property
    def target_bitrate(self) -> int:
        """Bits a second of the viewer's rung."""
        return self._viewer.rate

    @target_bitrate.setter
    def target_bitrate(self, rate: int) -> None:
        said = self._sender._RTCRtpSender__stats.values()
        for each in (one for one in said if one.type == "remote-inbound-rtp"):
            lost, round_trip_s = each.fractionLost / 256, each.roundTripTime or 0.0
            self._usual_s = min(self._usual_s, each.roundTripTime or math.inf)
            return self._viewer.estimate(Report(rate, lost, round_trip_s))
        self._viewer.estimate(Report(rate))

    async def resend(self, number: int) -> None:
        """Send a lost packet again, within a share of the rate, or else a keyframe soon."""
        known, packet = self._sent.get(number % RTP_HISTORY_SIZE, (-1, b""))
        if known != number:
            return
        a_second, now = RESENT * self._viewer.rate / PACKET_BITS, time.monotonic()
        self._left = min(self._left + (now - self._filled_at) * a_second, a_second)
        self._filled_at = now
        if self._left >= 1:
            self._left -= 1
            await self._repeat(number, packet)
        else:
            self._viewer.ask_key()

    def unsent(self) -> int:
        """Return the bytes that the nominated pair's socket, or its TURN server's, holds back."""
        pair = self._ice._nominated.get(1)
        if pair is None:
            return 0
        turn = getattr(pair.protocol.transport, "_TurnTransport__inner_protocol", pair.protocol)
        return int(turn.transport.get_write_buffer_size())

    async def carries(self, more: float) -> bool:
        """Say whether the link carries so many bits a second more, by sending them for `TRY_S`."""
        padding = None
        try:
            await self._ping()
            padding = asyncio.create_task(self._pad(more))
            ends = time.monotonic() + TRY_S
            while time.monotonic() < ends:
                await self._ping()
                await asyncio.sleep(PACE_S)
        except (ConnectionError, TimeoutError, stun.TransactionError):
            if padding is None:
                self._usual_s += LATER_S  # the way may have become longer for good
            return False
        finally:
            if padding:
                padding.cancel()
        return True

    async def _ping(self) -> None:
        """Make one more consent check (RFC 7675). Raises `TimeoutError` if it takes too long."""
        ice, began = self._ice, time.monotonic()
        pair = ice._nominated.get(1)
        if pair is None:
            raise ConnectionError
        async with asyncio.timeout(self._usual_s + LATER_S):
            await pair.protocol.request(
                ice.build_request(pair, nominate=False),
                pair.remote_addr,
                integrity_key=ice.remote_password.encode("utf8"),
                retransmissions=0,
            )
        self._usual_s = min(self._usual_s, time.monotonic() - began)

    async def _pad(self, rate: float) -> None:
        """Send what the receiver has long got, at a rate in bits a second, until cancelled."""
        began, sent = time.monotonic(), 0.0
        with suppress(ConnectionError):
            while self._sent:
                number, packet = max(self._sent.values(), key=lambda each: len(each[1]))
                while sent < rate * (time.monotonic() - began):
                    sent += 8 * len(packet)
                    await self._repeat(number, packet)
                await asyncio.sleep(PACE_S)

    async def _repeat(self, number: int, packet: bytes) -> None:
        """Send a packet once more, as aiortc does (RFC 4588): all it looks into is its history."""
        again = {number % RTP_HISTORY_SIZE: RtpPacket.parse(packet, self._map)}
        self._sender._RTCRtpSender__rtp_history = again
        await self._send_again(number)

    @property
    def _ice(self) -> Any:
        return self._sender.transport.transport._connection

    @property
    def _map(self) -> HeaderExtensionsMap:
        return self._sender._RTCRtpSender__rtp_header_extensions_map
