"""Cameras: asked, drained, lost, found again and closed. OpenCV is a stand-in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from realtime.errors import EndOfStream, SourceLost, SourceUnavailable
from realtime.pixels import to_bgr
from realtime.sources import nodes
from realtime.sources.camera import CameraSource
from realtime.sources.nodes import Node, video_nodes
from tests.machine import node

MJPG = float(cv2.VideoWriter.fourcc(*"MJPG"))

YUYV = float(cv2.VideoWriter.fourcc(*"YUYV"))


class FakeCapture:
    """What OpenCV offers; `ages` are the ages in seconds of the pictures that come."""

    def __init__(self, gives: dict[int, float], opened: bool = True, silent: bool = False) -> None:
        self.gives = {cv2.CAP_PROP_FPS: 30.0, cv2.CAP_PROP_FOURCC: YUYV} | gives
        self.opened, self.silent = opened, silent
        self.asked: dict[int, float] = {}
        self.ages: list[float] = []
        self.whole: list[bool | Exception] = []
        self.grabs = self.released = 0
        self.before_grab: Callable[[], None] = lambda: None
        self.shape = (48, 64, 3)

    def isOpened(self) -> bool:
        return self.opened

    def set(self, key: int, value: float) -> bool:
        self.asked[key] = value
        return True

    def get(self, key: int) -> float:
        if key == cv2.CAP_PROP_POS_MSEC:
            age_s = self.ages.pop(0) if self.ages else 0.0
            return (time.monotonic() - age_s) * 1000
        return self.gives.get(key, self.asked.get(key, 0.0))

    def grab(self) -> bool:
        self.before_grab()
        self.grabs += 1
        return not self.silent

    def retrieve(self) -> tuple[bool, Any]:
        whole = self.whole.pop(0) if self.whole else True
        if isinstance(whole, Exception):
            raise whole
        return whole, np.full(self.shape, self.grabs, np.uint8) if whole else None

    def release(self) -> None:
        self.released += 1


@pytest.fixture
def captures(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeCapture]:
    """Cameras by their paths; every other path is missing."""
    known: dict[str, FakeCapture] = {}
    monkeypatch.setattr(nodes, "LINUX", True)
    monkeypatch.setattr(
        nodes,
        "video_nodes",
        lambda: [
            Node(Path("/dev/video0"), "Loop", True, True),
            Node(Path("/dev/video1"), "Front Camera", False, True),
            Node(Path("/dev/video2"), "USB Webcam", False, True),
        ],
    )
    monkeypatch.setattr(nodes, "_modes", lambda path: iter(()))
    monkeypatch.setattr(nodes, "refusal", lambda p: "" if str(p) in known else nodes.MISSING)
    monkeypatch.setattr(cv2, "VideoCapture", lambda path, backend: known[path])
    return known


def test_auto_takes_the_first_that_delivers_and_no_virtual_one(
    captures: dict[str, FakeCapture],
) -> None:
    captures["/dev/video0"] = FakeCapture({})
    captures["/dev/video1"] = FakeCapture({}, silent=True)
    captures["/dev/video2"] = FakeCapture({})
    assert CameraSource("auto", 640, 480, 30.0).path == "/dev/video2"
    assert captures["/dev/video1"].released == 1
    assert captures["/dev/video0"].grabs == 0


@pytest.mark.parametrize("device", ["/dev/video2", "2", "webcam", "USB Web"])
def test_a_device_is_a_path_an_index_or_a_name(
    captures: dict[str, FakeCapture], device: str
) -> None:
    captures["/dev/video1"] = FakeCapture({})
    captures["/dev/video2"] = FakeCapture({})
    assert CameraSource(device, 640, 480, 30.0).path == "/dev/video2"


def test_every_tried_device_gives_its_reason(captures: dict[str, FakeCapture]) -> None:
    captures["/dev/video1"] = FakeCapture({}, opened=False)
    captures["/dev/video2"] = FakeCapture({}, silent=True)
    with pytest.raises(SourceUnavailable) as caught:
        CameraSource("auto", 640, 480, 30.0)
    assert "/dev/video1: it cannot be opened" in caught.value.message
    assert "/dev/video2: it gives no picture" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("device", ["/dev/video7", "7", "nobody"])
def test_a_missing_device_is_named(captures: dict[str, FakeCapture], device: str) -> None:
    with pytest.raises(SourceUnavailable, match=device):
        CameraSource(device, 640, 480, 30.0)


def open_one(captures: dict[str, FakeCapture], **gives: Any) -> tuple[CameraSource, FakeCapture]:
    wish = (gives.pop("width", 640), gives.pop("height", 480), gives.pop("fps", 30.0))
    fourcc = gives.pop("fourcc", "auto")
    keys = {getattr(cv2, f"CAP_PROP_{name}"): value for name, value in gives.items()}
    capture = captures["/dev/video2"] = FakeCapture(keys)
    return CameraSource("2", *wish, fourcc), capture


@pytest.mark.parametrize(
    ("width", "height", "fps", "fourcc", "asked"),
    [
        (1280, 720, 30.0, "auto", MJPG),
        (1280, 720, 10.0, "auto", None),
        (640, 480, 30.0, "auto", None),
        (640, 480, 30.0, "MJPG", MJPG),
        (1280, 720, 30.0, "YUYV", YUYV),
    ],
)
def test_large_modes_ask_for_mjpg(
    captures: dict[str, FakeCapture],
    width: int,
    height: int,
    fps: float,
    fourcc: str,
    asked: float | None,
) -> None:
    _, capture = open_one(captures, width=width, height=height, fps=fps, fourcc=fourcc)
    assert capture.asked.get(cv2.CAP_PROP_FOURCC) == asked


def test_what_the_driver_refuses_is_noted(captures: dict[str, FakeCapture]) -> None:
    source, _ = open_one(
        captures, width=1280, height=720, fourcc="MJPG", FRAME_WIDTH=640, FRAME_HEIGHT=480, FPS=15
    )
    assert source.notes == [
        "asked 1280x720 at 30, camera gives 640x480 at 15",
        "asked MJPG, camera gives YUYV",
    ]
    assert source.fps == 15


def test_a_driver_that_does_as_asked_is_not_noted(captures: dict[str, FakeCapture]) -> None:
    source, _ = open_one(captures, FPS=0)
    assert source.notes == []
    assert source.fps == 30


def test_frames_count_up_and_have_the_colours_of_the_picture(
    captures: dict[str, FakeCapture],
) -> None:
    source, capture = open_one(captures)
    capture.shape = (47, 63, 3)
    before = time.monotonic()
    frames = [source.read() for _ in range(3)]
    assert [frame.number for frame in frames] == [0, 1, 2]
    assert [int(to_bgr(frame)[3, 3, 0]) for frame in frames] == pytest.approx([2, 3, 4], abs=2)
    assert frames[0].size == (64, 48)
    assert before <= frames[0].captured_at <= frames[2].captured_at <= time.monotonic()


def test_a_stale_picture_is_passed_over(captures: dict[str, FakeCapture]) -> None:
    source, capture = open_one(captures)
    before = capture.grabs
    capture.ages = [0.4, 0.01, 0.0, 1e9, 0.0, -1e9]
    source.read()
    assert capture.grabs == before + 2
    for _ in range(4):
        source.read()
    assert capture.grabs == before + 6


def test_a_broken_picture_is_passed_over(captures: dict[str, FakeCapture]) -> None:
    source, capture = open_one(captures)
    capture.whole = [False, cv2.error("a damaged JPEG"), True]
    assert source.read().number == 0


@pytest.mark.parametrize("fault", ["silent", "broken"])
def test_a_camera_that_gives_no_more_is_lost(captures: dict[str, FakeCapture], fault: str) -> None:
    source, capture = open_one(captures)
    source.read()
    capture.silent = fault == "silent"
    capture.whole = [False] * 1000
    with pytest.raises(SourceLost, match="/dev/video2"):
        source.read()


def test_closing_while_a_read_blocks_releases_the_camera_once_it_is_safe(
    captures: dict[str, FakeCapture],
) -> None:
    source, capture = open_one(captures)
    blocked, go_on = threading.Event(), threading.Event()

    def block() -> None:
        blocked.set()
        assert go_on.wait(10)

    capture.before_grab = block
    ended: list[BaseException] = []

    def read() -> None:
        try:
            source.read()
        except EndOfStream as error:
            ended.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    assert blocked.wait(10)
    source.close()
    assert capture.released == 0
    go_on.set()
    reader.join(10)
    assert len(ended) == 1
    assert capture.released == 1
    source.close()
    with pytest.raises(EndOfStream):
        source.read()


def test_a_camera_is_found_by_its_name_under_another_number(
    captures: dict[str, FakeCapture], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(nodes, "video_nodes", lambda: video_nodes(tmp_path))
    before, after = (str(tmp_path / f"dev/video{number}") for number in (0, 5))
    node(tmp_path, 0, "USB Webcam")
    captures[before] = FakeCapture({})
    source = CameraSource("usb webcam", 640, 480, 30.0)
    captures.pop(before).silent = True
    with pytest.raises(SourceLost, match=before):
        source.read()
    node(tmp_path, 0, "Front Camera")
    captures[before] = FakeCapture({})
    node(tmp_path, 5, "USB Webcam")
    captures[after] = FakeCapture({})
    assert CameraSource("usb webcam", 640, 480, 30.0).path == after
