"""`scrim bench` and the benchmarks: that they measure what they say, never how fast it was."""

from __future__ import annotations

from dataclasses import asdict
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from realtime import bench
from realtime.errors import ModelNotFound

SIZES = ((64, 36), (128, 72))
STEPS = ["matte", "steady", "refine", "backdrop", "composite", bench.WHOLE]


@pytest.fixture(scope="module")
def rows(toy_ir: Path) -> list[bench.Row]:
    return bench.measure(toy_ir, "CPU", 1, 10, SIZES)


def test_a_row_a_size_with_every_step_in_its_order(rows: list[bench.Row]) -> None:
    assert [row.size for row in rows] == list(SIZES)
    assert [list(row.steps) for row in rows] == [STEPS, STEPS]


def test_figures_agree_with_each_other(rows: list[bench.Row]) -> None:
    for row in rows:
        whole = row.steps[bench.WHOLE]
        assert all(at.median_ms <= at.p95_ms for at in row.steps.values())
        assert all(at.median_ms <= whole.median_ms for at in row.steps.values())
        assert row.fps > 0 and row.cpu_ms > 0 and row.resident_mb > 1


def test_rows_are_plain_enough_for_json(rows: list[bench.Row]) -> None:
    assert set(asdict(rows[0])) == {"size", "steps", "fps", "cpu_ms", "resident_mb"}
    assert asdict(rows[0])["steps"]["matte"].keys() == {"median_ms", "p95_ms"}


def test_the_table_shows_every_row_and_step(rows: list[bench.Row]) -> None:
    written = StringIO()
    Console(width=120, file=written).print(bench.table(rows))
    text = written.getvalue()
    assert "64x36" in text and "128x72" in text and "CPU ms a frame" in text


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        bench.measure(tmp_path / "none.xml", "CPU", 0, 10, SIZES)


def test_replay_goes_forth_and_back_with_a_camera_s_clock() -> None:
    drawn = bench.draw((64, 36))
    shown = bench.replay(drawn)
    frames = [next(shown) for _ in range(2 * len(drawn))]
    assert [frame.number for frame in frames] == list(range(2 * len(drawn)))
    assert frames[1].captured_at - frames[0].captured_at == pytest.approx(1 / bench.FPS)
    turn = len(drawn) - 1
    assert np.array_equal(frames[turn - 1].i420, frames[turn + 1].i420)
    assert not np.array_equal(frames[turn - 1].i420, frames[turn].i420)
    assert np.array_equal(frames[2 * turn].i420, frames[0].i420)


def test_spread_is_median_and_nearest_rank() -> None:
    assert bench.spread(range(100, 0, -1)) == bench.Spread(50, 95)
    assert bench.spread([7.0]) == bench.Spread(7, 7)
