"""Step 9 of 9: frames into a window on this screen, with its keys.

Windows belong to the main thread: `write` only leaves the newest picture, `show` puts it up.
"""

from __future__ import annotations

import os
import sys

import cv2

from realtime.errors import SinkUnavailable
from realtime.frame import Frame
from realtime.pixels import to_bgr
from realtime.slot import Slot

TITLE = "Scrim"
CLOSED = "closed"
"""What `show` says when the window has been closed."""


class PreviewSink:
    """A window. Make it, and call `show`, in the main thread. Raises `SinkUnavailable`."""

    def __init__(self) -> None:
        self._slot: Slot[Frame] = Slot()
        self._shown = False
        if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
            # Qt would end the whole process
            raise SinkUnavailable("no preview: there is no screen here", "run without --preview")
        try:
            cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        except cv2.error as error:
            raise SinkUnavailable(
                "no preview: this OpenCV opens no windows",
                "pip install --force-reinstall --no-deps opencv-python",
            ) from error

    def write(self, frame: Frame) -> None:
        """Leave a picture to be shown."""
        self._slot.put(frame)

    def show(self) -> str:
        """Show the newest picture; return the key that was pressed, `CLOSED`, or nothing."""
        if frame := self._slot.take(timeout_s=0):
            cv2.imshow(TITLE, to_bgr(frame))
            self._shown = True
        key = cv2.pollKey()
        if self._shown and cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1:
            return CLOSED
        return chr(key & 0xFF) if key >= 0 else ""

    def close(self) -> None:
        """Nothing here; `end` takes the window away, in the main thread."""

    def end(self) -> None:
        """Close the window."""
        cv2.destroyAllWindows()
