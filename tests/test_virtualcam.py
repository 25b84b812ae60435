"""The virtual camera: opened in spite of its traps, honest where it cannot be."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import numpy as np
import pytest
import pyvirtualcam

from realtime import v4l2
from realtime.config import Config
from realtime.errors import SinkLost, SinkUnavailable
from realtime.outlets import make_outlets
from realtime.pixels import colour
from realtime.sinks import virtualcam
from realtime.sinks.virtualcam import (
    VirtualCameraSink,
    list_virtual_cameras,
    module_version,
)
from realtime.v4l2 import CAPTURE
from tests.loopback import SIZE, FakeCamera, Loopback


@pytest.fixture
def loops(monkeypatch: pytest.MonkeyPatch) -> dict[str, Loopback]:
    devices: dict[str, Loopback] = {}

    def ask(device: Path, request: int, question: bytes) -> bytes:
        if str(device) not in devices:
            raise FileNotFoundError(2, "No such file or directory")
        return devices[str(device)].ask(request)

    def listen(seconds: float) -> None:
        for loop in devices.values():
            loop.caps = CAPTURE if loop.alive else loop.caps

    monkeypatch.setattr(FakeCamera, "devices", devices, raising=False)
    monkeypatch.setattr(pyvirtualcam, "Camera", FakeCamera)
    monkeypatch.setattr(virtualcam, "LINUX", True)
    monkeypatch.setattr(v4l2, "ask", ask)
    monkeypatch.setattr(virtualcam, "module_version", lambda: "0.12")
    monkeypatch.setattr(virtualcam, "list_virtual_cameras", lambda: sorted(devices))
    monkeypatch.setattr(virtualcam.time, "sleep", listen)
    return devices


@pytest.mark.parametrize("device", [None, "auto", "/dev/video10"])
def test_frames_are_written_as_they_are(loops: dict[str, Loopback], device: str | None) -> None:
    loop = loops["/dev/video10"] = Loopback()
    sink = VirtualCameraSink(device, SIZE, 30.0)
    frame = colour(SIZE, (200, 60, 30))
    sink.write(frame)
    sink.write(frame)
    assert sink.device == "/dev/video10"
    assert all((written.reshape(frame.i420.shape) == frame.i420).all() for written in loop.frames)
    assert len(loop.frames) == 2
    assert loop.unlocked == 0


def test_the_size_stays_whatever_comes(loops: dict[str, Loopback]) -> None:
    loop = loops["/dev/video10"] = Loopback()
    sink = VirtualCameraSink("auto", SIZE, 30.0)
    sink.write(colour((36, 64), (255, 255, 255)))
    luma = loop.frames[0].reshape(54, 64)[:36]
    assert luma[18, 32] == 235
    assert luma[18, 2] == 16


def test_a_device_that_forgot_to_take_a_writer_is_unlocked(loops: dict[str, Loopback]) -> None:
    loop = loops["/dev/video10"] = Loopback(forgets=True)
    VirtualCameraSink("auto", SIZE, 30.0).write(colour(SIZE, (0, 0, 0)))
    assert loop.unlocked == 1
    assert len(loop.frames) == 1


def test_only_old_modules_are_unlocked(
    loops: dict[str, Loopback], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = loops["/dev/video10"] = Loopback(forgets=True)
    monkeypatch.setattr(virtualcam, "module_version", lambda: "0.13.2")
    with pytest.raises(SinkUnavailable, match="another program writes"):
        VirtualCameraSink("auto", SIZE, 30.0)
    assert loop.unlocked == 0


def test_a_second_writer_is_refused(loops: dict[str, Loopback]) -> None:
    loops["/dev/video10"] = Loopback(alive=True)
    with pytest.raises(SinkUnavailable, match="another program writes") as caught:
        VirtualCameraSink("/dev/video10", SIZE, 30.0)
    assert caught.value.hint


def test_auto_takes_the_first_that_is_free(loops: dict[str, Loopback]) -> None:
    loops["/dev/video10"] = Loopback(alive=True)
    loops["/dev/video11"] = Loopback()
    assert VirtualCameraSink("auto", SIZE, 30.0).device == "/dev/video11"


def test_every_tried_device_gives_its_reason(loops: dict[str, Loopback]) -> None:
    loops["/dev/video10"] = Loopback(alive=True)
    loops["/dev/video11"] = Loopback(keeps=(320, 180))
    with pytest.raises(SinkUnavailable) as caught:
        VirtualCameraSink("auto", SIZE, 30.0)
    assert "/dev/video10" in caught.value.message
    assert "/dev/video11 is fixed to 320x180 YU12 and takes no 64x36" in caught.value.message


def test_no_device_says_how_to_make_one(loops: dict[str, Loopback]) -> None:
    with pytest.raises(SinkUnavailable) as caught:
        VirtualCameraSink("auto", SIZE, 30.0)
    assert caught.value.hint == (
        "sudo apt install v4l2loopback-dkms && "
        "sudo modprobe v4l2loopback exclusive_caps=1 card_label=Scrim"
    )


def test_a_device_that_goes_while_it_is_opened_is_named(
    loops: dict[str, Loopback], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Going(FakeCamera):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self.devices.clear()

    loops["/dev/video10"] = Loopback()
    monkeypatch.setattr(pyvirtualcam, "Camera", Going)
    with pytest.raises(SinkUnavailable, match="/dev/video10: there is no such device"):
        VirtualCameraSink("/dev/video10", SIZE, 30.0)


def test_a_missing_device_is_named(loops: dict[str, Loopback]) -> None:
    with pytest.raises(SinkUnavailable, match="/dev/video7: there is no such device"):
        VirtualCameraSink("/dev/video7", SIZE, 30.0)


def test_a_file_is_no_virtual_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtualcam, "LINUX", True)
    (tmp_path / "file").touch()
    with pytest.raises(SinkUnavailable, match="file is no virtual camera"):
        VirtualCameraSink(str(tmp_path / "file"), SIZE, 30.0)


def test_a_frame_that_does_not_arrive_is_noticed(loops: dict[str, Loopback]) -> None:
    loop = loops["/dev/video10"] = Loopback()
    sink = VirtualCameraSink("auto", SIZE, 30.0)
    loop.deaf = True
    with pytest.raises(SinkLost, match="took no frame"):
        sink.write(colour(SIZE, (0, 0, 0)))


def test_a_device_that_goes_away_is_noticed(loops: dict[str, Loopback]) -> None:
    loops["/dev/video10"] = Loopback()
    sink = VirtualCameraSink("auto", SIZE, 30.0)
    loops.clear()
    with pytest.raises(SinkLost, match="is gone"):
        sink.write(colour(SIZE, (0, 0, 0)))


def test_closing_twice_and_writing_after(loops: dict[str, Loopback]) -> None:
    loops["/dev/video10"] = Loopback()
    sink = VirtualCameraSink("auto", SIZE, 30.0)
    sink.close()
    sink.close()
    with pytest.raises(SinkLost):
        sink.write(colour(SIZE, (0, 0, 0)))


def test_a_missing_package_is_named(
    loops: dict[str, Loopback], monkeypatch: pytest.MonkeyPatch
) -> None:
    loops["/dev/video10"] = Loopback()
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(SinkUnavailable, match="pyvirtualcam is missing") as caught:
        VirtualCameraSink("auto", SIZE, 30.0)
    assert "pip install" in caught.value.hint


def test_elsewhere_the_library_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, device: str | None, **__: Any) -> None:
        assert device is None
        raise RuntimeError("'obs' backend: OBS Virtual Camera device not found!")

    monkeypatch.setattr(virtualcam, "LINUX", False)
    monkeypatch.setattr(pyvirtualcam, "Camera", refuse)
    with pytest.raises(SinkUnavailable, match=r"^OBS Virtual Camera device") as caught:
        VirtualCameraSink("auto", SIZE, 30.0)
    assert "OBS" in caught.value.hint


def test_a_written_frame_is_not_changed(loops: dict[str, Loopback]) -> None:
    loops["/dev/video10"] = Loopback()
    frame = colour(SIZE, (1, 2, 3))
    before = frame.i420.copy()
    VirtualCameraSink("auto", SIZE, 30.0).write(frame)
    assert np.array_equal(frame.i420, before)


def test_the_devices_of_the_module(tmp_path: Path) -> None:
    for name, loop in (("video10", True), ("video2", True), ("video0", False)):
        folder = tmp_path / "sys/class/video4linux" / name
        folder.mkdir(parents=True)
        if loop:
            (folder / "max_openers").touch()
    assert list_virtual_cameras(tmp_path) == ["/dev/video2", "/dev/video10"]
    assert list_virtual_cameras(tmp_path / "elsewhere") == []


def test_the_version_of_the_module(tmp_path: Path) -> None:
    assert module_version(tmp_path) is None
    module = tmp_path / "sys/module/v4l2loopback"
    module.mkdir(parents=True)
    assert module_version(tmp_path) == "0.12"
    (module / "version").write_text("0.13.2\n")
    assert module_version(tmp_path) == "0.13.2"


def test_elsewhere_frames_go_to_obs_by_the_librarys_own_interface(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On macOS and Windows; the real systems are not tried, the calls are the library's."""
    camera = create_autospec(pyvirtualcam.Camera)
    camera.return_value.device = "OBS Virtual Camera"
    monkeypatch.setattr(virtualcam, "LINUX", False)
    monkeypatch.setattr(pyvirtualcam, "Camera", camera)
    sink = VirtualCameraSink("auto", SIZE, 30.0)
    frame = colour(SIZE, (200, 60, 30))
    sink.write(frame)
    sink.close()
    assert sink.device == "OBS Virtual Camera"
    assert camera.call_args.args == (*SIZE, 30.0) and camera.call_args.kwargs["device"] is None
    (sent,) = camera.return_value.send.call_args.args
    assert np.array_equal(sent, frame.i420)
    camera.return_value.close.assert_called_once_with()


def test_a_line_keeps_the_camera_that_it_has_found(loops: dict[str, Loopback]) -> None:
    """What is opened to see whether it is there is not opened again: it would be taken."""
    loop = loops["/dev/video10"] = Loopback()
    told: list[str] = []
    (outlet,) = make_outlets(Config(), told.append)
    first = outlet.open()
    assert (loop.opened, outlet.device) == (1, "/dev/video10" if sys.platform == "linux" else "")
    first.close()
    loops["/dev/video1"] = Loopback()
    assert outlet.open().device == "/dev/video10"
    assert (loop.opened, told) == (2, [])


def test_a_camera_is_missed_only_where_it_is_insisted_on(loops: dict[str, Loopback]) -> None:
    told: list[str] = []
    assert make_outlets(Config(), told.append) == []
    assert told[0].startswith("meeting apps get no picture: there is no virtual camera")
    with pytest.raises(SinkUnavailable, match="there is no virtual camera"):
        make_outlets(Config().with_values({"virtualcam": {"enabled": True}}), told.append)
    assert make_outlets(Config().with_values({"virtualcam": {"enabled": False}}), told.append) == []
    assert len(told) == 1
