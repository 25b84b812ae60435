"""Where the picture can be published to, and as what. Floor 0."""

from __future__ import annotations

from typing import Literal, get_args
from urllib.parse import parse_qs, urlsplit

Codec = Literal["H264", "VP8"]

CODECS: tuple[Codec, ...] = get_args(Codec)
"""What we send and take, the preferred one first: the cheaper to encode."""


def check_url(url: str) -> None:
    """Raise `ValueError` for what is no address of a WHIP endpoint nor one for plain RTP."""
    if is_rtp(url):
        read_rtp_url(url)
        return
    parts = urlsplit(url)
    if not parts.hostname or parts.port == 0:
        raise ValueError("a host is missing, or a port")


def is_rtp(url: str) -> bool:
    """Say whether a URL means plain RTP."""
    return url.startswith("rtp:")


def read_rtp_url(url: str) -> tuple[str, int, Codec]:
    """Return host, port and codec of `rtp://host:port?codec=VP8`. Raises `ValueError`."""
    parts = urlsplit(url)
    codec = parse_qs(parts.query).get("codec", [CODECS[0]])[0].upper()
    if not parts.hostname or not parts.port:
        raise ValueError("a host is missing, or a port")
    if codec not in CODECS:
        raise ValueError(f"its codec is none of {', '.join(CODECS)}")
    return parts.hostname, parts.port, CODECS[CODECS.index(codec)]
