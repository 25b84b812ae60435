"""The video devices of this machine, and which of them are cameras.

On Linux the kernel is asked, by the structures of linux/videodev2.h.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from realtime import v4l2

LINUX = sys.platform == "linux"

MISSING, NO_CAMERA = "there is no such device", "it is not a camera"

_ENUM_FMT, _ENUM_FRAMESIZES = 0xC0405602, 0xC02C564A
_DISCRETE = 1


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera that was found; `modes` such as "MJPG 1280x720", empty where unknown."""

    path: str
    name: str
    modes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A video device of the kernel; `virtual` ones are v4l2loopback's, `main` ones give pictures.

    A webcam has further nodes, which give metadata only.
    """

    path: Path
    name: str
    virtual: bool
    main: bool


def list_cameras() -> list[Camera]:
    """Return the cameras of this machine, without virtual ones."""
    if not LINUX:
        return [
            Camera(str(index), f"camera {index}")
            for index in range(4)
            if cv2.VideoCapture(index).isOpened()
        ]
    return [
        Camera(str(node.path), node.name, tuple(_modes(node.path)))
        for node in video_nodes()
        if not node.virtual and refusal(node.path) not in (NO_CAMERA, MISSING)
    ]


def video_nodes(root: Path = Path("/")) -> list[Node]:
    """Return the video devices that Linux lists below `root`, in the order of their numbers."""
    folders = (root / "sys/class/video4linux").glob("video*")
    return [
        Node(
            root / "dev" / folder.name,
            v4l2.text(folder / "name") or folder.name,
            (folder / "max_openers").exists(),  # only v4l2loopback has this one
            v4l2.text(folder / "index") in ("", "0"),
        )
        for folder in sorted(folders, key=lambda folder: int(folder.name.removeprefix("video")))
    ]


def candidates(device: str) -> list[str]:
    """Return the paths that "auto", a path, an index or a part of a name stands for."""
    if device.isdigit():
        return [f"/dev/video{device}" if LINUX else device]
    if device == "auto":
        return [camera.path for camera in list_cameras()]
    if "/" in device:
        return [device]
    return [str(node.path) for node in video_nodes() if device.lower() in node.name.lower()]


def refusal(path: Path) -> str:
    """Return why a device of Linux cannot be a camera for us, "" if it can."""
    if not os.path.exists(path):
        return MISSING
    if not os.access(path, os.R_OK | os.W_OK):
        return "no permission, add yourself to the group video"
    try:
        bits = v4l2.capabilities(path)
    except OSError as error:
        return (
            NO_CAMERA
            if error.errno in (errno.EINVAL, errno.ENOTTY)
            else (error.strerror or "unusable").lower()
        )
    return "" if bits & v4l2.CAPTURE else NO_CAMERA


def _modes(path: Path) -> Iterator[str]:
    """Yield the modes of a camera, such as "YUYV 640x480" or "YUYV 48x32 to 1920x1080"."""
    for answer in _answers(path, _ENUM_FMT, 64, struct.pack("II", 0, v4l2.CAPTURE)):
        pixels = answer[44:48]
        for size in _answers(path, _ENUM_FRAMESIZES, 44, struct.pack("I4s", 0, pixels)):
            kind, left, right, _, low, high = struct.unpack_from("6I", size, 8)
            exact, span = f"{left}x{right}", f"{left}x{low} to {right}x{high}"
            yield f"{pixels.decode('latin-1')} {exact if kind == _DISCRETE else span}"


def _answers(path: Path, request: int, length: int, question: bytes) -> Iterator[bytes]:
    """Ask for entry 0, 1, 2 ... of a list until the kernel has no more."""
    for index in range(256):
        try:
            asked = struct.pack("I", index) + question[4:]
            yield v4l2.ask(path, request, asked.ljust(length, b"\0"))
        except OSError:
            return
