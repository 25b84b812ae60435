"""Scrim before a real kernel: run in the guest by `make test-vm`, which says `pytest guest.py`.

v4l2loopback is the virtual camera, vivid the webcam. The toy network finds green people: of
vivid's colour bars it keeps green and cyan, and the rest is a room that nobody may see.
Each program paints another backdrop than the one before, so that no old picture passes for a new
one. Everything is emulated and slow: no time is asserted, conditions are waited for.
"""

from __future__ import annotations

import http.server
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import realtime.live  # noqa: F401  # what a fork would have to import again
from realtime.__main__ import main
from realtime.ctl import send, socket_path
from realtime.errors import ControlUnavailable
from realtime.sinks.viewers import Viewers, _Events
from realtime.v4l2 import holders
from tests.toy import save_toy

FORK = multiprocessing.get_context("fork")
PATIENCE_S = 400.0
WIDTH, HEIGHT, FPS = 640, 360, 10
CAMERA, VIRTUAL, LABEL = "/dev/video0", "/dev/video10", "Scrim-test"
GREEN = (0, 200, 0)
PAINTS = {"#0000c8": (200, 0, 0), "#c86400": (0, 100, 200)}
LOOPBACK = ("video_nr=10", "exclusive_caps=1", f"card_label={LABEL}")
NEWER = Path("/lib/modules/newer/v4l2loopback.ko")
VIVID = Path("/sys/bus/platform/drivers/vivid")
RED, MAGENTA, YELLOW = (0, 0, 191), (191, 0, 191), (0, 191, 191)
"""Bars of vivid's that no picture of ours may show."""


def wait_until(holds: Callable[[], bool], what: object = "") -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, what() if callable(what) else what
        time.sleep(0.1)


def share_of(bgr: Any, colour: tuple[int, int, int]) -> float:
    near = cv2.inRange(bgr, np.array(colour) - 60, np.array(colour) + 60)
    return cv2.countNonZero(near) / near.size


def assert_no_room(bgr: Any) -> None:
    for colour in (RED, MAGENTA, YELLOW):
        assert share_of(bgr, colour) < 0.01, f"the room: {colour}"


class Program:
    """`scrim run`, in a process of its own; it is forked, because importing takes half a minute.

    `paint` is its backdrop.
    """

    paints = cycle(PAINTS)

    def __init__(self, folder: Path, *words: str) -> None:
        self.paint = next(self.paints)
        words = (*words, f"--set=scene.backdrop={self.paint}")
        self._log = folder / "log"
        self._environment = {"XDG_RUNTIME_DIR": str(folder)}
        self.process = FORK.Process(target=self._run, args=words)
        self.process.start()

    def _run(self, *words: str) -> None:
        os.environ.update(self._environment)
        output = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        sys.argv = ["scrim", "run", "--no-web", *words]
        main()

    def ctl(self, *words: str) -> dict[str, Any]:
        try:
            return send(socket_path(self._environment), [*words])
        except ControlUnavailable:
            return {}

    def repaint(self) -> None:
        """Go on with the other backdrop: what was composed before can be told from now on."""
        self.paint = next(paint for paint in PAINTS if paint != self.paint)
        wait_until(lambda: bool(self.ctl(f"scene.backdrop={self.paint}")), self.log)

    def person(self, bgr: Any) -> bool:
        return share_of(bgr, GREEN) > 0.05 and share_of(bgr, PAINTS[self.paint]) > 0.3

    def nobody(self, bgr: Any) -> bool:
        return share_of(bgr, PAINTS[self.paint]) > 0.95

    def state(self) -> str:
        return str(self.ctl().get("figures", {}).get("state", "not there yet"))

    def wait_for(self, state: str) -> None:
        wait_until(lambda: state in self.state(), self.log)

    def log(self) -> str:
        return f"{self.state()}: {self._log.read_text()}"

    def end(self, how: int = signal.SIGKILL) -> int | None:
        if self.process.pid and self.process.is_alive():
            os.kill(self.process.pid, how)
        self.process.join(PATIENCE_S)
        return self.process.exitcode


@pytest.fixture(scope="session")
def devices() -> None:
    """One webcam, one virtual camera."""
    subprocess.run(["modprobe", "v4l2loopback", *LOOPBACK], check=True)
    wait_until(Path(VIRTUAL).exists)
    plug_in(0)


def plug_in(number: int) -> None:
    one_webcam = ["n_devs=1", "node_types=0x1", "num_inputs=1", "input_types=0x0"]
    subprocess.run(["modprobe", "vivid", *one_webcam, f"vid_cap_nr={number}"], check=True)
    wait_until(Path(f"/dev/video{number}").exists)


def unplug() -> None:
    (VIVID / "unbind").write_text("vivid.0")
    wait_until(lambda: subprocess.run(["rmmod", "vivid"]).returncode == 0)


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


class Reader:
    """OpenCV as a meeting app: reads on in a thread and keeps what it saw."""

    def __init__(self) -> None:
        self._capture = cv2.VideoCapture(VIRTUAL, cv2.CAP_V4L2)
        assert self._capture.isOpened()
        self.pictures: list[Any] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._ending.is_set():
            read, bgr = self._capture.read()
            if read:
                self.pictures.append(bgr)

    def await_picture(self, program: Program, fits: Callable[[Program, Any], bool]) -> None:
        """Wait for a picture that fits, and that this program has painted since it was asked."""
        program.repaint()
        seen = len(self.pictures)
        wait_until(
            lambda: len(self.pictures) > seen and fits(program, self.pictures[-1]),
            lambda: f"not among {len(self.pictures) - seen} pictures: {program.log()}",
        )

    def close(self) -> None:
        self._ending.set()
        self._thread.join()
        self._capture.release()


@contextmanager
def reading() -> Iterator[Reader]:
    """Read the virtual camera; whatever was seen, there was no room in it."""
    wait_until(is_listed)
    reader = Reader()
    try:
        yield reader
    finally:
        reader.close()
    assert reader.pictures
    for picture in reader.pictures:
        assert picture.shape == (HEIGHT, WIDTH, 3)
        assert_no_room(picture)


def is_listed() -> bool:
    told = subprocess.run(["v4l2-ctl", "-d", VIRTUAL, "-D"], capture_output=True, text=True).stdout
    return "Video Capture" in told.partition("Device Caps")[2]


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


def last_of(command: list[str], raw: Path) -> Any:
    """Return the last picture that a command writes into a file."""
    subprocess.run(command, check=True, timeout=PATIENCE_S)
    i420 = np.fromfile(raw, np.uint8).reshape(-1, HEIGHT * 3 // 2, WIDTH)
    bgr = cv2.cvtColor(i420[-1], cv2.COLOR_YUV2BGR_I420)
    assert_no_room(bgr)
    return bgr


def test_a_meeting_in_chromium_sees_it(scrim: Callable[..., Program], tmp_path: Path) -> None:
    program = scrim()
    program.wait_for("live")
    see_in_chromium(tmp_path, program)
    assert program.end(signal.SIGTERM) == 0


def see_in_chromium(folder: Path, program: Program) -> None:
    """Open the camera by its label in a page, as a meeting does, and look at its pixels."""
    sent: list[bytes] = []
    came = threading.Event()
    page = Path(__file__).with_name("meeting.html").read_bytes()

    class Meeting(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def do_POST(self) -> None:
            sent.append(self.rfile.read(int(self.headers["Content-Length"])))
            enough = sent[-1].startswith(b"error") or program.person(picture_of(sent[-1]))
            self.send_response(204 if enough else 202)
            self.end_headers()
            if enough:
                came.set()

        def log_message(self, *words: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Meeting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    flags = (
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--use-fake-ui-for-media-stream", "--no-first-run", "--disable-extensions"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    )
    name = shutil.which("chromium") or "chromium-browser"
    url = f"http://127.0.0.1:{server.server_port}/?{LABEL}"
    browser = subprocess.Popen(
        [name, *flags, f"--user-data-dir={folder / 'profile'}", url],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert came.wait(2 * PATIENCE_S), f"nobody among {len(sent)} pictures in Chromium"
    finally:
        browser.kill()
        browser.wait()
        server.shutdown()
        server.server_close()
    assert not sent[-1].startswith(b"error"), sent[-1].decode()
    for rgba in sent:
        assert_no_room(picture_of(rgba))


def picture_of(rgba: bytes) -> Any:
    """Return BGR of a page's pixels, which must have the camera's size."""
    return np.frombuffer(rgba, np.uint8).reshape(HEIGHT, WIDTH, 4)[..., 2::-1]


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


def format_of(device: str) -> str:
    asked = ["v4l2-ctl", "-d", device, "--get-fmt-video"]
    return subprocess.run(asked, capture_output=True, text=True).stdout


def inject(error: str) -> None:
    """Press one of vivid's buttons, at the node that its camera has by now."""

    def pressed() -> bool:
        nodes = Path("/sys/class/video4linux").glob("*/name")
        found = [node.parent.name for node in nodes if node.read_text().strip().endswith("vid-cap")]
        words = [f"--set-ctrl={error}=1"]
        return any(not subprocess.call(["v4l2-ctl", "-d", f"/dev/{n}", *words]) for n in found)

    wait_until(pressed, error)


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
