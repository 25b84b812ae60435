"""WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep), request by request."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.config import Config
from realtime.errors import BadOffer
from realtime.web import fragment
from realtime.web.fragment import read_fragment
from tests.web.guest import OFFER, Camera, browser, post_sdp
from tests.web.serving import BLUE, GREEN, error_of, in_loop, served, taken, until

FRAGMENT = """a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
m=video 9 UDP/TLS/RTP/SAVPF 96
a=mid:0
a=candidate:1 1 UDP 2130706431 192.0.2.7 61764 typ host
a=end-of-candidates
""".replace("\n", "\r\n")

SERVERS = [
    {"urls": "stun:stun.example.net"},
    {"urls": "turn:turn.example.net?transport=udp", "username": "me", "credential": "s3cret"},
]


async def send(client: TestClient[Any, Any], path: str, sdp: str, **headers: str) -> Any:
    kind = {"Content-Type": "application/sdp"}
    return await client.post(path, data=sdp, headers={**kind, **headers})


async def patch(client: TestClient[Any, Any], path: str, body: str, **headers: str) -> Any:
    kind = {"Content-Type": fragment.TYPE}
    return await client.patch(path, data=body, headers={**kind, **headers})


@in_loop
async def test_a_published_camera_is_watched_without_the_room(
    config: Config, loopback: None
) -> None:
    async with served(config) as client, browser(Camera()) as guest, browser() as watcher:
        guest.connection.getTransceivers()[0].direction = "sendonly"
        answer = await send(client, "/whip", await guest.offer())
        assert answer.status == 201 and answer.headers["Content-Type"] == "application/sdp"
        assert "a=recvonly" in await answer.text()
        await guest.accept(await answer.text())
        (link,) = answer.headers.getall("Link")
        place = re.fullmatch(r'<(/whep/line/\S{24})>; rel="alternate"; .*', link)
        assert place and place[1].rpartition("/")[2] not in answer.headers["Location"]
        watched = await send(client, place[1], await watcher.offer())
        assert watched.status == 201
        await watcher.accept(await watched.text())
        await watcher.sees(GREEN, BLUE)
        assert (await client.delete(answer.headers["Location"])).status == 200
        assert await until(lambda: taken(client), 0), "the watcher's line has ended with it"
        await error_of(await send(client, place[1], OFFER), 404)


@pytest.mark.parametrize("place", ["/whip", "/whep"])
@in_loop
async def test_a_session_from_post_to_delete(config: Config, loopback: None, place: str) -> None:
    async with served(config, camera=True, ice_servers=SERVERS[:1]) as client:
        direction = "sendonly" if place == "/whip" else "recvonly"
        answer = await send(client, place, OFFER.replace("sendrecv", direction))
        session, tag = answer.headers["Location"], answer.headers["ETag"]
        assert answer.status == 201 and re.fullmatch(place + r"/\S{24}", session)
        assert re.fullmatch(r'"\S{16}"', tag)
        assert '<stun:stun.example.net>; rel="ice-server"' in answer.headers.getall("Link")
        for method in ("GET", "HEAD", "PUT", "POST"):
            refused = await client.request(method, session)
            assert refused.status == 405 and "PATCH" in refused.headers["Allow"]
        options = await client.options(session)
        assert options.status == 204 and options.headers["Accept-Patch"] == fragment.TYPE
        assert (await patch(client, session, FRAGMENT, **{"If-Match": tag})).status == 204
        await error_of(await patch(client, session, FRAGMENT), 428)
        await error_of(await patch(client, session, FRAGMENT, **{"If-Match": '"other"'}), 412)
        restart = FRAGMENT.replace("ufrag:abcd", "ufrag:efgh")
        said = await error_of(await patch(client, session, restart, **{"If-Match": "*"}), 422)
        assert "restarted where it is connected" in said
        await error_of(await patch(client, session, restart, **{"If-Match": '"*"'}), 422)
        bad = restart.replace("pwd:abcdefgh", "pwd:")
        await error_of(await patch(client, session, bad, **{"If-Match": "*"}), 400)
        wrong = await client.patch(session, data="{}", headers={"Content-Type": "text/plain"})
        assert await error_of(wrong, 415) and wrong.headers["Accept-Patch"] == fragment.TYPE
        await error_of(await patch(client, session, "nonsense", **{"If-Match": tag}), 400)
        assert await taken(client) == 1, "nothing of this has ended the session"
        assert (await client.delete(session)).status == 200
        await error_of(await client.delete(session), 404)
        await error_of(await patch(client, session, FRAGMENT, **{"If-Match": tag}), 404)


@pytest.mark.parametrize("place", ["/whip", "/whep", "/whep/line/guessed"])
@in_loop
async def test_what_an_endpoint_refuses(config: Config, place: str) -> None:
    async with served(config, camera=True, max_peers=1) as client:
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
            if (method, place) in (("DELETE", "/whep/line/guessed"), ("PATCH", place)):
                continue
            refused = await client.request(method, place)
            assert refused.status == 405 and "POST" in refused.headers["Allow"]
        options = await client.options(place)
        assert options.status == 204 and options.headers["Accept-Post"] == "application/sdp"
        await error_of(await client.post(place, json={}), 415)
        await error_of(await send(client, place, OFFER, Accept="text/html"), 406)
        if "line" in place:
            return
        await error_of(await send(client, place, "v=0"), 400)
        await error_of(await send(client, place, OFFER.replace("sendrecv", "inactive")), 422)
        assert (await send(client, place, OFFER)).status == 201
        full = await send(client, place, OFFER)
        await error_of(full, 503)
        assert int(full.headers["Retry-After"]) > 0


@in_loop
async def test_ice_servers_are_named_to_who_may_ask(config: Config) -> None:
    async with served(config, camera=True, ice_servers=SERVERS, token="t0ken") as client:
        assert (await client.options("/whep")).status == 401
        options = await client.options("/whep", headers={"Authorization": "Bearer t0ken"})
        assert options.headers.getall("Link") == [
            '<stun:stun.example.net>; rel="ice-server"',
            '<turn:turn.example.net?transport=udp>; rel="ice-server"; username="me"; '
            'credential="s3cret"; credential-type="password"',
        ]


@in_loop
async def test_cameras_have_fewer_places(config: Config, loopback: None) -> None:
    async with served(config, camera=True, max_cameras=1) as client:
        assert (await send(client, "/whip", OFFER)).status == 201
        lent = await client.post("/offer", json={"type": "offer", "sdp": OFFER})
        assert "cameras" in await error_of(lent, 503)
        assert (await post_sdp(client, OFFER)).status == 201


@in_loop
async def test_candidates_may_come_after_the_offer(config: Config, loopback: None) -> None:
    async with served(config, camera=True) as client, browser() as guest:
        offer = await guest.offer()
        early = re.sub(r"a=(candidate|end-of-candidates).*\r\n", "", offer)
        assert "candidate" in offer and "candidate" not in early
        answer = await send(client, "/whep", early)
        # Ours are left out too, so that nobody finds the other without what is patched.
        theirs = re.sub(r"a=(candidate|end-of-candidates).*\r\n", "", await answer.text())
        await guest.accept(theirs)
        tag = {"If-Match": answer.headers["ETag"]}
        said = await patch(client, answer.headers["Location"], fragment_of(offer), **tag)
        assert said.status == 204
        await guest.sees(GREEN, BLUE)


def fragment_of(offer: str) -> str:
    kept = re.findall(r"a=(?:ice-ufrag|ice-pwd|mid|candidate|end-of-candidates).*\r\n", offer)
    return "".join(kept)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(FRAGMENT.splitlines()) | st.text(max_size=30), max_size=20),
    st.text(max_size=10),
)
def test_any_text_is_a_fragment_or_a_bad_one(lines: list[str], junk: str) -> None:
    for text in ("\r\n".join(lines), FRAGMENT.replace("192.0.2.7", junk)):
        try:
            read_fragment(text)
        except BadOffer as error:
            assert error.message
