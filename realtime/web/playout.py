"""No waiting at the receiver: the playout delay of WebRTC's experiments, in aiortc's place.

A receiver keeps pictures back to show them evenly: Chromium by 40 ms at first and 12 later, and 10
more to draw them. A sender that asks for a delay of 0 has each shown as soon as it is decoded.
https://webrtc.googlesource.com/src/+/main/docs/native-code/rtp-hdrext/playout-delay
"""

from __future__ import annotations

from aiortc.codecs import HEADER_EXTENSIONS
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap

URI = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"

OURS = RTCRtpHeaderExtensionParameters(id=4, uri=URI)
"""As it is offered; aiortc itself takes 1 to 3."""

ONE_BYTE, LARGEST_ID = 0xBEDE, 14
"""The form of header extensions of RFC 8285, section 4.2, and the largest number it can name."""


def install() -> None:
    """Let all of aiortc's connections negotiate it."""
    if OURS not in HEADER_EXTENSIONS["video"]:
        HEADER_EXTENSIONS["video"].append(OURS)


class AtOnce(HeaderExtensionsMap):  # type: ignore[misc]  # aiortc has no types
    """Adds a least and a largest delay of 0, each of 12 bits, where the receiver knows them."""

    def __init__(self) -> None:
        super().__init__()
        self._element = b""

    def configure(self, parameters: RTCRtpParameters) -> None:
        """Learn under which numbers extensions are sent."""
        super().configure(parameters)
        for known in parameters.headerExtensions:
            if known.uri == URI and known.id <= LARGEST_ID:
                self._element = bytes((known.id << 4 | 2, 0, 0, 0))

    def set(self, values: HeaderExtensions) -> tuple[int, bytes]:
        """Return profile and value of a packet's header extensions."""
        profile, value = super().set(values)
        if not self._element or profile not in (0, ONE_BYTE):
            return profile, value
        return ONE_BYTE, value + self._element
