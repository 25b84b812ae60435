"""Questions to the Linux kernel about video devices (linux/videodev2.h). Floor 1."""

from __future__ import annotations

import os
import struct
from pathlib import Path

CAPTURE, OUTPUT = 1, 2
"""Bits of `capabilities`; also the buffer types of the same two directions."""

_QUERYCAP = 0x80685600


def ask(device: Path, request: int, question: bytes) -> bytes:
    """Return the kernel's answer to an ioctl request. Raises `OSError`."""
    from fcntl import ioctl  # Linux only

    handle = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    try:
        return ioctl(handle, request, question)
    finally:
        os.close(handle)


def capabilities(device: Path) -> int:
    """Return the device's capability bits. Raises `OSError` where there are none."""
    bits: int = struct.unpack_from("I", ask(device, _QUERYCAP, bytes(104)), 88)[0]
    return bits
