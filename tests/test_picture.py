"""The picture's benchmark on drawn clips, and the page that its part stands on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import gallery, page, steadiness
from benchmarks.clips import Clip, scores
from benchmarks.gallery import Gallery
from benchmarks.page import Target
from benchmarks.steadiness import strains, targets, worst
from realtime import pixels
from realtime.config import Config
from realtime.errors import ConfigError
from realtime.matting.engine import MattingModel
from realtime.sinks.recording import MatteSink, RecordingSink
from realtime.sources.pattern import PatternSource

FRAMES = 12


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn clip with its matte, the same with the mains in it, and footage without a matte."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("clips", "footage"):
        (folder / name).mkdir()
    paths = [folder / name for name in ("clips/wave.mp4", "clips/wave.mains.mp4", "footage/a.mkv")]
    plain, lit, footage = (RecordingSink(path, 30.0) for path in paths)
    mattes = MatteSink(folder / "clips" / "wave.alpha.mkv", 30.0)
    source = PatternSource((128, 72), frames=FRAMES, realtime=False, flat=True)
    for number in range(FRAMES):
        frame = source.read()
        bgr = pixels.to_bgr(frame)
        plain.write(frame)
        footage.write(frame)
        dim = 0.8 if number % 2 else 1.0
        lit.write(pixels.from_bgr((bgr * dim).astype(np.uint8), number, frame.captured_at))
        mattes.write_alpha(((bgr[:, :, 1] > 100) * 255).astype(np.uint8))
    for sink in (plain, lit, footage, mattes):
        sink.close()
    return folder


@pytest.fixture(scope="module")
def shown(data: Path, toy_ir: Path) -> Gallery:
    return Gallery(data, MattingModel(toy_ir))


def test_clips_events_and_footage_go_through_the_line(shown: Gallery) -> None:
    raw, (ours, spent_ms) = shown.raw(), shown.timed(Config())
    assert set(raw) == set(ours) == {"wave", "wave.mains"}
    assert ours["wave"]["iou"] > 90 and spent_ms > 0
    assert shown.floor()["wave"]["mad"] < 1.2 * ours["wave"]["mad"]
    assert strains(ours).keys() == {"wave.mains"}
    found = {target.what: target for target in targets(shown, raw, ours)}
    assert found["clips: dtSSD"].found == ours["wave"]["dtssd"]
    assert found["light events: IoU lost, worst clip"].found == strains(ours)["wave.mains"][1]


def test_footage_is_lit_by_events_and_its_unrest_is_measured(shown: Gallery) -> None:
    ((calm, lit),) = shown.lit(gallery.mains)
    levels = [frame.y.mean() for frame in lit.frames]
    assert np.ptp(levels) > 10 * np.ptp([frame.y.mean() for frame in calm.frames])
    standing = Clip("still", calm.frames[:1] * 3, calm.raw[:1] * 3)
    assert shown.unrest(standing, Config()) == 0 < shown.unrest(calm, Config())


@pytest.mark.parametrize("name", list(steadiness.TRIED))
def test_what_was_tried_still_runs(shown: Gallery, name: str) -> None:
    found, _ = shown.timed(Config(), steadiness.TRIED[name])
    assert found["wave"]["iou"] > 85


def test_the_fast_tenth_is_where_the_truth_changes_most() -> None:
    still, moved = np.zeros((20, 20), np.float32), np.zeros((20, 20), np.float32)
    still[:10], moved[10:] = 1, 1
    truth = [still] * 9 + [moved]
    assert scores([still] * 10, truth)["fast"] == 0
    assert scores([still] * 10, truth)["iou"] == 90


def test_the_worst_clip_counts() -> None:
    than = {name: {"iou": 90.0} for name in ("a", "b")}
    assert worst({"a": {"iou": 91.0}, "b": {"iou": 89.0}}, than, "iou") == 1
    assert worst(than, {"a": {"iou": 91.0}, "b": {"iou": 89.0}}, "iou") == 1


def test_a_folder_without_clips_is_told(tmp_path: Path, toy_ir: Path) -> None:
    with pytest.raises(ConfigError, match="no clips"):
        Gallery(tmp_path, MattingModel(toy_ir))


def test_parts_of_the_page_are_kept_apart(tmp_path: Path) -> None:
    there = tmp_path / "README.md"
    page.rewrite("# Figures", there)
    page.put("a", "first", there)
    page.put("b", "second", there)
    page.put("a", "third", there)
    page.rewrite("# New figures", there)
    text = there.read_text("utf-8")
    assert text.startswith("# New figures\n") and "# Figures" not in text
    assert "first" not in text and text.index("third") < text.index("second")
    assert text.count("<!-- part") == 2


def test_a_target_is_met_or_missed() -> None:
    assert Target("a", None, 1.0, 1.0).line() == ("a", "-", "1.00", "<= 1", "met")
    assert Target("a", 2.0, 1.1, 1.0).line()[-1] == "**missed**"
