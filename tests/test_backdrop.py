"""Step 5: colours, any size, and a blur that lets nothing through."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime import pixels
from realtime.build import has_light, make_backdrop
from realtime.config import Scene
from realtime.frame import Bytes, Frame
from realtime.scene.backdrop import ColourBackdrop, RoomBackdrop, picture_backdrop
from realtime.scene.blur import BlurBackdrop
from tests.scenes import SIZE, frame_at, nobody, quarters, save, seen


def test_a_colour_fills_the_frame_and_is_made_once() -> None:
    backdrop = ColourBackdrop((200, 40, 90))
    assert np.abs(seen(backdrop).astype(int) - (200, 40, 90)).max() <= 2
    assert backdrop.alone(SIZE) is backdrop.picture(frame_at(), nobody())
    assert backdrop.alone((640, 360)).size == (640, 360)


def test_fit_is_kept(tmp_path: Path) -> None:
    path = save(tmp_path / "wide.png", np.full((20, 200, 3), 255, np.uint8))
    assert seen(picture_backdrop(path, "crop")).min() > 250
    padded = seen(picture_backdrop(path, "pad"))
    assert padded[90].min() > 250 and padded[:60].max() < 5


def test_green_is_what_obs_keys_out() -> None:
    green = make_backdrop(Scene(backdrop="green")).alone(SIZE)
    assert pixels.to_bgr(green)[0, 0].tolist() == pytest.approx([0, 255, 0], abs=2)
    assert not has_light(Scene(backdrop="green")) and has_light(Scene(backdrop="office.jpg"))


def striped_room() -> tuple[Frame, Bytes]:
    """Return a grey room with a bright red person in its middle, and the exact matte."""
    bgr = np.full((360, 640, 3), 90, np.uint8)
    alpha = np.zeros((360, 640), np.uint8)
    cv2.circle(bgr, (320, 200), 100, (0, 0, 255), -1)
    cv2.circle(alpha, (320, 200), 100, 255, -1)
    return pixels.from_bgr(bgr, 9, 2.0), alpha


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_the_person_does_not_bleed_into_the_blur(strength: float) -> None:
    frame, alpha = striped_room()
    blurred = BlurBackdrop(strength).picture(frame, alpha)
    assert blurred.size == frame.size
    assert np.abs(pixels.to_bgr(blurred).astype(int) - 90).max() <= 3


def test_even_the_least_blur_hides_what_could_be_read() -> None:
    """Letters a fourteenth of the height high are a grey bar."""
    bgr = np.full((360, 640, 3), 40, np.uint8)
    for row in range(40, 350, 45):
        cv2.putText(bgr, "SECRET 0123 PLAN SECRET 0123", (-80, row), 0, 1.2, (220, 220, 220), 4)
    frame = pixels.from_bgr(bgr)

    def contrast(luma: Bytes) -> float:
        level = luma[20:-20].astype(np.float32)
        return float((level - cv2.blur(level, (61, 1))).std())

    blurred = BlurBackdrop(0.0).picture(frame, nobody((640, 360)))
    assert contrast(blurred.y) < 0.15 * contrast(frame.y)


def test_more_strength_blurs_more() -> None:
    bgr = np.zeros((360, 640, 3), np.uint8)
    bgr[:, 320:] = 255
    frame = pixels.from_bgr(bgr)
    slopes = [
        int(
            np.abs(
                np.diff(BlurBackdrop(s).picture(frame, nobody((640, 360))).y[180].astype(int))
            ).max()
        )
        for s in (0.0, 0.5, 1.0)
    ]
    assert slopes[0] > slopes[1] > slopes[2] > 0


def test_where_all_is_person_the_blur_shows_no_pixel_of_the_room() -> None:
    frame, _ = striped_room()
    everything = np.full((360, 640), 255, np.uint8)
    planes = pixels.planes_of(BlurBackdrop(0.5).picture(frame, everything))
    assert all((plane == pixels.NEUTRAL).all() for plane in planes)


def test_developers_see_the_room_in_a_red_border() -> None:
    frame, alpha = striped_room()
    marked = RoomBackdrop().picture(frame, alpha)
    width = round(0.02 * 360) // 2 * 2
    assert (marked.y[20:-20, 20:-20] == frame.y[20:-20, 20:-20]).all()
    for edge in (marked.y[: width - 1], marked.y[:, : width - 1], marked.y[1 - width :]):
        assert np.unique(edge).size == 1
    blue, green, red = pixels.to_bgr(marked)[0, 0].tolist()
    assert red > 250 and green < 5 and blue < 5
    assert (marked.number, marked.captured_at) == (9, 2.0)


@pytest.mark.parametrize("backdrop", [BlurBackdrop(0.5), RoomBackdrop()])
def test_what_needs_the_room_shows_the_slate_alone(backdrop: BlurBackdrop | RoomBackdrop) -> None:
    assert backdrop.alone(SIZE) is pixels.slate(SIZE)
    frame, alpha = striped_room()
    backdrop.picture(frame, alpha)
    assert backdrop.alone(SIZE) is pixels.slate(SIZE)


@pytest.mark.parametrize("size", [(2, 2), (640, 480), (90, 160), (1920, 1080)])
def test_every_size_of_frame_has_a_backdrop(size: tuple[int, int], tmp_path: Path) -> None:
    picture = picture_backdrop(save(tmp_path / "a.png", quarters()))
    for backdrop in (BlurBackdrop(0.5), RoomBackdrop(), ColourBackdrop((1, 2, 3)), picture):
        shown = backdrop.picture(frame_at(0.0, size), nobody(size))
        assert shown.size == size


def test_the_blur_of_a_strip_is_no_wider_than_the_strip(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, shrunk = [], pixels.shrunk

    def asking(frame: Frame, size: tuple[int, int]) -> list[Bytes]:
        asked.append(size)
        return shrunk(frame, size)

    monkeypatch.setattr(pixels, "shrunk", asking)
    strip = pixels.colour((2048, 2), (0, 0, 200))
    BlurBackdrop(0.5).picture(strip, np.zeros((2, 2048), np.uint8))
    assert asked and asked[0][0] <= 2048
