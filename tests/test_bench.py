"""`scrim bench` and the benchmarks: that they measure what they say, never how fast it was."""

from __future__ import annotations

from dataclasses import asdict
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmarks import job_scrim, line, memory, meter, peers, process, report
from realtime import bench
from realtime import config as cfg
from realtime.build import load_model, make_pipeline
from realtime.matting.engine import MattingModel
from realtime.pixels import to_bgr
from realtime.stats import Stats

SIZES = ((64, 36), (128, 72))
STEPS = ["matte", "steady", "refine", "backdrop", "light", "edges", "composite", bench.WHOLE]


@pytest.fixture(scope="module")
def rows(toy_ir: Path) -> list[bench.Row]:
    return bench.measure(cfg.Config(), MattingModel(toy_ir), 10, SIZES)


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


def test_a_line_runs_and_is_weighed(toy_ir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "WARM_UP_S", 0.5)
    found = line.measure(str(toy_ir), "#336699", 0.5)
    assert found["fps"] > 0 and found["cpu_share"] > 0 and found["peak_mb"] > 1
    assert 0 < found["age_p50_ms"] <= found["age_p95_ms"]


def test_memory_is_looked_at_ten_times(toy_ir: Path) -> None:
    found = memory.measure(str(toy_ir), "#336699", 2 * memory.LOOKS)
    assert len(found["resident_mb"]) == memory.LOOKS
    assert 0 < max(found["resident_mb"]) <= found["peak_mb"]


def test_the_meter_counts_frames_and_leaves_the_warm_up_out() -> None:
    seen: list[int] = []
    found = meter.measure(seen.append, 5)
    assert seen == list(range(meter.WARM_UP + 5))
    assert set(found) == {"wall_ms", "cpu_ms", "peak_mb"}


def test_our_job_is_the_same_in_both_colours(
    toy_ir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "SIZE", (128, 72))
    peers.prepare(tmp_path)
    pictures = np.load(tmp_path / "pictures.npy")
    tables = {
        "matting": {"model": str(toy_ir)},
        "scene": {"backdrop": str(tmp_path / "backdrop.png")},
    }
    config = cfg.Config().with_values(tables)
    model = load_model(config.matting)
    steps = [
        job_scrim.make_step(pictures, make_pipeline(config, model, Stats()), colour)
        for colour in ("i420", "bgr")
    ]
    for number in range(len(pictures) + 1):
        i420, bgr = (step(number) for step in steps)
        assert np.array_equal(to_bgr(i420), bgr)


def test_a_measurement_that_fails_ends_the_run() -> None:
    with pytest.raises(SystemExit, match="FAR AWAY"):
        process.run("benchmarks.memory", "--model", "FAR AWAY")


def figures(step_ms: float, cpu_share: float, peak_mb: float, ratio: float) -> dict[str, object]:
    at = {"median_ms": step_ms, "p95_ms": step_ms}
    row = {"steps": {bench.WHOLE: at}, "fps": 1.0, "cpu_ms": 1.0, "resident_mb": 1.0}
    job = {"wall_ms": 1.0, "cpu_ms": 1.0, "peak_mb": 1.0}
    a_line = {"cpu_share": cpu_share, "age_p50_ms": 1.0, "age_p95_ms": 2.0, "fps": 30.0}
    ratios = {key: [ratio, ratio - 1, ratio + 1] for key in job}
    return {
        "steps": [{"size": size, **row} for size in bench.SIZES],
        "line": {"blur": {**a_line, "drops": 0, "peak_mb": peak_mb}},
        "memory": {"frames": 20, "resident_mb": [peak_mb, peak_mb], "peak_mb": peak_mb},
        "peers": {
            "jobs": {peers.OURS_BGR: job, peers.THEIRS: job},
            "ratios": {peers.OURS_BGR: ratios},
            "rounds": 3,
            "frames": 2,
        },
    }


def test_targets_are_met_or_missed_by_the_figures() -> None:
    good = report.targets(figures(5.9, 0.349, 349, 5.0))
    assert [verdict for *_, verdict in good] == ["met"] * 6
    bad = report.targets(figures(6.1, 0.351, 351, 4.9))
    verdicts = [verdict for *_, verdict in bad]
    assert verdicts == ["**missed**"] * 3 + ["met"] + ["**missed**"] * 2


def test_the_page_holds_every_measurement_and_its_command() -> None:
    page = report.page([("cores", "2")], "toy", figures(5, 0.3, 300, 6))
    for said in ("| cores | 2 |", "scrim bench", "benchmarks.line", "benchmarks.memory"):
        assert said in page
    assert "benchmarks.peers" in page and "6.0 (5.0 to 7.0)" in page
