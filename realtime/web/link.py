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
from aiortc import RTCRtpSender
from aiortc.rtcrtpsender import RTP_HISTORY_SIZE
from aiortc.rtp import RtpPacket

from realtime.web.encoder import Encoded
from realtime.web.ladder import Report
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
    """Stands where aiortc has a sender's encoder and its answer to NACK (RFC 4585)."""

    def __init__(self, sender: RTCRtpSender, viewer: Viewer) -> None:
        self._sender, self._viewer = sender, viewer
        self._send_again = sender._retransmit
        self._left, self._filled_at = 0.0, -math.inf
        self._usual_s = math.inf

    def pack(self, encoded: Encoded) -> tuple[list[bytes], int]:
        """Return payloads and timestamp of a picture; nobody needs what is before a keyframe."""
        if encoded.is_key:
            self._history.clear()
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
            self._usual_s = min(self._usual_s, each.roundTripTime or math.inf)
            return self._viewer.estimate(Report(rate, lost, round_trip_s))
        self._viewer.estimate(Report(rate))

    async def resend(self, number: int) -> None:
        """Send a lost packet again, within a share of the rate, or else a keyframe soon."""
        packet = self._history.get(number % RTP_HISTORY_SIZE)
        if packet is None or packet.sequence_number != number:
            return
        a_second, now = RESENT * self._viewer.rate / PACKET_BITS, time.monotonic()
        self._left = min(self._left + (now - self._filled_at) * a_second, a_second)
        self._filled_at = now
        if self._left >= 1:
            self._left -= 1
            await self._send_again(number)
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
            while packets := self._history.values():
                known = max(packets, key=lambda each: len(each.payload))
                while sent < rate * (time.monotonic() - began):
                    sent += 8 * len(known.payload)
                    await self._send_again(known.sequence_number)
                await asyncio.sleep(PACE_S)

    @property
    def _ice(self) -> Any:
        return self._sender.transport.transport._connection

    @property
    def _history(self) -> dict[int, RtpPacket]:
        history: dict[int, RtpPacket] = self._sender._RTCRtpSender__rtp_history
        return history
