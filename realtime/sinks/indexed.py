"""A map of classes as a picture of indexed colour: a pixel's value is its class, a palette paints.

PNG (ISO/IEC 15948) of colour type 3, 8 bit, written here since OpenCV has no palettes. The palette
is that of PASCAL VOC (Everingham et al., IJCV 2010), which other tools use for class maps too:
0 black, 1 maroon, 2 green, 3 olive, 4 navy, 5 purple, 6 teal, 7 grey, 8 dark brown, ...
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

from realtime.frame import Bytes

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def encode_indexed(numbers: Bytes) -> bytes:
    """Encode classes, uint8 (height, width), as an indexed PNG."""
    height, width = numbers.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    rows = np.pad(numbers, ((0, 0), (1, 0)))  # every row begins with its filter: 0, none
    return SIGNATURE + b"".join(
        (
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", bytes(level for number in range(256) for level in colour(number))),
            _chunk(b"IDAT", zlib.compress(rows.tobytes())),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def colour(number: int) -> tuple[int, int, int]:
    """Return the palette's red, green and blue: the number's bits, the lowest weigh the most."""
    red, green, blue = (
        sum((number >> (3 * bit + channel) & 1) << (7 - bit) for bit in range(8))
        for channel in range(3)
    )
    return red, green, blue
