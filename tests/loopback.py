"""v4l2loopback devices without a kernel, and pyvirtualcam's camera that writes to them."""

from __future__ import annotations

import struct
from typing import Any

import pyvirtualcam

from realtime import v4l2
from realtime.sinks import virtualcam
from realtime.v4l2 import CAPTURE, OUTPUT

SIZE = (64, 36)


class Loopback:
    """One v4l2loopback device as the kernel shows it, with exclusive_caps=1.

    `forgets` is the trap of 0.12: a written device takes no writer until it is unlocked;
    `alive` is another writer, whose next frame takes the device back.
    """

    def __init__(self, forgets: bool = False, alive: bool = False, keeps: Any = None) -> None:
        self.forgets, self.alive, self.keeps = forgets, alive, keeps
        self.caps = CAPTURE if alive or forgets else OUTPUT
        self.deaf = False
        self.size = SIZE
        self.frames: list[Any] = []
        self.unlocked = self.opened = 0

    def ask(self, request: int) -> bytes:
        if request == v4l2._QUERYCAP:
            return bytes(88) + struct.pack("I", self.caps) + bytes(12)
        if request == virtualcam._G_FMT:
            return bytes(8) + struct.pack("II", *self.size) + b"YU12" + bytes(188)
        assert request == virtualcam._STREAMON
        self.unlocked += 1
        self.caps = CAPTURE | OUTPUT
        return b""


class FakeCamera:
    """pyvirtualcam.Camera, writing into a `Loopback`."""

    devices: dict[str, Loopback]

    def __init__(
        self, width: int, height: int, fps: float, *, fmt: Any, device: str, print_fps: bool
    ) -> None:
        assert fmt is pyvirtualcam.PixelFormat.I420
        self._loop: Loopback | None = self.devices[device]
        if not self._loop.caps & OUTPUT:
            raise RuntimeError(
                f"'v4l2loopback' backend: Device {device} is not a video output device."
            )
        self._loop.size = self._loop.keeps or (width, height)
        self._loop.opened += 1
        self.device = device

    def send(self, i420: Any) -> None:
        assert self._loop
        assert i420.size == self._loop.size[0] * self._loop.size[1] * 3 // 2
        if not self._loop.deaf:
            self._loop.frames.append(i420.copy())
            self._loop.caps = CAPTURE

    def close(self) -> None:
        assert self._loop, "closed twice"
        self._loop = None
