"""A browser's offer (SDP, RFC 8866; JSEP, RFC 8829): is it one, and can it be answered?

All is judged on the text, before anything is made for the browser: a bad offer costs nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiortc.sdp import MediaDescription, SessionDescription

from realtime.address import CODECS, Codec
from realtime.errors import BadOffer, NegotiationFailed
from realtime.web.candidate import MAX_CANDIDATES

MAX_MEDIA, MAX_LINES = 4, 1000
"""A browser's offer of sound and picture has some 250 lines."""

USER, PASSWORD = r"[A-Za-z0-9+/]{4,256}", r"[A-Za-z0-9+/]{22,256}"
"""Of an ICE session (RFC 8839, section 5.4)."""

START_KBIT_S = 2500
"""Rate at which the browser's camera begins; left alone it needs 25 s to reach 1280x720."""

# What aiortc's parser raises on text that is no SDP.
UNREADABLE = (
    *(AssertionError, AttributeError, IndexError, KeyError),
    *(StopIteration, TypeError, ValueError),
)


@dataclass(frozen=True)
class Offer:
    """An offer that passed: one video, in a codec of ours, in a direction that makes sense.

    `users` are the names of its ICE session, which candidates that come later must know; `sound`
    and `sound_direction` are name and direction of its first audio, empty without one.
    """

    sdp: str
    users: frozenset[str]
    sound: str
    sound_direction: str


def read_offer(sdp: str, directions: tuple[str, ...]) -> Offer:
    """Check an offer whose video must have one of these directions.

    Raises `BadOffer` for what is no offer, `NegotiationFailed` where nothing can be agreed on.
    """
    if sdp.count("\n") > MAX_LINES:
        raise BadOffer(f"the SDP has more than {MAX_LINES} lines", "send the browser's own offer")
    try:
        session = SessionDescription.parse(sdp)
    except UNREADABLE as error:
        raise BadOffer("the SDP cannot be read", "send the browser's own offer") from error
    for complaint in _complaints(session):
        raise BadOffer(f"the offer has {complaint}", "send the browser's own offer, unchanged")
    video = next(media for media in session.media if media.kind == "video")
    if video.direction not in directions:
        raise NegotiationFailed(
            f"the video is {video.direction}, not {' or '.join(directions)}",
            "/whep is for watching, /offer for a camera that wants its picture back",
        )
    if not any(codec.name in CODECS for codec in video.rtp.codecs):
        raise NegotiationFailed("no codec in common", "offer VP8 or H264")
    users = frozenset(str(media.ice.usernameFragment) for media in session.media)
    sounds = [(m.rtp.muxId, str(m.direction)) for m in session.media if m.kind == "audio"]
    return Offer(sdp, users, *(sounds or [("", "")])[0])


def _complaints(session: SessionDescription) -> list[str]:
    kinds = [media.kind for media in session.media]
    mids = [media.rtp.muxId for media in session.media]
    found = []
    if kinds.count("video") != 1:
        found.append(f"{kinds.count('video')} videos instead of one")
    if len(kinds) > MAX_MEDIA or not set(kinds) <= {"audio", "video"}:
        found.append("media that are neither audio nor video, or too many of them")
    if len(set(mids)) != len(mids) or not all(mids):
        found.append("media without names of their own")
    if any(set(group.items) - set(mids) for group in session.group if group.semantic == "BUNDLE"):
        found.append("a bundle of media that are not there")
    for media in session.media:
        found += _media_complaints(media)
    return found


def _media_complaints(media: MediaDescription) -> list[str]:
    needs = {
        "no fingerprint": media.dtls and media.dtls.fingerprints,
        "no ICE name and password": re.fullmatch(USER, media.ice.usernameFragment or "")
        and re.fullmatch(PASSWORD, media.ice.password or ""),
        "no rtcp-mux": media.rtcp_mux,
        "no direction": media.direction,
        "too many candidates": len(media.ice_candidates) <= MAX_CANDIDATES,
    }
    return [complaint for complaint, kept in needs.items() if not kept]


def codec_of(answer: str) -> Codec:
    """Return the codec of an answer's video: the first that it names. Raises `ValueError`."""
    media = SessionDescription.parse(answer).media
    video = next(one for one in media if one.kind == "video")
    return CODECS[CODECS.index(video.rtp.codecs[0].name)]


def with_start_rate(answer: str) -> str:
    """Return an answer that lets the browser's camera begin at `START_KBIT_S`."""
    session = SessionDescription.parse(answer)
    for media in session.media:
        for codec in media.rtp.codecs:
            if codec.name in CODECS:
                codec.parameters["x-google-start-bitrate"] = START_KBIT_S
    return str(session)
