"""Where a peer may ask us to send, whichever way it asks."""

from __future__ import annotations

import threading
from typing import Any

import aioice.ice
import pytest
from aiohttp.test_utils import TestClient
from aioice.mdns import MDnsProtocol

from realtime.config import Config
from realtime.web import keys
from realtime.web.candidate import MAX_CANDIDATES
from tests.web.guest import OFFER
from tests.web.serving import error_of, in_loop, served
from tests.web.test_whip import patch, send

REFUSED = (
    *("169.254.169.254", "169.254.1.1", "fe80::1", "::ffff:169.254.169.254", "0.0.0.0", "::"),
    *("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "224.0.0.1", "ff02::1"),
    *("255.255.255.255", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "metadata.google.internal"),
)

NAMES = {f"refused-{at}.local": address for at, address in enumerate(REFUSED)}
GOOD = ("192.0.2.9", "good.local", "2001:db8::9", "127.0.0.1")


@pytest.fixture(autouse=True)
def neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What multicast DNS answers: names of browsers, and of who lies."""
    known = {**NAMES, "good.local": "192.0.2.10"}

    async def resolve(asked: MDnsProtocol, name: str) -> str | None:
        return known.get(name)

    monkeypatch.setattr(MDnsProtocol, "resolve", resolve)
    monkeypatch.setattr(aioice.ice, "_mdns", threading.local())  # it is of one event loop


def lines(*hosts: str) -> str:
    return "".join(f"a=candidate:1 1 UDP 1 {host} 80 typ host\r\n" for host in hosts)


@pytest.mark.parametrize("offered", [True, False])
@in_loop
async def test_nothing_is_sent_to_a_refused_address(
    config: Config, loopback: None, offered: bool
) -> None:
    told = lines(*REFUSED, *NAMES, "nobody.local", "more.than.one.local", *GOOD)
    told += "a=candidate:1 2 UDP 1 192.0.2.11 80 typ host\r\n"
    told += "a=candidate:1 1 UDP 1 192.0.2.12 0 typ host\r\n"
    async with served(config, camera=True) as client:
        answer = await send(client, "/whep", OFFER + told if offered else OFFER)
        session, tag = answer.headers["Location"], {"If-Match": answer.headers["ETag"]}
        assert offered or (await patch(client, session, told, **tag)).status == 204
        assert addresses(client, session) == {*GOOD, "192.0.2.10"} - {"good.local"}


def addresses(client: TestClient[Any, Any], session: str) -> set[str]:
    """Return the addresses to which a session's packets may go."""
    peer = client.server.app[keys.PEERS].get(session.rpartition("/")[2])
    (transport,) = peer._connection._RTCPeerConnection__iceTransports
    return {one._network_host for one in transport._connection.remote_candidates}


@in_loop
async def test_candidates_have_an_end(config: Config, loopback: None) -> None:
    async with served(config, camera=True) as client:
        answer = await send(client, "/whep", OFFER)
        tag, session = {"If-Match": answer.headers["ETag"]}, answer.headers["Location"]
        for third in range(4):
            told = lines(*(f"10.0.{third}.{host}" for host in range(1, 60)))
            assert (await patch(client, session, told, **tag)).status == 204
        assert len(addresses(client, session)) == MAX_CANDIDATES
        await error_of(await patch(client, session, lines(*["10.0.0.1"] * 1000), **tag), 400)
