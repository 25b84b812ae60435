"""Who has vanished is let go of soon, who is only late is not, and nobody is sent to for ever."""

from __future__ import annotations

import asyncio

import pytest
from aiortc import RTCIceTransport

from realtime.web import consent
from tests.web.serving import in_loop, until
from tests.web.test_restart import connected


async def silenced() -> list[RTCIceTransport]:
    """Return two transports of which the second answers nothing any more."""
    transports = await connected()
    transports[1]._connection.request_received = lambda *request: None
    return transports


@in_loop
async def test_who_sends_has_not_vanished(loopback: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("INTERVAL_S", 0.05), ("MOST_SILENT", 2), ("EXPIRES_S", 4.0)):
        monkeypatch.setattr(consent, name, value)
    left, late = await silenced(), await silenced()

    async def send() -> None:
        while late[1].state == "completed":
            await late[1]._send(b"a packet")
            await asyncio.sleep(0.01)

    async def states() -> tuple[str, str]:
        return left[0].state, late[0].state

    sending = asyncio.create_task(send())
    assert await until(states, ("failed", "completed"))
    assert await until(states, ("failed", "failed"))
    for transport in (*left, *late):
        await transport.stop()
    await sending
