"""WHIP (RFC 9725) from the client's side: a line's picture to a server that hands it on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import aiohttp
from aiortc import RTCSessionDescription
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError
from yarl import URL

from realtime.config import IceServer
from realtime.errors import SinkLost
from realtime.web.broadcast import Broadcast
from realtime.web.connection import farewell, open_connection, preferred, send
from realtime.web.offer import UNREADABLE, codec_of

REQUEST_S = 10.0
"""Seconds that a request may take, and then ICE with DTLS."""

MAX_ANSWER = 128 * 1024


class WhipClient:
    """One session at an endpoint, from `open` to `close`."""

    def __init__(self, url: str, token: str, servers: Sequence[IceServer]) -> None:
        limit = aiohttp.ClientTimeout(total=REQUEST_S)
        self._url = url
        self._bearer = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = aiohttp.ClientSession(timeout=limit)
        self._session: URL | None = None
        self._connection = open_connection(servers)
        self._connection.on("connectionstatechange", self._changed)
        self._settled, self._ended = asyncio.Event(), asyncio.Event()

    async def open(self, broadcast: Broadcast) -> None:
        """Offer a line's picture and wait until it can be sent. Raises `SinkLost`."""
        try:
            video = self._connection.addTransceiver("video", direction="sendonly")
            video.setCodecPreferences(preferred())
            await self._connection.setLocalDescription(await self._connection.createOffer())
        except ValueError as error:
            raise SinkLost(f"nothing can be offered: {error}", "see web.ice_servers") from error
        try:
            answer = await self._post(self._connection.localDescription.sdp)
            viewer = broadcast.viewer(codec_of(answer))
            viewer.on("ended", self._ended.set)
            send(video.sender, viewer)
            await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            async with asyncio.timeout(REQUEST_S):
                await self._settled.wait()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SinkLost(f"{self._url} cannot be reached: {error or 'no answer'}") from error
        except (
            *(InternalError, InvalidAccessError, InvalidStateError, OperationError),
            *UNREADABLE,
        ) as error:
            raise SinkLost(f"{self._url} gave no answer that could be used: {error}") from error
        if self._connection.connectionState != "connected":
            raise SinkLost(f"{self._url} answers, but no connection to it came about")

    async def wait(self) -> None:
        """Wait until the session has ended."""
        await self._ended.wait()

    async def close(self) -> None:
        """End the session here and there."""
        await farewell(self._connection.close())
        if self._session:
            with suppress(aiohttp.ClientError, TimeoutError):
                await self._http.delete(self._session, headers=self._bearer)
        await self._http.close()

    async def _post(self, offer: str) -> str:
        head = {"Content-Type": "application/sdp", **self._bearer}
        async with self._http.post(self._url, data=offer, headers=head) as response:
            if response.status != 201:
                raise SinkLost(f"{self._url} answers {response.status}", _hint(response.status))
            if place := response.headers.get("Location"):
                self._session = response.url.join(URL(place))
                if self._session.origin() != URL(self._url).origin():
                    self._bearer = {}  # the place may be on any host, the token is for ours alone
            answer = bytearray()
            async for part in response.content.iter_any():
                answer += part
                if len(answer) > MAX_ANSWER:
                    raise SinkLost(f"{self._url} answers without end")
            return answer.decode("utf-8", "replace")

    def _changed(self) -> None:
        state = self._connection.connectionState
        if state in ("connected", "failed", "closed"):
            self._settled.set()
        if state in ("failed", "closed"):
            self._ended.set()


def _hint(status: int) -> str:
    return "is --token right?" if status in (401, 403) else "is this a WHIP endpoint?"
