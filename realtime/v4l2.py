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


def text(path: Path) -> str:
    """Return what the kernel says in a file, nothing where there is none."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def holders(device: str, root: Path = Path("/")) -> list[str]:
    """Return the other programs that hold a device open, such as "zoom (pid 4242)".

    Programs of other users are seen by root only.
    """
    found = []
    for process in sorted((root / "proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        if int(process.name) != os.getpid() and device in _open_files(process):
            found.append(f"{_name_of(process)} (pid {process.name})")
    return found


def _open_files(process: Path) -> set[str]:
    try:
        return {os.readlink(handle) for handle in (process / "fd").iterdir()}
    except OSError:  # another user's, or gone meanwhile
        return set()


def _name_of(process: Path) -> str:
    return text(process / "comm") or "a program"
