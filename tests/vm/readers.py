"""Programs that read the virtual camera, as meetings do."""

from __future__ import annotations

import http.server
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.vm.machine import LABEL, VIRTUAL
from tests.vm.program import PATIENCE_S, Program, assert_no_room, wait_until

WIDTH, HEIGHT, FPS = 640, 360, 10


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


def last_of(command: list[str], raw: Path) -> Any:
    """Return the last picture that a command writes into a file."""
    subprocess.run(command, check=True, timeout=PATIENCE_S)
    i420 = np.fromfile(raw, np.uint8).reshape(-1, HEIGHT * 3 // 2, WIDTH)
    bgr = cv2.cvtColor(i420[-1], cv2.COLOR_YUV2BGR_I420)
    assert_no_room(bgr)
    return bgr


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
