"""One browser: a connection that is answered, watched over and taken down.

`open_camera`, `open_publisher` and `open_watch` turn plain values and an offer into an answer and
what runs behind it, without globals. Whatever ends a connection (the browser's leave, silence,
`close`), the same few lines take it down.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Coroutine, Sequence
from typing import Any

from aiortc import RTCRtpTransceiver, RTCSessionDescription
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError

from realtime.config import Config, IceServer
from realtime.errors import NegotiationFailed
from realtime.matting.engine import MattingModel
from realtime.turns import Turns
from realtime.web.broadcast import Broadcast
from realtime.web.candidate import MAX_CANDIDATES
from realtime.web.connection import asked, farewell, open_connection, preferred, receive, send
from realtime.web.fragment import Fragment
from realtime.web.line import BrowserLine
from realtime.web.offer import Offer, codec_of, with_start_rate
from realtime.web.restart import Restart, begin_anew
from realtime.web.sound import DelayedSound, Sound
from realtime.web.viewer import Viewer

log = logging.getLogger(__name__)

HANDSHAKE_S = 10.0
"""Seconds in which ICE and DTLS must have come to an end."""

DIRECTIONS = {
    (True, True): "sendrecv",
    (True, False): "sendonly",
    (False, True): "recvonly",
    (False, False): "inactive",
}
"""Of a medium that we send, that we take."""


class Peer:
    """One browser that is sent a `broadcast`, or feeds a `line` of its own, or both.

    With the broadcast it may have the `sound` that belongs to it.
    `id` is the secret name of its session, `watch` that of its line's composed picture, and `tag`
    the entity-tag of its ICE session (RFC 9725, section 4.3.1), another after each restart.
    """

    def __init__(
        self,
        broadcast: Broadcast | None,
        sound: Sound | None,
        line: BrowserLine | None,
        servers: Sequence[IceServer],
    ) -> None:
        self.id, self.watch = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
        self.tag = _new_tag()
        self.line = line
        self.answer = ""
        self._broadcast, self._sound = broadcast, sound
        self._users: frozenset[str] = frozenset()
        self._room = MAX_CANDIDATES
        self._servers = servers
        self._restart: Restart | None = None
        self._restarts = asyncio.Lock()
        self._connection = open_connection(servers)
        self._connection.on("connectionstatechange", self._changed)
        self._connected, self._ended = asyncio.Event(), asyncio.Event()
        self._sent: list[Viewer | DelayedSound] = []
        self._drains: list[asyncio.Task[None]] = []
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

    def is_new(self, fragment: Fragment) -> bool:
        """Say whether a fragment begins another ICE session."""
        return bool(fragment.user) and fragment.user not in self._users

    async def trickle(self, fragment: Fragment) -> None:
        """Take candidates that come later; beyond `MAX_CANDIDATES` they are left out."""
        taken = fragment.candidates[: self._room]
        self._room -= len(taken)
        if self._restart:
            return await self._restart.add(taken, fragment.is_last)
        await asyncio.gather(*map(self._connection.addIceCandidate, taken))  # names take a second
        if fragment.is_last:
            await self._connection.addIceCandidate(None)

    async def restart(self, fragment: Fragment) -> str:
        """Begin ICE anew, with another `tag`; return our fragment (RFC 9725, section 4.3.2).

        The picture goes on the old way until there is a new one. Raises `BadOffer`,
        `NegotiationFailed`.
        """
        async with self._restarts:
            begun, ours = await begin_anew(self._connection, asked(self._servers), fragment)
            await self._end_restart()
            self._restart = begun
        self._users, self._room, self.tag = frozenset({fragment.user}), MAX_CANDIDATES, _new_tag()
        await self.trickle(fragment)
        return ours

    async def close(self) -> None:
        """End the connection and all that runs for it. Safe to call twice."""
        self._ended.set()
        self._connected.set()
        await asyncio.shield(self.life)

    async def _negotiate(self, offer: Offer) -> None:
        connection, self._users = self._connection, offer.users
        direction = DIRECTIONS[self._broadcast is not None, self.line is not None]
        video = connection.addTransceiver("video", direction=direction)
        video.setCodecPreferences(preferred())  # is ignored once the offer has been applied
        await connection.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        for other in connection.getTransceivers():
            if other.mid == offer.sound:
                self._pass_sound(other, offer.sound_direction)
            elif other is not video:
                other.direction = "inactive"  # nobody would drain it
        if self.line:
            receive(video.receiver)
            self._drain(self.line.source.drain(video.receiver.track))
        answer = await connection.createAnswer()
        if self._broadcast:
            self._send(self._broadcast, video, answer.sdp)
        await connection.setLocalDescription(answer)
        answer = connection.localDescription.sdp
        self.answer = with_start_rate(answer) if self.line else answer

    def _send(self, broadcast: Broadcast, video: RTCRtpTransceiver, answer: str) -> None:
        """Send in the codec that the answer names: packets of another would go out unnoticed."""
        viewer = broadcast.viewer(codec_of(answer))
        viewer.on("ended", self._ended.set)  # also when its encoder or its sender has failed
        self._sent.append(viewer)
        send(video.sender, viewer)

    def _pass_sound(self, medium: RTCRtpTransceiver, offered: str) -> None:
        """Send the sound that is to be heard; take a microphone's if somebody may hear it."""
        heard = self._sound is not None and offered in ("recvonly", "sendrecv")
        alone = self._sound is not None and not heard  # nobody else would be sent it
        taken = self.line is not None and offered in ("sendonly", "sendrecv") and not alone
        if self._sound and heard:
            self._sent.append(self._sound.listen())
            medium.sender.replaceTrack(self._sent[-1])
        if self.line and taken:
            self._drain(self.line.sound.drain(medium.receiver.track))
        medium.direction = DIRECTIONS[heard, taken]

    def _drain(self, work: Coroutine[Any, Any, None]) -> None:
        """Drain a received track as long as the connection lasts, which ends when that fails."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._drained)
        self._drains.append(task)

    def _drained(self, task: asyncio.Task[None]) -> None:
        self._ended.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("a browser's track cannot be received any more", exc_info=error)

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
            await self._ended.wait()
        finally:
            await self._take_down()

    async def _take_down(self) -> None:
        for track in self._sent:
            track.stop()
        for task in self._drains:
            task.cancel()
        await asyncio.gather(*self._drains, return_exceptions=True)
        await farewell(self._disconnect())
        if self.line:
            await asyncio.to_thread(self.line.stop)

    async def _disconnect(self) -> None:
        async with self._restarts:
            await self._end_restart()
            await self._connection.close()

    async def _end_restart(self) -> None:
        if self._restart:
            await self._restart.close()


def _new_tag() -> str:
    return f'"{secrets.token_hex(8)}"'


async def open_camera(config: Config, model: MattingModel, turns: Turns, offer: Offer) -> Peer:
    """Answer a browser that sends its camera and wants the composed picture back.

    Raises `ConfigError`, `ModelError`, `NegotiationFailed`.
    """
    line = await asyncio.to_thread(BrowserLine, config, model, turns)
    peer = Peer(line.broadcast, line.sound, line, config.web.ice_servers)
    return await _connected(peer, offer)


async def open_publisher(config: Config, model: MattingModel, turns: Turns, offer: Offer) -> Peer:
    """Answer who sends a camera whose composed picture others watch.

    Raises `ConfigError`, `ModelError`, `NegotiationFailed`.
    """
    line = await asyncio.to_thread(BrowserLine, config, model, turns)
    return await _connected(Peer(None, None, line, config.web.ice_servers), offer)


async def open_watch(
    broadcast: Broadcast, sound: Sound | None, servers: Sequence[IceServer], offer: Offer
) -> Peer:
    """Answer a browser that watches a line, and may hear it. Raises `NegotiationFailed`."""
    return await _connected(Peer(broadcast, sound, None, servers), offer)


async def _connected(peer: Peer, offer: Offer) -> Peer:
    try:
        await peer.connect(offer)
    except BaseException:  # its place is given back now, so nothing of it may go on
        await peer.close()
        raise
    return peer
