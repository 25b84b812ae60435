"""Bodies and offers, good and bad."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.config import Config
from realtime.errors import BadOffer, NegotiationFailed
from realtime.web import body as bodies
from realtime.web.offer import read_offer, with_start_rate
from tests.web.guest import OFFER, post_sdp
from tests.web.serving import error_of, in_loop, served


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"x" * (bodies.MAX_BODY + 1), "application/json", 413),
        (b"{}", "text/plain", 415),
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"sdp": 1, "type": "offer"}', "application/json", 400),
        (b'{"sdp": "v=0", "type": "answer"}', "application/json", 400),
        (b'{"sdp": "v=0", "type": "offer", "scene": 3}', "application/json", 400),
    ],
)
@in_loop
async def test_bad_bodies(config: Config, body: bytes, kind: str, status: int) -> None:
    async with served(config) as client:
        answer = await client.post("/offer", data=body, headers={"Content-Type": kind})
        await error_of(answer, status)


@in_loop
async def test_a_slow_body_is_given_up(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_TIMEOUT_S", 0.1)
    ended = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"type":'
        await ended.wait()

    async with served(config) as client:
        headers = {"Content-Type": "application/json"}
        await error_of(await client.post("/offer", data=slowly(), headers=headers), 408)
        ended.set()


MEDIA = OFFER[OFFER.index("m=video") :]


@pytest.mark.parametrize(
    "sdp",
    [
        "",
        "hello",
        OFFER.replace(MEDIA, ""),
        OFFER + MEDIA.replace("a=mid:0", "a=mid:1"),
        OFFER + MEDIA.replace("video", "audio") * 1000,
        OFFER + MEDIA.replace("video", "audio"),
        OFFER + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\n",
        OFFER.replace("a=fingerprint", "a=nofingerprint"),
        OFFER.replace("a=setup:actpass\r\n", ""),
        OFFER.replace("a=ice-pwd", "a=ice-word"),
        OFFER.replace("a=rtcp-mux\r\n", ""),
        OFFER.replace("a=sendrecv\r\n", ""),
        OFFER.replace("BUNDLE 0", "BUNDLE 0 7"),
        OFFER.replace("a=mid:0\r\n", ""),
        OFFER + "a=candidate:1 1 UDP 1 10.0.0.1 1 typ host\r\n" * 5000,
        OFFER + "a=fmtp:33 x=y\r\n",
    ],
)
def test_bad_offers(sdp: str) -> None:
    with pytest.raises(BadOffer):
        read_offer(sdp, ("sendrecv",))


@pytest.mark.parametrize(
    "sdp", [OFFER.replace("VP8", "AV9"), OFFER.replace("a=sendrecv", "a=inactive")]
)
@in_loop
async def test_offers_without_anything_in_common(config: Config, sdp: str) -> None:
    async with served(config, camera=True) as client:
        await error_of(await client.post("/offer", json={"type": "offer", "sdp": sdp}), 422)
        await error_of(await post_sdp(client, sdp), 422)


LINES = OFFER.splitlines()


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(LINES) | st.text(max_size=20).map("a=".__add__), max_size=25),
    st.sampled_from(LINES),
    st.text(max_size=12),
)
def test_any_text_is_an_offer_or_a_bad_one(lines: list[str], line: str, junk: str) -> None:
    for sdp in ("\r\n".join(LINES[:6] + lines), OFFER.replace(line, line[:8] + junk)):
        try:
            assert read_offer(sdp, ("sendrecv",)).sdp == sdp
        except (BadOffer, NegotiationFailed) as error:
            assert error.message


def test_the_answer_lets_the_camera_begin_fast() -> None:
    answer = with_start_rate(OFFER + "a=rtpmap:97 rtx/90000\r\n")
    assert "a=fmtp:96 x-google-start-bitrate=2500" in answer
    assert "a=fmtp:97" not in answer
