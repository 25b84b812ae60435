"""The browsers being served, and the places for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from realtime.errors import TooManyPeers
from realtime.web.peer import Peer


class Peers:
    """At most `places` browsers at a time; one that leaves frees its place."""

    def __init__(self, places: int) -> None:
        self.places = places
        self._taken = 0
        self._peers: dict[str, Peer] = {}

    def __len__(self) -> int:
        return self._taken

    def get(self, id: str) -> Peer | None:
        """Return the browser of a session's secret name."""
        return self._peers.get(id)

    async def join(self, open_peer: Callable[[], Awaitable[Peer]]) -> Peer:
        """Open a browser's connection if there is a place for it. Raises `TooManyPeers`."""
        if self._taken >= self.places:
            raise TooManyPeers(
                f"all {self.places} places are taken", "close a studio in another window"
            )
        self._taken += 1
        try:
            peer = await open_peer()
        except BaseException:
            self._taken -= 1
            raise
        self._peers[peer.id] = peer
        peer.life.add_done_callback(lambda _: self._leave(peer))
        return peer

    async def close(self) -> None:
        """End all connections."""
        await asyncio.gather(*(peer.close() for peer in self._peers.values()))

    def _leave(self, peer: Peer) -> None:
        del self._peers[peer.id]
        self._taken -= 1
