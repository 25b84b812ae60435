"""Who watches a v4l2loopback device: other programs that have opened it.

Since 0.13 the driver tells by an event (V4L2_EVENT_PRI_CLIENT_USAGE). Before, inotify tells of
every opening and closing, and /proc of who had opened it earlier.
"""

from __future__ import annotations

import ctypes
import os
import select
import struct
from contextlib import suppress
from fcntl import ioctl

from realtime.errors import SinkLost
from realtime.v4l2 import holders

_CLIENT_USAGE, _SEND_INITIAL = 0x08000000 + 0x08E00000 + 1, 1
_SUBSCRIBE, _DEQUEUE = 0x4020565A, 0x80885659
# linux/inotify.h: IN_OPEN, IN_CLOSE_WRITE or _NOWRITE, IN_IGNORED
_OPENED, _CLOSED, _GONE = 0x20, 0x08 | 0x10, 0x8000


class Viewers:
    """Counts the viewers of a device; `fileno` is readable when the count may have changed.

    Raises `SinkLost` when there is no such device (any more).
    """

    def __init__(self, device: str) -> None:
        try:
            self._count: _Events | _Openings = _watch(device)
        except OSError as error:
            raise SinkLost(f"{device}: {(error.strerror or 'gone').lower()}") from error

    def fileno(self) -> int:
        """Return the descriptor to wait for, as `select` does."""
        return self._count.fileno()

    def count(self) -> int:
        """Return the number of viewers now, without waiting. Raises `SinkLost`."""
        try:
            return self._count.count()
        except OSError as error:
            raise SinkLost("the virtual camera is gone") from error

    def close(self) -> None:
        """Stop watching."""
        self._count.close()


def _watch(device: str) -> _Events | _Openings:
    with suppress(OSError):  # EINVAL before 0.13
        return _Events(device)
    return _Openings(device)


class _Events:
    def __init__(self, device: str) -> None:
        self._device = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        try:
            wanted = struct.pack("8I", _CLIENT_USAGE, 0, _SEND_INITIAL, *[0] * 5)
            ioctl(self._device, _SUBSCRIBE, wanted)
        except OSError:
            os.close(self._device)
            raise
        self._epoll = select.epoll()  # readable as soon as an event is: loops know no POLLPRI
        self._epoll.register(self._device, select.EPOLLPRI)
        self._viewers = 0

    def fileno(self) -> int:
        return self._epoll.fileno()

    def count(self) -> int:
        while ready := self._epoll.poll(0):
            if not ready[0][1] & select.EPOLLPRI:
                raise OSError("unplugged")
            event = ioctl(self._device, _DEQUEUE, bytes(136))
            self._viewers = struct.unpack_from("I", event, 8)[0]
        return self._viewers

    def close(self) -> None:
        self._epoll.close()
        os.close(self._device)


class _Openings:
    def __init__(self, device: str) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._inotify: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if libc.inotify_add_watch(self._inotify, device.encode(), _OPENED | _CLOSED) < 0:
            os.close(self._inotify)
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._open = len(holders(device))

    def fileno(self) -> int:
        return self._inotify

    def count(self) -> int:
        with suppress(BlockingIOError):
            while told := os.read(self._inotify, 4096):
                self._take(told)
        return max(0, self._open)

    def _take(self, told: bytes) -> None:
        at = 0
        while at < len(told):
            _, mask, _, length = struct.unpack_from("iIII", told, at)
            if mask & _GONE:
                raise OSError("unplugged")
            self._open += bool(mask & _OPENED) - bool(mask & _CLOSED)
            at += 16 + length

    def close(self) -> None:
        os.close(self._inotify)
