"""Scrim before a real kernel: run in the guest by `make test-vm`, which says `pytest guest.py`.

v4l2loopback is the virtual camera, vivid the webcam. The toy network finds green people: of
vivid's colour bars it keeps green and cyan, and the rest is a room that nobody may see.
Each program paints another backdrop than the one before, so that no old picture passes for a new
one. Everything is emulated and slow: no time is asserted, conditions are waited for.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from realtime.sinks.viewers import Viewers, _Events
from realtime.v4l2 import holders
from tests.toy import save_toy
from tests.vm.machine import (
    CAMERA,
    LOOPBACK,
    NEWER,
    VIRTUAL,
    VIVID,
    format_of,
    inject,
    plug_in,
    unplug,
)
from tests.vm.program import FORK, PATIENCE_S, Program, wait_until
from tests.vm.readers import FPS, HEIGHT, WIDTH, last_of, reading, see_in_chromium


@pytest.fixture(scope="session")
def devices() -> None:
    """One webcam, one virtual camera."""
    subprocess.run(["modprobe", "v4l2loopback", *LOOPBACK], check=True)
    wait_until(Path(VIRTUAL).exists)
    plug_in(0)


@pytest.fixture
def newer_driver(devices: None) -> Iterator[None]:
    """The other v4l2loopback in the place of the first, for the rest of the session."""
    if not NEWER.exists():
        pytest.skip("prepare.sh has found no newer v4l2loopback")
    wait_until(lambda: subprocess.run(["rmmod", "v4l2loopback"]).returncode == 0)
    subprocess.run(["insmod", NEWER, *LOOPBACK], check=True)
    wait_until(Path(VIRTUAL).exists)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy network, built in a process of its own: one that has used OpenVINO cannot fork."""
    path = tmp_path_factory.mktemp("ir") / "toy.xml"
    building = FORK.Process(target=save_toy, args=[path])
    building.start()
    building.join()
    return path


@pytest.fixture
def scrim(devices: None, model: Path, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Start Scrim with more words; whatever still runs is killed in the end."""
    running: list[Program] = []

    def start(*words: str) -> Program:
        folder = tmp_path / str(len(running))
        folder.mkdir()
        size = {"camera.width": WIDTH, "camera.height": HEIGHT, "camera.fps": FPS}
        sets = {**size, "virtualcam.enabled": "true", "matting.model": str(model)}
        sets |= {"camera.device": CAMERA}
        program = Program(folder, *(f"--set={key}={value}" for key, value in sets.items()), *words)
        running.append(program)
        return program

    yield start
    for program in running:
        program.end()


person, nobody = Program.person, Program.nobody


def test_every_reader_sees_the_composed_picture(
    scrim: Callable[..., Program], tmp_path: Path
) -> None:
    program = scrim()
    program.wait_for("live")
    with reading() as reader:
        reader.await_picture(program, person)
        asked = ["v4l2-ctl", "-d", VIRTUAL, "--get-fmt-video"]
        told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        assert f"{WIDTH}/{HEIGHT}" in told and "YU12" in told, told
    raw = tmp_path / "raw"
    for command in (
        ["v4l2-ctl", "-d", VIRTUAL, "--stream-mmap", "--stream-count=2", f"--stream-to={raw}"],
        ["ffmpeg", "-v", "error", "-y", "-f", "v4l2", "-i", VIRTUAL, "-frames:v", "2",
         "-f", "rawvideo", "-pix_fmt", "yuv420p", str(raw)],
    ):  # fmt: skip
        program.repaint()
        wait_until(lambda command=command: program.person(last_of(command, raw)), command)


def test_a_meeting_in_chromium_sees_it(scrim: Callable[..., Program], tmp_path: Path) -> None:
    program = scrim()
    program.wait_for("live")
    see_in_chromium(tmp_path, program)
    assert program.end(signal.SIGTERM) == 0


def test_a_writer_that_dies_is_followed_by_the_next(scrim: Callable[..., Program]) -> None:
    first = scrim()
    first.wait_for("live")
    with reading() as reader:
        reader.await_picture(first, person)
        first.end(signal.SIGKILL)
        second = scrim()
        reader.await_picture(second, person)
        refused = scrim()
        refused.process.join(PATIENCE_S)
        assert refused.process.exitcode == 5
        assert "another program writes to it" in refused.log()
        reader.await_picture(second, person)
        assert second.end(signal.SIGTERM) == 0
        third = scrim("--set=camera.width=320", "--set=camera.height=180")
        third.process.join(PATIENCE_S)
        assert third.process.exitcode == 5, third.log()
        assert f"fixed to {WIDTH}x{HEIGHT}" in third.log()
        fourth = scrim()
        reader.await_picture(fourth, person)
        assert fourth.end(signal.SIGTERM) == 0


def test_the_camera_is_open_only_while_somebody_watches(scrim: Callable[..., Program]) -> None:
    watch_twice(scrim)


def watch_twice(scrim: Callable[..., Program]) -> None:
    program = scrim("--set=camera.on_demand=true", "--set=camera.linger=1")
    program.wait_for("nobody watches")
    assert not holders(CAMERA)
    for _ in range(2):
        with reading() as reader:
            reader.await_picture(program, person)
            assert holders(CAMERA)
        wait_until(lambda: not holders(CAMERA), program.log)
    assert program.state() == "nobody watches"
    assert program.end(signal.SIGTERM) == 0


def test_a_webcam_in_all_its_moods(scrim: Callable[..., Program]) -> None:
    program = scrim("--set=camera.device=vivid")
    program.wait_for("live")
    with reading() as reader:
        reader.await_picture(program, person)
        for fourcc in ("NV12", "YU12", "RGB3", "YUYV"):
            program.ctl(f"camera.fourcc={fourcc}")
            wait_until(lambda fourcc=fourcc: fourcc in format_of(CAMERA), program.log)
            reader.await_picture(program, person)
            assert f"camera gives {fourcc}" not in program.log()
        (VIVID / "unbind").write_text("vivid.0")
        program.wait_for("source lost")
        reader.await_picture(program, nobody)
        (VIVID / "bind").write_text("vivid.0")
        reader.await_picture(program, person)
        inject("disconnect")
        reader.await_picture(program, nobody)
        (VIVID / "unbind").write_text("vivid.0")
        (VIVID / "bind").write_text("vivid.0")
        reader.await_picture(program, person)
        for error in ("inject_v4l2_buf_flag_error", "inject_fatal_streaming_error"):
            inject(error)
            reader.await_picture(program, person)
    assert program.end(signal.SIGTERM) == 0


def test_a_webcam_comes_late_and_moves_while_the_machine_sleeps(
    scrim: Callable[..., Program],
) -> None:
    unplug()
    program = scrim("--set=camera.device=auto")
    program.wait_for("waiting: no camera")
    with reading() as reader:
        reader.await_picture(program, nobody)
        plug_in(0)
        reader.await_picture(program, person)
        unplug()
        program.wait_for("source lost")
        plug_in(5)
        reader.await_picture(program, person)
        sleep_through(program, "2038-01-01 00:00")
        reader.await_picture(program, person)
        assert program.ctl()["figures"]["age_ms"]["p95"] < 3600e3
        unplug()
        sleep_through(program, "2026-01-01 00:00")
        plug_in(0)
        reader.await_picture(program, person)
    assert program.end(signal.SIGTERM) == 0


def sleep_through(program: Program, wakes_at: str) -> None:
    """Stop a program as a suspended machine does, and go on at another time of the day."""
    assert program.process.pid
    os.kill(program.process.pid, signal.SIGSTOP)
    subprocess.run(["date", "-s", wakes_at], check=True, stdout=subprocess.DEVNULL)
    time.sleep(3)
    os.kill(program.process.pid, signal.SIGCONT)


def test_a_webcam_is_followed_by_its_id(scrim: Callable[..., Program], tmp_path: Path) -> None:
    """The link is udev's work, which the guest has not."""
    by_id = tmp_path / "usb-vivid-index0"
    by_id.symlink_to(CAMERA)
    program = scrim(f"--set=camera.device={by_id}")
    with reading() as reader:
        reader.await_picture(program, person)
        unplug()
        by_id.unlink()
        reader.await_picture(program, nobody)
        plug_in(5)
        by_id.symlink_to("/dev/video5")
        reader.await_picture(program, person)
        unplug()
        plug_in(0)
    assert program.end(signal.SIGTERM) == 0


def test_a_newer_driver_tells_who_watches(
    newer_driver: None, scrim: Callable[..., Program]
) -> None:
    viewers = Viewers(VIRTUAL)
    assert isinstance(viewers._count, _Events)
    viewers.close()
    watch_twice(scrim)


def test_a_newer_driver_takes_the_next_writer(
    newer_driver: None, scrim: Callable[..., Program]
) -> None:
    test_a_writer_that_dies_is_followed_by_the_next(scrim)
