"""INT8 within a budget: what is spared, what is refused, what survives; with real NNCF."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import pytest
import torch
from openvino import opset13 as op
from torch import nn

from conversion import commands
from conversion.__main__ import main
from conversion.accuracy import score
from conversion.pictures import Labelled
from conversion.quantise import Loss, quantise
from conversion.read import Original, from_torch
from conversion.stamp import save, stamp
from realtime.contract import ALPHA, IMAGE, Card
from realtime.errors import ConfigError, ModelError
from realtime.frame import Alpha, Bytes
from realtime.matting.engine import MattingModel
from tests.toy import SIZE, toy_card

TALL = SIZE[::-1]


def person(number: int, size: tuple[int, int] = (128, 72)) -> Labelled:
    """A green ellipse before a red room with some noise in it, and its mask."""
    width, height = size
    noise = np.random.default_rng(number).integers(0, 60, (height, width, 3), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (30 + 12 * number, height // 2), (20, 30), 0, 0, 360, 255, -1)
    bgr = np.where(mask[..., None] > 0, (20, 190, 20), (20, 20, 190)).astype(np.uint8)
    return Labelled(cv2.add(bgr, noise), mask.astype(np.float32) / 255)


PEOPLE = [person(number) for number in range(6)]
PICTURES = [labelled.bgr for labelled in PEOPLE[::2]]
JUDGED = PEOPLE[1::2]


def network(layers: int = 9, loud: range = range(0)) -> nn.Module:
    """Green less red goes through every layer; in the loud ones beside a channel 5000 times it.

    256 steps for both channels leave nothing of the quiet one.
    """
    found: list[nn.Module] = []
    for layer in range(layers):
        conv = nn.Conv2d(3 if layer == 0 else 2, 1 if layer == layers - 1 else 2, 1)
        with torch.no_grad():
            conv.weight.zero_()
            conv.bias.zero_()
            if layer == 0:
                conv.weight[1, :, 0, 0] = torch.tensor([-1.0, 1.0, 0.0])
                conv.weight[0, :, 0, 0] = 5000.0 if loud else 0.0
            elif layer == layers - 1:
                conv.weight[0, 1], conv.bias[0] = 12.0, -3.0
            else:
                conv.weight[1, 1] = 1.0
                conv.weight[0, 0] = 1.0 if layer in loud else 0.0
        found += [conv, nn.ReLU()]
    return nn.Sequential(*found[:-1]).eval()


def original(loud: range = range(0), sizes: tuple[tuple[int, int], ...] = (SIZE,)) -> Original:
    card = toy_card(name="tiny", sizes=sizes, figures={"iou": 99.0})
    return from_torch(network(loud=loud), card)


def saved(folder: Path, found: Original) -> Path:
    save(stamp(found.graph, found.card), folder / "tiny.xml")
    return folder / "tiny.xml"


def matte(ir: Path, bgr: Bytes, size: tuple[int, int] = SIZE) -> Alpha:
    return MattingModel(ir).session().infer(cv2.resize(bgr, size))


def quantisers(ir: Path) -> int:
    ops = ov.Core().read_model(ir).get_ops()
    return sum(node.get_type_name() == "FakeQuantize" for node in ops)


def stored_types(ir: Path) -> set[str]:
    ops = ov.Core().read_model(ir).get_ops()
    constants = (node for node in ops if node.get_type_name() == "Constant")
    return {node.get_element_type().get_type_name() for node in constants}


def test_int8_keeps_the_budget_and_has_a_card_of_its_own(tmp_path: Path) -> None:
    ir, into = saved(tmp_path, original()), tmp_path / "tiny-int8.xml"
    report = quantise(ir, into, PICTURES, JUDGED)
    assert quantisers(ir) == 0 < quantisers(into) and "i8" in stored_types(into)
    assert len(report.spared) == 2 and report.before.iou > 90
    assert report.before == score(MattingModel(ir), JUDGED), "measured, not remembered"
    assert report.after == score(MattingModel(into), JUDGED)
    card = MattingModel(into).card
    assert card.name == "tiny-int8" and "INT8" in card.origin
    lost = report.before.iou - report.after.iou
    assert card.figures["int8 iou lost"] == pytest.approx(lost, abs=1e-3) and lost <= 0.3
    assert card.figures["iou"] == 99.0


def test_sizes_stay_open(tmp_path: Path) -> None:
    ir, into = saved(tmp_path, original(sizes=(SIZE, TALL))), tmp_path / "tiny-int8.xml"
    quantise(ir, into, PICTURES, JUDGED)
    for size in (SIZE, TALL):
        after, before = (matte(path, PICTURES[0], size) for path in (into, ir))
        assert before.max() > 0.9 > 0.1 > before.min()
        assert np.abs(after - before).mean() < 0.02


def test_first_layers_that_cost_too_much_are_spared(tmp_path: Path) -> None:
    ir, into = saved(tmp_path, original(loud=range(1, 2))), tmp_path / "tiny-int8.xml"
    report = quantise(ir, into, PICTURES, JUDGED)
    assert len(report.spared) == 3
    assert quantisers(into) > 0
    assert report.before.iou - report.after.iou <= 0.3


def test_nothing_is_written_when_no_trial_keeps_the_budget(tmp_path: Path) -> None:
    ir, into = saved(tmp_path, original(loud=range(1, 8))), tmp_path / "tiny-int8.xml"
    with pytest.raises(ModelError, match=r"INT8 costs tiny \d+\.\d\d points of IoU") as refused:
        quantise(ir, into, PICTURES, JUDGED)
    assert "0.3 and 1.0 are accepted" in refused.value.hint
    assert not into.exists()


def test_the_budget_counts_mad_too(tmp_path: Path) -> None:
    ir, into = saved(tmp_path, original()), tmp_path / "tiny-int8.xml"
    with pytest.raises(ModelError, match="of MAD"):
        quantise(ir, into, PICTURES, JUDGED, Loss(iou=100.0, mad=-1.0))
    assert not into.exists()


def recurrent_ir(path: Path) -> Path:
    """The memory is nine tenths of itself and the picture's green: up to 7 after many frames."""
    card = toy_card(memory=(("seen", "seen_next"),))
    width, height = SIZE
    image = op.parameter([1, height, width, 3], ov.Type.u8, name=IMAGE)
    seen = op.parameter([1, 1, height, width], ov.Type.f32, name="seen")
    values = op.multiply(op.convert(image, "f32"), op.constant(np.float32(1 / 255)))
    nchw = op.transpose(values, op.constant(np.array([0, 3, 1, 2])))
    both = op.concat([nchw, seen], 1)
    weights = np.array([0, 1, -1, 0.9], np.float32).reshape(1, 4, 1, 1)
    after = op.relu(convolved(both, weights))
    alpha = op.sigmoid(convolved(after, np.full((1, 1, 1, 1), 0.4, np.float32)))
    for node, name in ((image, IMAGE), (seen, "seen"), (alpha, ALPHA), (after, "seen_next")):
        node.output(0).set_names({name})
    model = ov.Model([alpha, after], [image, seen], "recurrent")
    card.write_to(model)
    save(model, path)
    return path


def convolved(node: ov.Node, weights: np.ndarray) -> ov.Node:
    return op.convolution(node, op.constant(weights), [1, 1], [0, 0], [0, 0], [1, 1])


def test_memory_survives_and_is_calibrated_by_what_the_stream_remembers(tmp_path: Path) -> None:
    ir, into = recurrent_ir(tmp_path / "seen.xml"), tmp_path / "seen-int8.xml"
    clip = [PICTURES[0]] * 30
    quantise(ir, into, clip, JUDGED, Loss(iou=100.0, mad=100.0))
    model = ov.Core().read_model(into)
    assert quantisers(into) > 0
    assert Card.of(model, "int8").memory == (("seen", "seen_next"),)
    assert model.input("seen").get_element_type() == ov.Type.f32
    assert model.output("seen_next").get_element_type() == ov.Type.f32
    streams = [MattingModel(path).session() for path in (ir, into)]
    small = cv2.resize(clip[0], SIZE)
    mattes = [[stream.infer(small) for stream in streams] for _ in range(20)]
    (first, _), (last, last_int8) = mattes[0], mattes[-1]
    assert last.max() > first.max() + 0.2, "the network does remember"
    assert np.abs(last_int8 - last).max() < 0.05, "a range taken from empty memory would clip it"


def test_without_nncf_the_hint_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(ModelError, match=r"scrim\[conversion\]"):
        quantise(saved(tmp_path, original()), tmp_path / "tiny-int8.xml", PICTURES, JUDGED)


def write_labelled(folder: Path) -> Path:
    for part in ("img", "mask"):
        (folder / part).mkdir(parents=True)
    for number, labelled in enumerate(PEOPLE):
        cv2.imwrite(str(folder / "img" / f"{number}.png"), labelled.bgr)
        cv2.imwrite(str(folder / "mask" / f"{number}.png"), (labelled.alpha * 255).astype(np.uint8))
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["scrim-convert", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_the_command_writes_both_and_shows_what_it_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "read", lambda path, name: original())
    labelled = write_labelled(tmp_path / "labelled")
    out = tmp_path / "ir"
    assert run(monkeypatch, "best.pt", "--out", out, "--int8", "--labelled", labelled) == 0
    found = {file.name for file in out.iterdir()}
    assert found == {f"tiny{kind}.{end}" for kind in ("", "-int8") for end in ("xml", "bin")} | {
        "README.md"
    }
    assert "| `tiny-int8` |" in (out / "README.md").read_text()
    told = capfd.readouterr().out
    assert "MAD x1000" in told and f"wrote {out}/tiny-int8.xml" in told.replace("\n", "")


def test_int8_without_labelled_pictures_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "best.pt", "--out", tmp_path, "--int8") == ConfigError.exit_code
    assert "--labelled" in capfd.readouterr().err


def test_a_refused_int8_leaves_the_ir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "read", lambda path, name: original(loud=range(1, 8)))
    labelled = write_labelled(tmp_path / "labelled")
    out = tmp_path / "ir"
    code = run(monkeypatch, "best.pt", "--out", out, "--int8", "--labelled", labelled)
    assert code == ModelError.exit_code
    assert {file.name for file in out.iterdir()} == {"tiny.xml", "tiny.bin", "README.md"}


def test_nncf_calls_nobody() -> None:
    script = (
        "import conversion.quantise, nncf, sys;"
        "from nncf.telemetry.wrapper import telemetry;"
        "print(type(telemetry).__name__, 'openvino_telemetry.main' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["MagicMock", "False"]
