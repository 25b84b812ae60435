"""The browsers being served, and the places for them.

A place is taken before anything is made for a browser. One with a camera of its own costs a
network's work, so of those there are fewer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from realtime import heap
from realtime.errors import TooManyPeers
from realtime.turns import Turns, processors
from realtime.web.line import BrowserLine
from realtime.web.load import Load
from realtime.web.peer import Peer

LEFT_S = 1.0
"""Seconds after which the memory of a camera that has left is given back."""


class Peers:
    """At most `places` browsers at a time, of them `cameras` with a camera of their own.

    Their lines compose in `turns`, as many at once as there are processors: with a thread at work
    for each camera, packets were lost while they waited to be read. What is too much for all is
    given up by all.
    """

    def __init__(self, places: int, cameras: int) -> None:
        self.places, self.cameras = places, cameras
        at_once = processors()
        self.turns, self._load = Turns(at_once), Load(at_once)
        self._taken, self._lent = 0, 0
        self._peers: dict[str, Peer] = {}

    def __len__(self) -> int:
        return self._taken

    def get(self, id: str) -> Peer | None:
        """Return the browser of a session's secret name."""
        return self._peers.get(id)

    def lines(self) -> list[BrowserLine]:
        """Return the lines of those with a camera of their own."""
        return [peer.line for peer in self._peers.values() if peer.line]

    def line(self, watch: str) -> BrowserLine | None:
        """Return the line whose composed picture has this secret name."""
        found = (peer.line for peer in self._peers.values() if peer.watch == watch)
        return next(found, None)

    async def join(self, open_peer: Callable[[], Awaitable[Peer]], camera: bool) -> Peer:
        """Open a browser's connection if there is a place for it. Raises `TooManyPeers`."""
        for taken, places, what in (
            (self._taken, self.places, "places"),
            (self._lent if camera else -1, self.cameras, "places for cameras"),
        ):
            if taken >= places:
                raise TooManyPeers(
                    f"all {places} {what} are taken", "close a studio in another window"
                )
        self._take(1, camera)
        try:
            peer = await open_peer()
        except BaseException:
            self._take(-1, camera)
            raise
        self._peers[peer.id] = peer
        peer.life.add_done_callback(lambda _: self._leave(peer.id, camera))
        return peer

    async def govern(self) -> None:
        """Keep the load of all lines bearable until cancelled."""
        await self._load.govern(self.lines)

    async def close(self) -> None:
        """End all connections."""
        await asyncio.gather(*(peer.close() for peer in self._peers.values()))

    def _take(self, one: int, camera: bool) -> None:
        self._taken += one
        self._lent += one * camera

    def _leave(self, id: str, camera: bool) -> None:
        del self._peers[id]
        self._take(-1, camera)
        if camera:  # by then nobody who has waited for its end refers to it
            loop = asyncio.get_running_loop()
            loop.call_later(LEFT_S, loop.run_in_executor, None, heap.give_back)
