"""Step 6: the verdict on the person's light, and a correction that helps, slowly, and spares skin.

Rooms and people are surfaces of many colours under a light that the test chooses: what is right is
known.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from realtime import pixels
from realtime.frame import Bytes, Frame
from realtime.scene.grade import Change, Grade
from realtime.scene.light import GAMMA, LAMPS
from realtime.scene.lighting import SceneLight
from realtime.scene.skin import CLIPPED, FACE, clipped_share, hue_error, keep_skin

SIZE = (320, 180)
DAY, DARK, BRIGHT, LAMP, SKY = (0.0, 0.0), (-1.3, 0.0), (1.2, 0.0), (0.0, 1.6), (0.0, -1.0)


def lit(bgr: Bytes, level: float, warmth: float) -> Bytes:
    """Return a picture under another light: linear blue and red are multiplied."""
    gains = 2 ** (level + warmth * np.array([LAMPS[1], 0, LAMPS[0]]))
    return np.rint(255 * np.minimum((bgr / 255) ** GAMMA * gains, 1) ** (1 / GAMMA)).astype(
        np.uint8
    )


def room(seed: int) -> Bytes:
    """Return furniture of greyish colours, as bright as rooms are."""
    random = np.random.default_rng(seed)
    grey = random.uniform(60, 190, (9, 16, 1))
    tiles = np.clip(grey + random.normal(0, 12, (9, 16, 3)) + (-12, 0, 6), 0, 255).astype(np.uint8)
    return cv2.resize(tiles, SIZE, interpolation=cv2.INTER_NEAREST)


def person() -> tuple[Bytes, Bytes]:
    """Return a person of skin, hair and shirt before a room, and the exact matte."""
    bgr, alpha = room(1), np.zeros(SIZE[::-1], np.uint8)
    for colour, box in (
        ((120, 70, 60), (100, 120, 120, 60)),
        ((35, 40, 50), (130, 20, 60, 40)),
        ((125, 150, 205), (135, 45, 50, 75)),
    ):
        left, top, width, height = box
        bgr[top : top + height, left : left + width] = colour
        alpha[top : top + height, left : left + width] = 255
    return bgr, alpha


def seen(light: tuple[float, float], at_s: float = 0.0) -> Frame:
    return pixels.from_bgr(lit(person()[0], *light), round(at_s * 30), at_s)


def behind(light: tuple[float, float]) -> Frame:
    return pixels.from_bgr(lit(room(2), *light))


def distance(frame: Frame, light: tuple[float, float]) -> float:
    """Return how far the person's mean colour in Lab is from that in another light."""
    bgr, alpha = person()
    means = [
        cv2.mean(cv2.cvtColor(at.astype(np.float32) / 255, cv2.COLOR_BGR2LAB), mask=alpha)[:3]
        for at in (pixels.to_bgr(frame), lit(bgr, *light))
    ]
    return float(np.linalg.norm(np.subtract(*means)))


@pytest.mark.parametrize(
    ("here", "there", "verdict"),
    [
        (DAY, DAY, "ok"),
        (DARK, DARK, "ok"),
        (DARK, DAY, "person dark"),
        (DAY, DARK, "person bright"),
        (BRIGHT, DARK, "person bright"),
        (LAMP, DAY, "person warm"),
        (SKY, DAY, "person cool"),
        (DAY, LAMP, "person cool"),
    ],
)
def test_the_verdict_and_a_correction_that_helps(
    here: tuple[float, float], there: tuple[float, float], verdict: str
) -> None:
    told: list[dict[str, Any]] = []
    frame, alpha = seen(here), person()[1]
    matched = SceneLight(1.0, True, told.append).match(frame, behind(there), alpha)
    assert [at["verdict"] for at in told] == [verdict]
    assert told[0].keys() >= {"level", "warmth", "contrast", "key", "backdrop key"}
    before, after = distance(frame, there), distance(matched, there)
    assert after < 0.7 * before if verdict != "ok" else after < before + 1
    half = SceneLight(0.5, True, told.append).match(frame, behind(there), alpha)
    assert distance(half, there) < before + 1


@pytest.mark.parametrize(("spread", "verdict"), [(0.2, "flat"), (2.5, "harsh")])
def test_too_little_and_too_much_contrast(spread: float, verdict: str) -> None:
    """A veil over the camera; a lamp that leaves half the person black."""
    told: list[dict[str, Any]] = []
    bgr, alpha = person()
    bgr = np.clip(110 + (bgr - 110.0) * spread, 0, 255).astype(np.uint8)
    SceneLight(1.0, True, told.append).match(pixels.from_bgr(bgr), behind(DAY), alpha)
    assert told[0]["verdict"] == verdict


def test_light_from_one_side_is_told() -> None:
    told: list[dict[str, Any]] = []
    bgr, alpha = person()
    bgr[:, 160:] = lit(bgr[:, 160:], 1.5, 0)
    SceneLight(1.0, True, told.append).match(pixels.from_bgr(bgr), behind(DAY), alpha)
    assert told[0]["key"] > 0.8 > abs(told[0]["backdrop key"])


def test_strength_nothing_only_measures() -> None:
    told: list[dict[str, Any]] = []
    frame = seen(DARK)
    assert SceneLight(0.0, True, told.append).match(frame, behind(DAY), person()[1]) is frame
    assert told[0]["verdict"] == "person dark"


def test_before_a_colour_only_darkness_is_mended() -> None:
    alpha, blue = person()[1], pixels.colour(SIZE, (255, 0, 0))
    light = SceneLight(1.0, False, lambda numbers: None)
    for frame in (seen(DAY), seen(LAMP), seen(BRIGHT)):
        light.reset()
        assert light.match(frame, blue, alpha) is frame
    light.reset()
    night = seen((-4.0, 0.0))
    lifted = light.match(night, blue, alpha)
    assert cv2.mean(lifted.y, mask=alpha)[0] > cv2.mean(night.y, mask=alpha)[0] + 15


def test_a_face_is_seen_before_any_night() -> None:
    bgr, alpha = person()
    against_the_light = np.where(alpha[..., None] > 0, lit(bgr, -2.8, 0.0), lit(bgr, 1.0, 0.0))
    frame = pixels.from_bgr(against_the_light)
    night = SceneLight(1.0, True, lambda numbers: None).match(frame, behind((-5.0, 0.0)), alpha)
    before, after = ((at.y[60:110, 140:180].mean() - 16) / 219 for at in (frame, night))
    assert FACE <= after < before


def test_noise_is_not_lifted() -> None:
    bgr, alpha = person()
    noise = np.random.default_rng(0).normal(0, 8, bgr.shape)
    night = np.clip(lit(bgr, -4.0, 0.0) + noise, 0, 255).astype(np.uint8)
    frame = pixels.from_bgr(night)
    noisy = SceneLight(1.0, True, lambda numbers: None).match(frame, behind(DAY), alpha)
    assert cv2.mean(noisy.y, mask=alpha)[0] < 1.1 * cv2.mean(frame.y, mask=alpha)[0]


def test_the_first_correction_is_at_once_and_later_ones_are_slow() -> None:
    light, alpha = SceneLight(1.0, True, lambda numbers: None), person()[1]

    def shown(there: tuple[float, float], at_s: float) -> float:
        matched = light.match(seen(DAY, at_s), behind(there), alpha)
        return float(cv2.mean(matched.y, mask=alpha)[0])

    first = shown(DARK, 0.0)
    assert all(shown(DARK, n / 30) == first for n in range(1, 30)), "still light, still picture"
    raw = float(cv2.mean(seen(DAY).y, mask=alpha)[0])
    after = [shown(DAY, 1 + n / 30) for n in range(240)]
    steps = np.diff([first, *after])
    assert first < 0.8 * raw and after[30] < 0.9 * raw, "it lets go slowly"
    assert steps.min() >= 0 and after[-1] == pytest.approx(raw, abs=2), "and without swinging"
    assert steps.max() < 0.02 * raw, "in steps that nobody sees"


@pytest.mark.parametrize(("gap_s", "anew"), [(1.0, False), (10.0, True), (-5.0, True)])
def test_after_a_long_gap_alone_it_begins_anew(gap_s: float, anew: bool) -> None:
    light, alpha = SceneLight(1.0, True, lambda numbers: None), person()[1]
    first = light.match(seen(BRIGHT, 20.0), behind(DAY), alpha)
    second = light.match(seen(BRIGHT, 20.0 + gap_s), behind(BRIGHT), alpha)
    steps = [cv2.mean(shown.y, mask=alpha)[0] for shown in (first, second)]
    fresh = SceneLight(1.0, True, lambda numbers: None)
    alone = fresh.match(seen(BRIGHT), behind(BRIGHT), alpha)
    assert (second.i420 == alone.i420).all() == anew, steps


def test_trembling_light_does_not_pump() -> None:
    light, alpha = SceneLight(1.0, True, lambda numbers: None), person()[1]
    random = np.random.default_rng(3)
    gains = []
    for n in range(60):
        here = (-1.3 + random.normal(0, 0.05), random.normal(0, 0.03))
        frame = seen(here, n / 10)
        matched = light.match(frame, behind(DAY), alpha)
        means = [cv2.mean(at.y, mask=alpha)[0] for at in (matched, frame)]
        gains.append(means[0] / means[1])
    assert np.ptp(gains) < 0.05


def test_reset_means_reset() -> None:
    light, alpha = SceneLight(1.0, True, lambda numbers: None), person()[1]
    fresh = light.match(seen(DARK), behind(DAY), alpha)
    light.match(seen(BRIGHT, 1.0), behind(DAY), alpha)
    light.reset()
    assert (light.match(seen(DARK), behind(DAY), alpha).i420 == fresh.i420).all()


COMPLEXIONS = [(60, 75, 110), (95, 125, 180), (170, 190, 235), (35, 45, 70)]


@pytest.mark.parametrize("bgr", COMPLEXIONS)
@pytest.mark.parametrize("level", [-3.0, 0.0, 1.0, 3.0])
@pytest.mark.parametrize("warmth", [-3.0, 0.0, 3.0])
def test_skin_stays_skin(bgr: tuple[int, int, int], level: float, warmth: float) -> None:
    spread = np.random.default_rng(0).normal(0, 12, (500, 1, 1))
    pixel = np.clip(np.array(bgr) + spread, 0, 255).astype(np.uint8)
    i420 = pixels.from_bgr(np.repeat(np.repeat(pixel.reshape(20, 25, 3), 2, 0), 2, 1))
    skin = pixels.small_yuv(i420, (25, 20)).reshape(-1, 1, 3)
    kept = Grade(keep_skin(Change(level, warmth), skin)).laid_on_pixels(skin)
    assert clipped_share(kept) <= clipped_share(skin) + CLIPPED
    assert hue_error(kept) <= max(25.0, hue_error(skin))


@pytest.mark.parametrize("level", [0, 255, "noise", "green"])
@pytest.mark.parametrize("cover", [0, 1, 128, 255])
def test_no_picture_breaks_it(level: int | str, cover: int) -> None:
    bgr = np.full((180, 320, 3), level if isinstance(level, int) else 0, np.uint8)
    if level == "noise":
        bgr = np.random.default_rng(0).integers(0, 256, bgr.shape, np.uint8)
    if level == "green":
        bgr[..., 1] = 255
    frame, alpha = pixels.from_bgr(bgr), np.full((180, 320), cover, np.uint8)
    for backdrop in (frame, behind(DAY)):
        matched = SceneLight(1.0, True, lambda numbers: None).match(frame, backdrop, alpha)
        assert matched.size == frame.size


@pytest.mark.parametrize("size", [(2, 2), (90, 160), (160, 90), (66, 38)])
def test_every_size(size: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    frame = pixels.from_bgr(random.integers(0, 256, (size[1], size[0], 3), np.uint8))
    alpha = np.full(size[::-1], 255, np.uint8)
    light = SceneLight(1.0, True, lambda numbers: None)
    assert light.match(frame, pixels.colour(size, (9, 9, 9)), alpha).size == size
