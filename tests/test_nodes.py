"""The video devices of this machine. The kernel is a folder, or answers by a function."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from realtime import v4l2
from realtime.sources import nodes
from realtime.sources.nodes import Camera, Node, list_cameras, video_nodes
from tests.machine import node


def test_the_devices_of_the_kernel(tmp_path: Path) -> None:
    loop = node(tmp_path, 10, "Scrim", loop=True)
    webcam, meta = node(tmp_path, 2, "Webcam"), node(tmp_path, 3, "Webcam", index=1)
    assert video_nodes(tmp_path) == [
        Node(webcam, "Webcam", False, True),
        Node(meta, "Webcam", False, False),
        Node(loop, "Scrim", True, True),
    ]
    assert video_nodes(tmp_path / "elsewhere") == []


def test_a_file_and_a_device_of_another_kind_are_no_cameras(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert nodes.refusal(tmp_path / "file") == nodes.NO_CAMERA
    assert nodes.refusal(Path("/dev/null")) == nodes.NO_CAMERA
    assert nodes.refusal(tmp_path / "nothing") == nodes.MISSING


def kernel(path: Path, request: int, question: bytes) -> bytes:
    """Answers as a webcam with two formats would: MJPG in two sizes, YUYV in a range."""
    index = struct.unpack_from("I", question)[0]
    if request == v4l2._QUERYCAP:
        return bytes(88) + struct.pack("I", 1) + bytes(12)
    if request == nodes._ENUM_FMT and index < 2:
        return question[:44] + (b"MJPG", b"YUYV")[index] + bytes(16)
    if request == nodes._ENUM_FRAMESIZES:
        if question[4:8] == b"MJPG" and index < 2:
            return (
                question[:8] + struct.pack("3I", 1, *((1280, 720), (640, 480))[index]) + bytes(24)
            )
        if question[4:8] == b"YUYV" and index < 1:
            return question[:8] + struct.pack("7I", 3, 48, 1920, 8, 32, 1080, 8) + bytes(8)
    raise OSError(22, "Invalid argument")


def test_cameras_are_listed_with_their_modes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    webcam, loop = tmp_path / "video0", tmp_path / "video1"
    for path in (webcam, loop):
        path.touch()
    monkeypatch.setattr(nodes, "LINUX", True)
    monkeypatch.setattr(v4l2, "ask", kernel)
    listed = [Node(webcam, "Webcam", False, True), Node(loop, "Scrim", True, True)]
    monkeypatch.setattr(nodes, "video_nodes", lambda: listed)
    modes = ("MJPG 1280x720", "MJPG 640x480", "YUYV 48x32 to 1920x1080")
    assert list_cameras() == [Camera(str(webcam), "Webcam", modes)]
