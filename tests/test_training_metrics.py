"""The measures of a matte against values worked out by hand."""

import numpy as np
import pytest

from training import metrics


def matte(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_iou_counts_the_person_only() -> None:
    out, pha = matte([1, 1, 0, 0]), matte([0, 1, 1, 0])
    assert metrics.foreground_iou(out, pha) == pytest.approx(100 / 3)


def test_nothing_found_where_nobody_is_counts_as_right() -> None:
    empty = np.zeros((4, 4), np.float32)
    assert metrics.foreground_iou(empty, empty) == 100
    assert metrics.foreground_iou(empty + 1, empty) == 0


def test_miou_is_the_mean_of_both_classes_over_all_pixels() -> None:
    pixels = metrics.Pixels()
    pixels.add(matte([1, 1, 0, 0]), matte([1, 0, 0, 0]))
    pixels.add(matte([0, 0, 0, 0]), matte([0, 0, 0, 0]))
    assert pixels.miou() == pytest.approx(100 * (1 / 2 + 6 / 7) / 2)


def test_boundary_iou_sees_an_edge_that_iou_forgives() -> None:
    pha = np.zeros((100, 100), np.float32)
    pha[20:80, 20:80] = 1
    out = np.roll(pha, 2, axis=1)
    assert metrics.foreground_iou(out, pha) > 90
    assert metrics.boundary_iou(out, pha) < 70
    assert metrics.boundary_iou(pha, pha) == 100


def test_boundary_is_as_wide_as_asked() -> None:
    mask = np.zeros((20, 20), bool)
    mask[5:15, 5:15] = True
    assert np.count_nonzero(metrics.boundary(mask, 2)) == 10 * 10 - 6 * 6


def test_distances() -> None:
    out, pha = matte([0.5, 1.0]), matte([0.0, 1.0])
    assert metrics.mad(out, pha) == pytest.approx(250)
    assert metrics.mse(out, pha) == pytest.approx(125)


def test_dtssd_is_zero_for_a_constant_error() -> None:
    phas = [matte([0.0, 1.0]), matte([1.0, 1.0])]
    assert metrics.dtssd([p + 0.25 for p in phas], phas) == 0
    still = [matte([0.0, 1.0])] * 2
    assert metrics.dtssd([matte([0.0, 1.0]), matte([0.2, 1.0])], still) == pytest.approx(
        100 * np.sqrt(0.04 / 2)
    )


def test_flicker_looks_at_still_pixels_only() -> None:
    phas = [matte([0.0, 0.0]), matte([0.0, 1.0])]
    outs = [matte([0.0, 0.0]), matte([0.1, 1.0])]
    assert metrics.flicker(outs, phas) == pytest.approx(100)
    assert metrics.flicker(outs) == pytest.approx(550)
