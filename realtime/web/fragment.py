"""Candidates that come after the offer: `application/trickle-ice-sdpfrag` (RFC 8840, section 9)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from aiortc import RTCIceCandidate
from aiortc.sdp import candidate_from_sdp

from realtime.errors import BadOffer
from realtime.web.candidate import MAX_CANDIDATES

TYPE = "application/trickle-ice-sdpfrag"


@dataclass
class Fragment:
    """What a fragment says: `user` and `password` of the ICE session, and candidates for it."""

    user: str = ""
    password: str = ""
    candidates: list[RTCIceCandidate] = field(default_factory=list)
    is_last: bool = False
    """Whether no more candidates will come."""


def read_fragment(text: str) -> Fragment:
    """Parse a fragment. Raises `BadOffer`."""
    found, name = Fragment(), None
    for line in text.splitlines():
        kind, _, value = line.strip().partition(":")
        if kind.startswith("m="):
            name = None
        elif kind == "a=mid":
            name = value
        elif kind == "a=ice-ufrag":
            found.user = value
        elif kind == "a=ice-pwd":
            found.password = value
        elif kind == "a=end-of-candidates":
            found.is_last = True
        elif kind == "a=candidate":
            found.candidates.append(_candidate(value, name))
        elif line.strip() and not re.match(r"[a-z]=", line):
            raise BadOffer("the fragment cannot be read", "send an SDP fragment (RFC 8840)")
    if len(found.candidates) > MAX_CANDIDATES:
        raise BadOffer(f"more than {MAX_CANDIDATES} candidates", "send those that are real")
    if not (found.user or found.candidates or found.is_last):
        raise BadOffer("the fragment says nothing", "send candidates (RFC 8840)")
    return found


def _candidate(value: str, name: str | None) -> RTCIceCandidate:
    """Read a candidate of the medium of this name, or of the first one."""
    try:
        candidate = candidate_from_sdp(value)
    except (AssertionError, ValueError) as error:
        raise BadOffer("a candidate cannot be read", "see RFC 8839, section 5.1") from error
    candidate.sdpMid, candidate.sdpMLineIndex = name, None if name else 0
    return candidate
