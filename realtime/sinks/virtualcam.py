"""Step 9 of 9: frames into a virtual camera, which meeting apps see as a webcam.

pyvirtualcam writes; on Linux the device is v4l2loopback's, elsewhere OBS's. Size and format are
fixed for the life of the sink: a program that watches would get garbage otherwise.
"""

from __future__ import annotations

import struct
import sys
import time
from pathlib import Path
from typing import Any

from realtime import v4l2
from realtime.contract import Size
from realtime.errors import SinkLost, SinkUnavailable
from realtime.frame import Frame
from realtime.pixels import fit

LINUX = sys.platform == "linux"

LOAD = "sudo modprobe v4l2loopback exclusive_caps=1 card_label=Scrim"
INSTALL = f"sudo apt install v4l2loopback-dkms && {LOAD}"
"""What makes a virtual camera on Debian and Ubuntu, where its driver is installed and where not."""

LISTEN_S = 0.3
"""How long another writer is listened for: longer than a frame of the slowest."""


class VirtualCameraSink:
    """Writes frames of one `size` to a virtual camera; other sizes are padded.

    `device` is a path, or None or "auto" for the first that is free; `fps` is only told to the
    device, the caller paces. Afterwards `device` is the path in use. Raises `SinkUnavailable`,
    which gives the reason of every device that was tried.
    """

    def __init__(self, device: str | None, size: Size, fps: float) -> None:
        self._size = size
        self._announced = False
        self._camera = _first_that_opens(None if device == "auto" else device, size, fps)
        self.device: str = self._camera.device

    def write(self, frame: Frame) -> None:
        """Show a frame. Raises `SinkLost` when the device does not take it."""
        if self._camera is None:
            raise SinkLost(f"{self.device} is closed")
        self._camera.send(fit(frame, self._size, "pad").i420)
        if not self._announced:
            self._check_announced()

    def close(self) -> None:
        """Let go of the device; programs that watch see its last picture or nothing."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    def _check_announced(self) -> None:
        # pyvirtualcam prints write errors and raises nothing, but a device that took a frame
        # announces itself as a camera, and one that did not has nothing to show.
        try:
            self._announced = not LINUX or bool(v4l2.capabilities(Path(self.device)) & v4l2.CAPTURE)
        except OSError as error:
            raise SinkLost(f"{self.device} is gone: {(error.strerror or '').lower()}") from error
        if not self._announced:
            raise SinkLost(f"{self.device} took no frame", "another program may be writing to it")


def list_virtual_cameras(root: Path = Path("/")) -> list[str]:
    """Return the paths of the v4l2loopback devices, by number; nothing on other systems."""
    marks = (root / "sys/class/video4linux").glob("video*/max_openers")  # only v4l2loopback's
    names = [mark.parent.name for mark in marks]
    return [f"/dev/{name}" for name in sorted(names, key=lambda name: int(name[len("video") :]))]


def module_version(root: Path = Path("/")) -> str | None:
    """Return the version of the loaded v4l2loopback, "0.12" for all that do not say, or None."""
    module = root / "sys/module/v4l2loopback"
    if not module.exists():
        return None
    told = module / "version"  # since 0.13
    return told.read_text().strip() if told.exists() else "0.12"


def _first_that_opens(device: str | None, size: Size, fps: float) -> Any:
    devices: list[str | None] = [device]
    if LINUX and device is None:
        devices = [*list_virtual_cameras()]
    reasons = []
    for path in devices:
        try:
            return _open(path, size, fps)
        except SinkUnavailable as error:
            if len(devices) == 1:
                raise
            reasons.append(error.message)
    if not reasons:
        raise SinkUnavailable("there is no virtual camera", INSTALL)
    raise SinkUnavailable("; ".join(reasons), "close the program that writes to one of them")


def _open(path: str | None, size: Size, fps: float) -> Any:
    try:
        import pyvirtualcam
    except ImportError as error:
        raise SinkUnavailable(
            f"pyvirtualcam is missing: {error}", "pip install pyvirtualcam"
        ) from error
    if LINUX and path is not None:
        _prepare(path)
    try:
        camera = pyvirtualcam.Camera(
            *size, fps, fmt=pyvirtualcam.PixelFormat.I420, device=path, print_fps=False
        )
    except RuntimeError as error:
        hint = "" if LINUX else "install OBS and start its virtual camera once"
        raise SinkUnavailable(str(error).partition("backend: ")[2] or str(error), hint) from error
    if LINUX:
        _hold_size(camera, size)
    return camera


def _prepare(path: str) -> None:
    """Raise `SinkUnavailable` unless the device can be written to now."""
    device = Path(path)
    try:
        old = (module_version() or "").startswith("0.12")
        if old and not v4l2.capabilities(device) & v4l2.OUTPUT:
            _unlock(device)
        ready = v4l2.capabilities(device) & v4l2.OUTPUT
    except OSError as error:
        raise SinkUnavailable(*_reason(path, error)) from error
    if not ready:
        raise SinkUnavailable(
            f"{path} is no virtual camera, or another program writes to it",
            "scrim doctor names the program",
        )


def _reason(path: str, error: OSError) -> tuple[str, str]:
    """Return message and hint for a device that cannot be asked."""
    if isinstance(error, FileNotFoundError):
        return f"{path}: there is no such device", INSTALL
    if isinstance(error, PermissionError):
        return f"{path}: no permission", "sudo usermod -aG video $USER, then log in again"
    return f"{path} is no virtual camera: {(error.strerror or '').lower()}", INSTALL


def _hold_size(camera: Any, size: Size) -> None:
    """Raise `SinkUnavailable` when the driver took another size or format than it was given."""
    device = camera.device
    try:
        taken, pixels = _format_of(Path(device))
    except OSError as error:
        camera.close()
        raise SinkUnavailable(*_reason(device, error)) from error
    if taken == size and pixels == b"YU12":
        return
    camera.close()
    raise SinkUnavailable(
        f"{device} is fixed to {taken[0]}x{taken[1]} {pixels.decode('latin-1')} "
        f"and takes no {size[0]}x{size[1]}",
        "close the programs that watch or write it, or ask for that size",
    )


# What follows talks to the kernel, by the structures of linux/videodev2.h.

_G_FMT, _STREAMON = 0xC0D05604, 0x40045612
_TYPE_OUTPUT = struct.pack("I", v4l2.OUTPUT)


def _format_of(device: Path) -> tuple[Size, bytes]:
    answer = v4l2.ask(device, _G_FMT, _TYPE_OUTPUT.ljust(208, b"\0"))
    width, height = struct.unpack_from("II", answer, 8)
    return (width, height), answer[16:20]


def _unlock(device: Path) -> None:
    """Make a v4l2loopback 0.12 take a writer again (its issue 442: it forgets to, once written).

    A writer that is alive takes the device back with its next frame, and is left alone.
    """
    try:
        v4l2.ask(device, _STREAMON, _TYPE_OUTPUT)
    except OSError:
        return
    time.sleep(LISTEN_S)
