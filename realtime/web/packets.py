"""RTP packets (RFC 3550, section 5.1) of one stream, made once for all that they go through."""

from __future__ import annotations

import secrets
import struct

from realtime.web.encoder import Encoded

HEADER = struct.Struct("!BBHLL")

VERSION, EXTENDED = 0x80, 0x10
MARKER = 0x80


def extended(profile: int, value: bytes) -> bytes:
    """Return a header extension with its own header (RFC 3550, section 5.3.1), or nothing."""
    return struct.pack("!HH", profile, len(value) // 4) + value if value else b""


class Packets:
    """Numbers the packets of one source; numbers and times begin anywhere.

    Numbers begin in the lower half: one that wraps soon after its first packet breaks SRTP.
    """

    def __init__(self, payload_type: int, source: int) -> None:
        self._type, self._source = payload_type, source
        self._began, self._number = secrets.randbits(32), secrets.randbits(15)

    def timestamp(self, encoded: Encoded) -> int:
        """Return a picture's time as its packets have it."""
        return (self._began + encoded.timestamp) % 2**32

    def of(self, encoded: Encoded, extensions: bytes = b"") -> list[tuple[int, bytes]]:
        """Return numbers and packets of one picture; the last one carries the marker.

        `extensions` is what `extended` returns.
        """
        first = VERSION | (EXTENDED if extensions else 0)
        timestamp, left = self.timestamp(encoded), len(encoded.payloads)
        found = []
        for payload in encoded.payloads:
            left -= 1
            kind = self._type if left else self._type | MARKER
            head = HEADER.pack(first, kind, self._number, timestamp, self._source)
            found.append((self._number, head + extensions + payload))
            self._number = (self._number + 1) % 2**16
        return found
