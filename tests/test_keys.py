"""The preview's keys; OpenCV's windows, which need a screen, are the fake at the edge."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from realtime import pixels
from realtime.build import load_model
from realtime.config import Config
from realtime.control import Control
from realtime.errors import SinkUnavailable
from realtime.keys import Keys, keep_window
from realtime.sinks.preview import PreviewSink
from realtime.stats import Stats


class Screen:
    """A screen on which somebody presses keys, one a look, and in the end closes the window."""

    def __init__(self, keys: str) -> None:
        self.shown: list[Any] = []
        self._keys = list(keys)

    def show(self, title: str, picture: Any) -> None:
        self.shown.append(picture)

    def key(self) -> int:
        return ord(self._keys.pop(0)) if self.shown and self._keys else -1

    def visible(self, title: str, what: int) -> float:
        return float(bool(self._keys))


@pytest.fixture
def control(toy_ir: Path, tmp_path: Path) -> Control:
    (tmp_path / "waves.png").write_bytes(cv2.imencode(".png", np.zeros((9, 9, 3), np.uint8))[1])
    config = Config().with_values(
        {"matting": {"model": str(toy_ir)}, "scene": {"folder": str(tmp_path)}}
    )
    return Control(config, load_model(config.matting), Stats(), None)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    screen = Screen("b]mx")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "namedWindow", lambda *how: None)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: None)
    monkeypatch.setattr(cv2, "imshow", screen.show)
    monkeypatch.setattr(cv2, "pollKey", screen.key)
    monkeypatch.setattr(cv2, "getWindowProperty", screen.visible)
    yield screen


def test_keys_change_the_line_and_a_closed_window_stops_it(
    control: Control, screen: Screen, tmp_path: Path
) -> None:
    async def watch() -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        keys = Keys(control, lambda: None, lambda: loop.call_soon_threadsafe(ended.set))
        looking = asyncio.create_task(keep_window(window, keys, 100.0, print))
        await asyncio.wait_for(ended.wait(), 20)
        looking.cancel()

    window = PreviewSink()
    window.write(pixels.colour((32, 18), (0, 0, 200)))
    asyncio.run(watch())
    assert screen.shown[0].shape == (18, 32, 3) and screen.shown[0][0, 0].argmax() == 2
    assert control.config.scene.backdrop == str(tmp_path / "waves.png")
    assert (control.config.scene.blur, control.config.camera.mirror) == (0.6, True)


def test_an_opencv_without_windows_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_windows(*how: object) -> None:
        raise cv2.error("not implemented")

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "namedWindow", no_windows)
    with pytest.raises(SinkUnavailable, match=r"pip install .* opencv-python"):
        PreviewSink()


@pytest.mark.parametrize(("key", "end"), [("[", 0.0), ("]", 1.0)])
def test_the_blur_has_two_ends(control: Control, key: str, end: float) -> None:
    keys = Keys(control, lambda: None, lambda: None)
    for _ in range(11):
        keys.press(key)
    assert control.config.scene.blur == end


def test_a_backdrop_that_cannot_be_read_is_passed_over(control: Control, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    keys, shown = Keys(control, lambda: None, lambda: None), []
    for _ in range(3):
        keys.press("b")
        shown.append(Path(control.config.scene.backdrop).name)
    assert shown == ["waves.png", "blur", "waves.png"]
