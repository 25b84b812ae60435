"""Step 1 of 9: the newest picture of a camera.

OpenCV drives the camera; on Linux the kernel is asked first (V4L2), because OpenCV does not say
why it cannot open one.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from realtime.contract import Size
from realtime.errors import EndOfStream, SourceLost, SourceUnavailable
from realtime.frame import Bytes, Frame
from realtime.pixels import from_bgr
from realtime.sources import nodes

BUFFERS = 2
"""One is filled while the other is read: with a single one a camera skips every other picture."""

SILENCE_S = 2
"""A camera that gives nothing for so long is lost; also how long `close` can take to be heard."""

BROKEN_IN_A_ROW = 10
"""Pictures that cannot be decoded are passed over; after so many the camera is lost."""

# OpenCV reads this once, at the first camera; its own choice is 10 s.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(SILENCE_S))


class CameraSource:
    """Delivers the newest picture of a camera.

    `device` is "auto" (the first that delivers), a path, an index or a part of the name; sizes
    are in pixels; `fourcc` is "auto" or four letters such as "MJPG". `fps` is what the driver
    promises; `notes` has a line for each thing it refused. Raises `SourceUnavailable`, which
    gives the reason of every device that was tried.
    """

    def __init__(
        self, device: str, width: int, height: int, fps: float, fourcc: str = "auto"
    ) -> None:
        wish = _Mode((width, height), fps, fourcc)
        self.path, self._capture = _first_that_delivers(device, wish)
        self.fps, self.notes = _given(self._capture, wish)
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._number = 0

    def read(self) -> Frame:
        """Return the newest picture; raises `SourceLost`, or `EndOfStream` once closed."""
        with self._lock:
            bgr, at_s = (None, 0.0) if self._closed.is_set() else self._newest()
        if self._closed.is_set():
            self.close()
            raise EndOfStream
        if bgr is None:
            raise SourceLost(f"{self.path} gives no more pictures", "is it still plugged in?")
        self._number += 1
        return from_bgr(bgr, self._number - 1, at_s)

    def close(self) -> None:
        """Let go of the camera; a blocked `read` ends within two seconds and does it then."""
        self._closed.set()
        if self._lock.acquire(blocking=False):
            try:
                self._capture.release()
            finally:
                self._lock.release()

    def _newest(self) -> tuple[Bytes | None, float]:
        for _ in range(BROKEN_IN_A_ROW):
            if not self._grab_newest():
                break
            at_s = time.monotonic()
            with suppress(cv2.error):  # of a damaged one: the next may be whole
                whole, bgr = self._capture.retrieve()
                if whole:
                    return bgr, at_s
        return None, 0.0

    def _grab_newest(self) -> bool:
        """Take a picture, and a newer one while it is older than a frame and a half."""
        for _ in range(BUFFERS + 1):
            if not self._capture.grab():
                return False
            # V4L2 stamps with the monotonic clock; other clocks are far off and believed fresh.
            age_s = time.monotonic() - self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if not 1.5 / self.fps < age_s < 10:
                break
        return True


@dataclass(frozen=True, slots=True)
class _Mode:
    size: Size
    fps: float
    fourcc: str

    def __str__(self) -> str:
        return f"{self.size[0]}x{self.size[1]} at {self.fps:g}"


def _first_that_delivers(device: str, wish: _Mode) -> tuple[str, Any]:
    reasons = []
    for candidate in nodes.candidates(device):
        found = _open(candidate, wish)
        if not isinstance(found, str):
            return candidate, found
        reasons.append(f"{candidate}: {found}")
    raise SourceUnavailable(
        f"no camera: {'; '.join(reasons) or f'nothing found for {device!r}'}",
        "scrim devices lists cameras, scrim doctor says what is missing and who holds one",
    )


def _open(device: str, wish: _Mode) -> Any:
    """Return a capture that delivers, or the reason why there is none."""
    if nodes.LINUX and (reason := nodes.refusal(Path(device))):
        return reason
    capture = (
        cv2.VideoCapture(device, cv2.CAP_V4L2) if nodes.LINUX else cv2.VideoCapture(int(device))
    )
    if not capture.isOpened():
        return "it cannot be opened, perhaps another program holds it"
    capture.set(cv2.CAP_PROP_BUFFERSIZE, BUFFERS)
    if fourcc := _fourcc_to_ask(wish):
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*fourcc))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, wish.size[0])
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, wish.size[1])
    capture.set(cv2.CAP_PROP_FPS, wish.fps)
    if capture.grab():
        return capture
    capture.release()
    return "it gives no picture, perhaps another program holds it"


def _fourcc_to_ask(wish: _Mode) -> str:
    """USB 2 has no room for uncompressed 720p at full rate: such modes need MJPG."""
    if wish.fourcc != "auto":
        return wish.fourcc
    (width, height), fps = wish.size, wish.fps
    return "MJPG" if width * height >= 1280 * 720 and fps >= 25 else ""


def _given(capture: Any, wish: _Mode) -> tuple[float, list[str]]:
    """Return the frame rate in use, and a note for each thing that is not as it was asked."""
    width = round(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    height = round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    fps = capture.get(cv2.CAP_PROP_FPS)
    fourcc = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True)
    given = _Mode((width, height), fps if fps > 0 else wish.fps, fourcc.decode("latin-1"))
    notes = []
    if given.size != wish.size or abs(given.fps - wish.fps) > 0.5:
        notes.append(f"asked {wish}, camera gives {given}")
    if wish.fourcc not in ("auto", given.fourcc):
        notes.append(f"asked {wish.fourcc}, camera gives {given.fourcc}")
    return given.fps, notes
