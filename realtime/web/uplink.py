"""Step 1 of 9: the camera of a browser, as a source.

The received track is always drained and only the newest picture kept: aiortc's own line of
decoded pictures has no end, an unread one grew by 48 MB a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from realtime.errors import EndOfStream
from realtime.frame import MAX_SIDE, Bytes, Frame
from realtime.pixels import blank, even, fit, writable_planes
from realtime.slot import Slot
from realtime.web.ladder import rungs

MAX_PIXELS = 3840 * 2160
"""A browser's pictures may have any shape, but no more pixels than the largest camera."""


class BrowserSource:
    """Gives the pictures that `drain` receives; any size, also one that changes on the way.

    `received` counts them; `rung` says by how many halves they are made smaller. What `leaves_out`
    says by its number to come too early is not even converted.
    """

    fps = 30.0

    def __init__(self) -> None:
        self.received, self.rung = 0, 0
        self.leaves_out: Callable[[int], bool] = lambda number: False
        self._slot: Slot[tuple[VideoFrame, float]] = Slot()
        self._number = -1
        self._ended = False

    def open(self) -> BrowserSource:
        """Give pictures again: a line that rests has closed its source."""
        if not self._ended:
            self._slot = Slot()
        return self

    def read(self) -> Frame:
        """Return the newest picture, waiting for it. Raises `EndOfStream` after `close`."""
        while item := self._slot.take():
            picture, captured_at = item
            self._number += 1
            if self.leaves_out(self._number):
                continue
            sides = picture.width, picture.height
            if 0 < sides[0] * sides[1] <= MAX_PIXELS and max(sides) <= MAX_SIDE:
                frame = Frame(i420_of(picture), self._number, captured_at)
                ladder = rungs(frame.size)
                return fit(frame, ladder[min(self.rung, len(ladder) - 1)].size, "stretch")
        raise EndOfStream

    def close(self) -> None:
        """End the stream; a waiting `read` wakes up."""
        self._slot.close()

    async def drain(self, track: MediaStreamTrack) -> None:
        """Keep the newest picture of a received track until that ends."""
        try:
            while True:
                self._slot.put((await track.recv(), time.monotonic()))
                self.received += 1
        except MediaStreamError:
            self._ended = True
            self.close()


def i420_of(picture: VideoFrame) -> Bytes:
    """Copy a decoded picture into one I420 array, uint8 (height * 3 / 2, width).

    It comes out in BT.601 of limited range, whatever it says of itself; what says nothing is that
    already. Rows may be padded in memory. An odd size grows by a repeated last row or column of
    luma; chroma planes are rounded up already (ITU-T H.264, section 6.2).
    """
    told = picture.colorspace == Colorspace.ITU709 or picture.color_range == ColorRange.JPEG
    if told or picture.format.name != "yuv420p":
        picture = picture.reformat(
            format="yuv420p",
            dst_colorspace=Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
    i420 = blank(even((picture.width, picture.height)))
    for plane, target in zip(picture.planes, writable_planes(i420), strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        height, width = plane.height, plane.width
        target[:height, :width] = rows[:height, :width]
        target[height:] = target[height - 1]
        target[:, width:] = target[:, width - 1 : width]
    return i420
