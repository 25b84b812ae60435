"""aiortc's peer connection as Scrim needs it, and the few places where that means its inside.

aiortc encodes for every viewer; a sender that is given our pictures only puts them into packets.
These places are private, so the version is pinned and `tests/web/test_connection.py` tries each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
)
from OpenSSL import SSL

from realtime.address import CODECS
from realtime.config import IceServer
from realtime.web import candidate, consent, playout
from realtime.web.estimate import Estimator
from realtime.web.link import Link
from realtime.web.viewer import Viewer

CIPHERS = b":".join(
    f"ECDHE-{key}-{cipher}".encode()
    for key in ("ECDSA", "RSA")
    for cipher in ("AES128-GCM-SHA256", "CHACHA20-POLY1305", "AES128-SHA", "AES256-SHA")
)
"""aiortc takes ECDSA certificates only; GStreamer brings one with RSA."""

FAREWELL_S = 2.0
"""Seconds for which the end of a connection is waited for."""

candidate.install()
consent.install()
playout.install()


def open_connection(servers: Sequence[IceServer] = ()) -> RTCPeerConnection:
    """Return a connection that asks only these servers for addresses and takes RSA certificates.

    aiortc's own default would ask a public one.
    """
    connection = RTCPeerConnection(RTCConfiguration(iceServers=asked(servers)))
    for certificate in connection._RTCPeerConnection__certificates:
        make_context = certificate._create_ssl_context
        certificate._create_ssl_context = partial(_with_ciphers, make_context)
    return connection


async def farewell(closing: Coroutine[Any, Any, None]) -> None:
    """Close what is to be closed, to its end; wait for it a little.

    A TURN server that is gone is asked for a minute to take back what it lent.
    """
    task = asyncio.create_task(closing)
    await asyncio.wait([task], timeout=FAREWELL_S)


def asked(servers: Sequence[IceServer]) -> list[RTCIceServer]:
    """Return ICE servers as aiortc names them."""
    return [RTCIceServer(each.urls, each.username, each.credential) for each in servers]


def _with_ciphers(make_context: Callable[..., SSL.Context], **arguments: object) -> SSL.Context:
    context = make_context(**arguments)
    context.set_cipher_list(CIPHERS)
    return context


def preferred() -> list[object]:
    """Return aiortc's codecs in our order, and retransmission (RFC 4588)."""
    known = RTCRtpSender.getCapabilities("video").codecs
    order = [*(f"video/{codec}".lower() for codec in CODECS), "video/rtx"]
    wanted = [codec for codec in known if codec.mimeType.lower() in order]
    return sorted(wanted, key=lambda codec: order.index(codec.mimeType.lower()))


def send(sender: RTCRtpSender, viewer: Viewer) -> None:
    """Let a sender send a viewer's pictures, and the viewer hear what its receiver says."""
    link = Link(sender, viewer)
    sender.replaceTrack(viewer)
    sender._RTCRtpSender__encoder = link
    sender._run_rtp = link.run
    sender._RTCRtpSender__rtp_header_extensions_map = playout.AtOnce()
    sender._send_keyframe = viewer.ask_key
    sender._retransmit = link.resend
    viewer.unsent, viewer.carries = link.unsent, link.carries


def receive(receiver: RTCRtpReceiver) -> None:
    """Let a receiver tell seldom enough what its link carries."""
    receiver._RTCRtpReceiver__remote_bitrate_estimator = Estimator()
