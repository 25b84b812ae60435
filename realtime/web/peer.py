"""One browser: a connection that is answered, watched over and taken down.

`open_camera`, `open_publisher` and `open_watch` turn plain values and an offer into an answer and
what runs behind it, without globals. Whatever ends a connection (the browser's leave, silence,
`close`), the same few lines take it down.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress

from aiortc import RTCRtpTransceiver, RTCSessionDescription
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError

from realtime.config import Config, IceServer
from realtime.errors import NegotiationFailed
from realtime.matting.engine import MattingModel
from realtime.web.broadcast import Broadcast
from realtime.web.candidate import MAX_CANDIDATES
from realtime.web.connection import open_connection, preferred, send
from realtime.web.fragment import Fragment
from realtime.web.line import BrowserLine
from realtime.web.offer import Offer, codec_of, with_start_rate
from realtime.web.sound import DelayedSound
from realtime.web.viewer import Viewer

log = logging.getLogger(__name__)

HANDSHAKE_S = 10.0
"""Seconds in which ICE and DTLS must have come to an end."""


class Peer:
    """One browser that is sent a `broadcast`, or feeds a `line` of its own, or both.

    `id` is the secret name of its session, `watch` that of its line's composed picture, and `tag`
    the entity-tag of its ICE session (RFC 9725, section 4.3.1).
    """

    def __init__(
        self, broadcast: Broadcast | None, line: BrowserLine | None, servers: Sequence[IceServer]
    ) -> None:
        self.id, self.watch = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
        self.tag = f'"{secrets.token_hex(8)}"'
        self.line = line
        self.answer = ""
        self._broadcast = broadcast
        self._users: frozenset[str] = frozenset()
        self._room = MAX_CANDIDATES
        self._connection = open_connection(servers)
        self._connection.on("connectionstatechange", self._changed)
        self._connected, self._ended = asyncio.Event(), asyncio.Event()
        self._viewer: Viewer | None = None
        self._uplink: asyncio.Task[None] | None = None
        self.life: asyncio.Task[None] = asyncio.create_task(self._live())

    async def connect(self, offer: Offer) -> None:
        """Negotiate and set `answer`. Raises `NegotiationFailed`."""
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                await self._negotiate(offer)
        except (
            *(InternalError, InvalidAccessError, InvalidStateError, OperationError),
            *(TimeoutError, ValueError),
        ) as error:
            raise NegotiationFailed(f"the offer cannot be answered: {error}") from error

    async def trickle(self, fragment: Fragment) -> None:
        """Take candidates that come after the offer; beyond `MAX_CANDIDATES` they are left out.

        Raises `NegotiationFailed` for those of another ICE session: aiortc cannot restart one.
        """
        if fragment.user and fragment.user not in self._users:
            raise NegotiationFailed("ICE cannot be restarted here", "end the session, start anew")
        taken = fragment.candidates[: self._room]
        self._room -= len(taken)
        for candidate in taken:
            await self._connection.addIceCandidate(candidate)
        if fragment.is_last:
            await self._connection.addIceCandidate(None)

    async def close(self) -> None:
        """End the connection and all that runs for it. Safe to call twice."""
        self._ended.set()
        self._connected.set()
        await asyncio.shield(self.life)

    async def _negotiate(self, offer: Offer) -> None:
        connection, self._users = self._connection, offer.users
        direction = {(True, True): "sendrecv", (True, False): "sendonly"}.get(
            (self._broadcast is not None, self.line is not None), "recvonly"
        )
        video = connection.addTransceiver("video", direction=direction)
        video.setCodecPreferences(preferred())  # is ignored once the offer has been applied
        await connection.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        for other in connection.getTransceivers():
            if other is not video:
                other.direction = "inactive"  # nobody would drain it
                if self.line and self._broadcast and other.mid == offer.sound:
                    self._return_sound(other, self.line)
        if self.line:
            drain = self.line.source.drain(video.receiver.track)
            self._uplink = asyncio.create_task(drain)
            self._uplink.add_done_callback(lambda _: self._ended.set())
        answer = await connection.createAnswer()
        if self._broadcast:
            self._send(self._broadcast, video, answer.sdp)
        await connection.setLocalDescription(answer)
        answer = connection.localDescription.sdp
        self.answer = with_start_rate(answer) if self.line else answer

    def _send(self, broadcast: Broadcast, video: RTCRtpTransceiver, answer: str) -> None:
        """Send in the codec that the answer names: packets of another would go out unnoticed."""
        viewer = self._viewer = broadcast.viewer(codec_of(answer))
        viewer.on("ended", self._ended.set)  # also when its encoder or its sender has failed
        send(video.sender, viewer)

    def _return_sound(self, microphone: RTCRtpTransceiver, line: BrowserLine) -> None:
        """Send a microphone's sound back, as late as its camera's picture."""
        sound = DelayedSound(microphone.receiver.track, line.age_s)
        sound.on("ended", self._ended.set)  # nobody would drain it any more
        microphone.direction = "sendrecv"
        microphone.sender.replaceTrack(sound)

    def _changed(self) -> None:
        state = self._connection.connectionState
        if state == "connected":
            self._connected.set()
        elif state in ("failed", "closed"):
            self._connected.set()
            self._ended.set()

    async def _live(self) -> None:
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                await self._connected.wait()
        except TimeoutError:
            log.warning("a browser was answered and never came")
        else:
            await self._watch_over()
        finally:
            await self._take_down()

    async def _watch_over(self) -> None:
        while not self._ended.is_set():
            if self.line:
                self.line.ease(time.monotonic())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), 1.0)

    async def _take_down(self) -> None:
        if self._viewer:
            self._viewer.stop()
        if self._uplink:
            self._uplink.cancel()
            with suppress(asyncio.CancelledError):
                await self._uplink
        await self._connection.close()
        if self.line:
            await asyncio.to_thread(self.line.stop)


async def open_camera(config: Config, model: MattingModel, offer: Offer) -> Peer:
    """Answer a browser that sends its camera and wants the composed picture back.

    Raises `ConfigError`, `ModelError`, `NegotiationFailed`.
    """
    line = await asyncio.to_thread(BrowserLine, config, model)
    return await _connected(Peer(line.broadcast, line, config.web.ice_servers), offer)


async def open_publisher(config: Config, model: MattingModel, offer: Offer) -> Peer:
    """Answer who sends a camera whose composed picture others watch.

    Raises `ConfigError`, `ModelError`, `NegotiationFailed`.
    """
    line = await asyncio.to_thread(BrowserLine, config, model)
    return await _connected(Peer(None, line, config.web.ice_servers), offer)


async def open_watch(broadcast: Broadcast, servers: Sequence[IceServer], offer: Offer) -> Peer:
    """Answer a browser that watches a line. Raises `NegotiationFailed`."""
    return await _connected(Peer(broadcast, None, servers), offer)


async def _connected(peer: Peer, offer: Offer) -> Peer:
    try:
        await peer.connect(offer)
    except NegotiationFailed:
        await peer.close()
        raise
    return peer
