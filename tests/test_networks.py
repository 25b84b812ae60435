"""The table of all networks: what it counts, what it keeps, what it says."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op

from benchmarks import networks
from benchmarks.networks import Entry, Raw
from conversion import readme
from tests.toy import save_toy, toy_card

GREEN, RED = (0, 255, 0), (0, 0, 255)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One still of a green person, one clip of it, three red rooms; every third is set aside."""
    bgr = np.full((72, 128, 3), RED, np.uint8)
    bgr[:, 32:96] = GREEN
    alpha = np.where(bgr[:, :, 1] > 0, 255, 0).astype(np.uint8)
    for folder, image in (("img", bgr), ("mask", alpha)):
        write(tmp_path / f"data/stills/val/eg1800/{folder}/a.png", image)
    for number in range(3):
        room = np.full((72, 128, 3), RED, np.uint8)
        room[:, :number] = GREEN
        write(tmp_path / f"data/negatives/img/{number}.png", room)
    return tmp_path / "data"


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(networks, "KEPT", tmp_path / "runs" / "networks.json")
    monkeypatch.setattr(networks, "CONVERTED", tmp_path / "runs" / "peers")
    monkeypatch.setattr(networks, "ROUNDS", 1)
    save_toy(tmp_path / "models" / "toy.xml")
    return tmp_path / "models"


@pytest.mark.parametrize(
    ("grouped", "transposed", "macs"),
    [
        (False, False, 4 * 4 * 6 * 9 * 2),  # 4x4 places, 6 channels out, 3x3x2 in
        (True, False, 4 * 4 * 2 * 3 * 9),  # 2 groups of 1 in and 3 out
        (False, True, 8 * 8 * 2 * 6 * 9),  # each of 8x8 places is spread over 3x3x6
        (True, True, 8 * 8 * 2 * 3 * 9),
    ],
)
def test_multiply_adds_of_every_kind_of_convolution(
    grouped: bool, transposed: bool, macs: int
) -> None:
    src = op.parameter([1, 2, 8, 8], ov.Type.f32)
    kernel = {
        (False, False): (6, 2, 3, 3),
        (True, False): (2, 3, 1, 3, 3),
        (False, True): (2, 6, 3, 3),
        (True, True): (2, 1, 3, 3, 3),
    }[grouped, transposed]
    weights = op.constant(np.ones(kernel, np.float32))
    stride, one = [2, 2], [1, 1]
    if transposed:
        make = op.group_convolution_backprop_data if grouped else op.convolution_backprop_data
        node = make(src, weights, stride, pads_begin=one, pads_end=one, dilations=one)
    else:
        make = op.group_convolution if grouped else op.convolution
        node = make(src, weights, stride, one, one, one)
    millions, gflop = networks.size_of(ov.Model([node], [src]))
    assert millions == pytest.approx(np.prod(kernel) / 1e6)
    assert gflop == pytest.approx(2 * macs / 1e9)


def test_a_raw_network_is_neither_smoothed_nor_refined(models: Path) -> None:
    bgr = np.full((72, 128, 3), RED, np.uint8)
    bgr[:, 64:] = GREEN
    out = Raw(models / "toy.xml")(bgr)
    assert out.shape == (72, 128) and out.dtype == np.float32
    assert out[:, :60].max() == 0 and out[:, 68:].min() == 1


def test_the_table_says_what_was_measured(models: Path, data: Path) -> None:
    save_toy(
        models / "parts.xml",
        toy_card(
            name="parts",
            classes=("background", "hair", "hat"),
            figures={"parts miou": 61.5, "parts iou hair": 40.25},
        ),
    )
    entries = [Entry(models / "toy.xml", "ours"), Entry(models / "parts.xml", "peer")]
    text = networks.page(entries, data)
    row = next(line for line in text.splitlines() if line.startswith("| **toy**"))
    cells = [cell.strip() for cell in row.split("|")][1:-1]
    assert cells[1] == "64x36" and cells[6] == "100.00 / 100.00"
    assert cells[-1] == "0.00"  # the room that is aside is the first, red throughout
    assert "| parts | 64x36 |" in text
    assert "| **parts** | 61.5 | - | 40.2 | - |" in text
    assert "processor" in text


def test_a_file_is_measured_once(models: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = networks.quality
    monkeypatch.setattr(networks, "quality", lambda *a: calls.append(a) or real(*a))
    entries = [Entry(models / "toy.xml", "ours")]
    first = networks.measured(entries, data)
    assert networks.measured(entries, data) == first and len(calls) == 1
    save_toy(models / "toy.xml", toy_card(origin="made anew"))
    networks.measured(entries, data)
    assert len(calls) == 2


def test_the_command_writes_between_the_markers(models: Path, data: Path) -> None:
    networks.main(data, None, models, models)
    page = (models / "README.md").read_text()
    assert "| **toy** |" in page and "networks --data DIR --more DIR`" in page
    readme.write(models)
    assert (models / "README.md").read_text() == page


def test_peers_that_are_converted_stay_in_the_table(models: Path, data: Path) -> None:
    networks.CONVERTED.mkdir(parents=True)
    save_toy(networks.CONVERTED / "peer.xml", toy_card(name="peer"))
    networks.main(data, None, models, None)
    page = (models / "README.md").read_text()
    assert "| peer |" in page and "`python -m benchmarks.networks --data DIR --peers DIR`" in page
