"""The places inside aiortc that Scrim leans on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiortc import RTCCertificate, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcdtlstransport import generate_certificate
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    HeaderExtensions,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtpPacket,
    pack_remb_fci,
    unpack_header_extensions,
)
from cryptography.hazmat.primitives.asymmetric import rsa

from realtime.web import playout
from realtime.web.broadcast import Broadcast
from realtime.web.connection import open_connection, receive, send
from realtime.web.ladder import Report
from tests.web.serving import in_loop, until


@in_loop
async def test_a_sender_passes_on_what_its_receiver_says(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = open_connection()
    sender = connection.addTransceiver("video", direction="sendonly").sender
    viewer = Broadcast().viewer("VP8")
    asked: list[Any] = []
    monkeypatch.setattr(viewer, "ask_key", lambda: asked.append("key"))
    monkeypatch.setattr(viewer, "estimate", asked.append)
    send(sender, viewer)
    for kind in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
        await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=kind, ssrc=1, media_ssrc=sender._ssrc))
    remb = pack_remb_fci(300_000, [sender._ssrc])
    packet = RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=remb)
    await sender._handle_rtcp_packet(packet)
    assert asked == ["key", "key", Report(300_000)]
    quarter = RtcpReceiverInfo(sender._ssrc, 64, 10, 0, 0, 0, 0)
    await sender._handle_rtcp_packet(RtcpRrPacket(ssrc=1, reports=[quarter]))
    await sender._handle_rtcp_packet(packet)
    assert asked[-1] == Report(300_000, lost=0.25)
    assert viewer.unsent() == 0
    await connection.close()


@in_loop
async def test_no_server_is_asked_for_our_address() -> None:
    connection = open_connection()
    connection.addTransceiver("video")
    (transport,) = connection._RTCPeerConnection__iceTransports
    ice = transport.iceGatherer._connection
    assert ice.stun_server is None and ice.turn_server is None
    await connection.close()


@pytest.mark.parametrize("offers", [True, False])
@in_loop
async def test_a_peer_may_bring_an_rsa_certificate(loopback: None, offers: bool) -> None:
    ours, theirs = open_connection(), open_connection()
    key = rsa.generate_private_key(65537, 2048)
    (certificate,) = theirs._RTCPeerConnection__certificates
    certificate._key, certificate._cert = key, generate_certificate(key)
    one, other = (theirs, ours) if offers else (ours, theirs)
    one.addTransceiver("video", direction="recvonly")
    await negotiate(one, other)
    assert isinstance(certificate, RTCCertificate)
    assert await until(lambda: states(ours, theirs), {"connected"})
    await asyncio.gather(ours.close(), theirs.close())


@pytest.mark.parametrize("knows", [True, False])
@in_loop
async def test_a_receiver_that_can_is_told_not_to_wait(loopback: None, knows: bool) -> None:
    ours, theirs = open_connection(), open_connection()
    theirs.addTransceiver("video", direction="recvonly")
    await theirs.setLocalDescription(await theirs.createOffer())
    offer = theirs.localDescription.sdp
    if not knows:
        offer = "".join(line for line in offer.splitlines(True) if playout.URI not in line)
    await ours.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    (video,) = ours.getTransceivers()
    video.direction = "sendonly"
    send(video.sender, Broadcast().viewer("VP8"))
    await ours.setLocalDescription(await ours.createAnswer())
    await theirs.setRemoteDescription(RTCSessionDescription(ours.localDescription.sdp, "answer"))
    assert await until(lambda: states(ours, theirs), {"connected"})

    known = {each.uri: each.id for each in video._headerExtensions}
    assert (playout.URI in known) == knows
    extensions = video.sender._RTCRtpSender__rtp_header_extensions_map
    values = HeaderExtensions(mid="0", abs_send_time=7)
    found = dict(unpack_header_extensions(*extensions.set(values)))
    assert found.pop(known.get(playout.URI), None) == (bytes(3) if knows else None)
    assert set(found.values()) == {b"0", b"\0\0\x07"}
    await asyncio.gather(ours.close(), theirs.close())


@in_loop
async def test_a_link_that_carries_less_is_told_five_times_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Packets that come later and later, as on a busy machine, had an answer each."""
    connection = open_connection()
    receiver = connection.addTransceiver("video").receiver
    receive(receiver)
    told: list[Any] = []

    async def tell(packet: Any) -> None:
        told.append(packet)

    monkeypatch.setattr(receiver, "_send_rtcp", tell)
    receiver._set_rtcp_ssrc(1)
    for number in range(500):
        packet = RtpPacket(payload_type=97, sequence_number=number, ssrc=2, payload=bytes(1000))
        packet.extensions.abs_send_time = number * 20 * 2**18 // 1000
        await receiver._handle_rtp_packet(packet, arrival_time_ms=1000 + 26 * number)
    assert 30 < len(told) <= 5 * 500 * 26 / 1000 + 1
    await connection.close()


async def negotiate(one: RTCPeerConnection, other: RTCPeerConnection) -> None:
    await one.setLocalDescription(await one.createOffer())
    await other.setRemoteDescription(RTCSessionDescription(one.localDescription.sdp, "offer"))
    await other.setLocalDescription(await other.createAnswer())
    await one.setRemoteDescription(RTCSessionDescription(other.localDescription.sdp, "answer"))


async def states(*connections: RTCPeerConnection) -> set[str]:
    return {connection.connectionState for connection in connections}
