"""ICE begun anew under a connection that goes on (RFC 8445, section 2.4).

A browser that has changed its network keeps its session, its keys and its place.

aiortc starts an ICE transport once and for all. What it reads from and writes to is one of aioice's
connections, and that is exchanged here; until the new one stands, the old one is used.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection

from aioice import Candidate, Connection
from aiortc import RTCIceCandidate, RTCIceServer, RTCIceTransport, RTCPeerConnection
from aiortc.rtcicetransport import candidate_to_aioice, connection_kwargs

from realtime.errors import BadOffer, NegotiationFailed
from realtime.web.fragment import Fragment
from realtime.web.offer import PASSWORD, USER

CHECKS_S = 10.0
"""Seconds in which a way must have been found."""


class Restart:
    """Another ICE session for a transport, with a peer of this name and password."""

    def __init__(
        self,
        transport: RTCIceTransport,
        servers: Collection[RTCIceServer],
        user: str,
        password: str,
    ) -> None:
        self._transport = transport
        before = transport._connection
        self._ice = Connection(before.ice_controlling, **connection_kwargs(list(servers)))
        self._ice.remote_username, self._ice.remote_password = user, password
        # What comes is read, whichever way it comes; who is closed says so to nobody.
        self._unread, self._ice._queue = self._ice._queue, before._queue
        self._checks: asyncio.Task[None] | None = None

    async def open(self) -> list[str]:
        """Begin; return our half, as lines of SDP."""
        await self._ice.gather_candidates()
        self._checks = asyncio.create_task(self._check())
        return [
            f"a=ice-ufrag:{self._ice.local_username}",
            f"a=ice-pwd:{self._ice.local_password}",
            *(f"a=candidate:{candidate.to_sdp()}" for candidate in self._ice.local_candidates),
            "a=end-of-candidates",
        ]

    async def add(self, candidates: Collection[RTCIceCandidate], is_last: bool) -> None:
        """Take the peer's candidates, if there may still be any."""
        ours = map(candidate_to_aioice, candidates)
        await asyncio.gather(*map(self._add, ours))
        if is_last:
            await self._add(None)

    async def _add(self, candidate: Candidate | None) -> None:
        """Names take a second, in which another request may have said that there are no more."""
        if not self._ice._remote_candidates_end:
            await self._ice.add_remote_candidate(candidate)

    async def close(self) -> None:
        """Give up what has not come about yet."""
        if self._checks:
            self._checks.cancel()
            await asyncio.wait([self._checks])
        if self._transport._connection is not self._ice:
            self._ice._queue = self._unread
            await self._ice.close()

    async def _check(self) -> None:
        try:
            async with asyncio.timeout(CHECKS_S):
                await self._ice.connect()
        except (ConnectionError, TimeoutError):
            return  # the old one stays as long as it lasts
        before, transport = self._transport._connection, self._transport
        transport._connection = transport.iceGatherer._connection = self._ice
        transport._recv, transport._send = self._ice.recv, self._ice.send
        self._ice._event_waiter, before._event_waiter = before._event_waiter, None
        before._queue, before._closed = self._unread, True
        await asyncio.shield(before.close())


async def begin_anew(
    connection: RTCPeerConnection, servers: Collection[RTCIceServer], fragment: Fragment
) -> tuple[Restart, str]:
    """Begin with a peer's fragment; return our own too. Raises `BadOffer`, `NegotiationFailed`."""
    user, password = fragment.user, fragment.password
    if not (re.fullmatch(USER, user) and re.fullmatch(PASSWORD, password)):
        raise BadOffer("the fragment has no ICE name and password", "see RFC 8839, section 5.4")
    media = connection.getTransceivers()
    way, *others = {each.receiver.transport.transport for each in media}
    if others or way.state != "completed":
        raise NegotiationFailed(
            "ICE can be restarted where it is connected, and media are bundled",
            "end the session, start anew",
        )
    begun = Restart(way, servers, user, password)
    medium = f"m={media[0].kind} 9 UDP/TLS/RTP/SAVPF 0", f"a=mid:{media[0].mid}"
    return begun, "".join(f"{line}\r\n" for line in (*medium, *await begun.open()))
