"""The benchmark of the new scene: its light is the light it says, its truth is the truth."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import scene
from benchmarks.scene import Case
from realtime import pixels
from realtime.scene.light import measure


def picture(seed: int = 0) -> np.ndarray:
    """Return tiles of greyish colours: what is measured is then the light's."""
    random = np.random.default_rng(seed)
    tiles = random.integers(40, 120, (12, 16, 1)) + random.integers(-4, 5, (12, 16, 3))
    return np.kron(tiles.astype(np.uint8), np.ones((10, 10, 1), np.uint8))


@pytest.mark.parametrize(("level", "warmth"), [(-1.0, 0.0), (0.0, 0.6), (0.5, -0.4)])
def test_light_changes_by_what_is_said(level: float, warmth: float) -> None:
    before = scene.exposed(picture())
    everywhere = np.full(before.shape[:2], 255, np.uint8)
    was, now = (measure(at, everywhere) for at in (before, scene.lit(before, level, warmth)))
    assert was and now
    assert now.level - was.level == pytest.approx(level, abs=0.1)
    assert now.warmth - was.warmth == pytest.approx(warmth, abs=0.15)


def test_exposure_makes_pictures_alike() -> None:
    means = [
        ((scene.exposed(scene.lit(picture(), *light)) / 255.0) ** 2.2).mean(axis=(0, 1))
        for light in ((0, 0), (-1, 0.5))
    ]
    assert means[0] == pytest.approx(means[1], rel=0.06)
    assert means[0] == pytest.approx([scene.EXPOSURE] * 3, rel=0.06)


def test_colours_are_carried_outwards_and_mixed_exactly() -> None:
    bgr, alpha = np.full((60, 80, 3), 30, np.uint8), np.zeros((60, 80), np.uint8)
    bgr[20:, 20:60], alpha[20:, 20:60] = (90, 120, 200), 255
    alpha[10:20, 20:60] = 128
    colours = scene.carried(bgr, alpha)
    assert np.abs(colours - (90, 120, 200)).max() < 1
    mixed = pixels.to_bgr(scene.mixed(colours, alpha, np.zeros_like(bgr)))
    assert np.abs(mixed[15, 40].astype(int) - (45, 60, 100)).max() <= 3
    assert mixed[2, 2].max() <= 2


def test_averages_are_by_light() -> None:
    cases = [Case(light, 10.0 + n, 5.0) for n, light in enumerate([*scene.HERE] * 2)]
    assert scene.averages(cases) == (14.5, 5.0)
    assert "| dark | 13.50 | 5.00 | 5.00 |" in scene.by_light(cases, cases)
