"""Step 8 of 9, its end: a picture with transparency before everything, such as a desk or a logo."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from realtime import pixels
from realtime.contract import Size
from realtime.frame import Bytes, Frame
from realtime.pixels import Fit
from realtime.scene.composite import over
from realtime.scene.media import read_layer


class Overlay:
    """A picture that is laid over others. Raises `ConfigError` when its file cannot be read."""

    def __init__(self, path: Path, fit: Fit = "crop") -> None:
        self._whole, self._cover = read_layer(path)
        self._fit = fit
        self._fitted = self._whole, self._cover

    def lay(self, picture: Frame) -> Frame:
        """Return the picture behind the overlay; number and times are the picture's."""
        if self._fitted[0].size != picture.size:
            self._fitted = self._at(picture.size)
        layer, alpha = self._fitted
        stamped = Frame(layer.i420, picture.number, picture.captured_at)
        return over(stamped, picture, alpha)

    def _at(self, size: Size) -> tuple[Frame, Bytes]:
        """Return colours and alpha at a size.

        Over black they are resized, and then freed of the black: what is transparent may have any
        colour in the file, and must not bleed into what is not.
        """
        alpha = np.empty(size[::-1], np.uint8)
        pixels.fit_plane(self._cover, alpha, self._fit, 0)
        black = pixels.to_bgr(pixels.fit(self._whole, size, self._fit))
        return pixels.from_still(cv2.divide(black, cv2.merge([alpha] * 3), scale=255)), alpha
