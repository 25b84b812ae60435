"""Cards of models of others: those we ship hold, and one's own say what is wrong with them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import openvino as ov
import openvino.properties.hint as hints
import pytest

from conversion import runtimes
from conversion.__main__ import main
from conversion.cards import choose, load
from conversion.check import LIMIT_FP16, compare, refuse
from conversion.foreign import read
from conversion.pictures import draw
from conversion.stamp import stamp
from realtime.contract import ALPHA, Card
from realtime.errors import ConfigError, ModelNotFound
from realtime.matting.engine import MattingModel
from tests.converting import CLOSE, converted, matte, sigmoid
from tests.foreign import WEIGHTS, save_modnet, save_rvm, save_two_class

SHARED = Path(__file__).parents[2] / "shared" / "weights"


def test_every_shipped_card_holds() -> None:
    tables = load()
    assert {"sinet-authors", "pphumanseg", "munet-uint8", "rvm", "modnet"} < tables.keys()
    assert {"mediapipe-general", "mediapipe-landscape"} < tables.keys()
    for name, found in tables.items():
        assert found.card(name).sizes == found.sizes


def test_modnet_takes_every_size_of_its_card(tmp_path: Path) -> None:
    source = save_modnet(tmp_path / "modnet_webcam.onnx")
    name, found = choose(source, "", load())
    assert name == "modnet"
    original = read(source, found, found.card(name))
    ir = converted(original, tmp_path)
    drifts = compare(original, ir, draw(1))
    assert [drift.size for drift in drifts] == list(found.sizes)
    refuse(drifts, CLOSE)
    small = np.zeros((384, 384, 3), np.uint8)
    assert matte(ir, small) == pytest.approx(sigmoid(-WEIGHTS[0].sum()), abs=CLOSE)


@pytest.mark.parametrize("runtime", ["onnxruntime", "OpenVINO, as read"])
def test_a_recurrent_network_remembers_as_its_original_does(
    runtime: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As its authors say: the first memory is (1, 1, 1, 1) of zeros, then what came out."""
    monkeypatch.setattr(runtimes, "find_spec", lambda name: name == runtime)
    source = save_rvm(tmp_path / "rvm_mobilenetv3_fp32.onnx")
    name, found = choose(source, "", load())
    original = read(source, found, found.card(name))
    ir = converted(original, tmp_path)
    assert original.runtime == runtime
    refuse(compare(original, ir, draw(3)), CLOSE)

    session, matte = MattingModel(ir).session(), original.session()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    theirs = onnxruntime.InferenceSession(source, options)
    memory = [np.zeros((1, 1, 1, 1), np.float32)] * 4
    rng = np.random.default_rng(0)
    for _ in range(3):
        bgr = rng.integers(0, 256, (288, 512, 3), np.uint8)
        feed = {f"r{n + 1}i": array for n, array in enumerate(memory)}
        feed["src"] = np.float32(bgr[None, ..., ::-1].transpose(0, 3, 1, 2) / 255)
        feed["downsample_ratio"] = np.ones(1, np.float32)
        _, pha, *memory = theirs.run(None, feed)
        assert session.infer(bgr) == pytest.approx(pha[0, 0], abs=CLOSE)
        assert matte(bgr) == pytest.approx(pha[0, 0], abs=CLOSE)
    session.reset()
    anew = session.infer(bgr)
    assert np.abs(anew - pha[0, 0]).max() > 0.01  # so it had remembered
    assert original.session()(bgr) == pytest.approx(anew, abs=CLOSE)


def test_only_what_the_card_names_is_left_of_inputs_and_outputs(tmp_path: Path) -> None:
    source = save_rvm(tmp_path / "rvm_mobilenetv3_fp32.onnx")
    found = load()["rvm"]
    ir = ov.Core().read_model(converted(read(source, found, found.card("rvm")), tmp_path))
    names = [port.any_name for port in (*ir.inputs, *ir.outputs)]
    assert names == ["image", "r1i", "r2i", "r3i", "r4i", "alpha", "r1o", "r2o", "r3o", "r4o"]
    assert not any(port.partial_shape.is_dynamic for port in ir.inputs)
    assert Card.of(ir, "ir").memory == found.memory


@pytest.mark.parametrize(
    "file", ["SINet_Softmax.onnx", "pphumansegv2_lite_256x144.onnx", "munet_uint8.tflite"]
)
def test_models_of_others_themselves(file: str, tmp_path: Path) -> None:
    source = SHARED / file
    if not source.is_file():
        pytest.skip(f"{file} is not at hand in shared/weights")
    name, found = choose(source, "", load())
    original = read(source, found, found.card(name))
    drifts = compare(original, converted(original, tmp_path), draw(1))
    assert drifts[0].coverage > 0.05
    refuse(drifts, found.budget or LIMIT_FP16)


def test_a_stamped_graph_is_right_before_it_is_saved_too(tmp_path: Path) -> None:
    source = SHARED / "pphumansegv2_lite_256x144.onnx"
    if not source.is_file():
        pytest.skip(f"{source.name} is not at hand in shared/weights")
    found = load()["pphumanseg"]
    original = read(source, found, found.card("test"))
    small = cv2.resize(draw(1)[0], original.card.sizes[0], interpolation=cv2.INTER_AREA)
    stamped = stamp(original.graph, original.card, original.signature)
    exact = {hints.inference_precision(): ov.Type.f32}
    alpha = ov.Core().compile_model(stamped, "CPU", exact)(small[None])[ALPHA][0, 0]
    assert alpha == pytest.approx(original.session()(small), abs=CLOSE)


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


TABLE = """
[mine]
files = ["net.onnx"]
get = "made here"
licence = "MIT"
origin = "a test"
sizes = [[64, 36]]
"""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[mine", "is no TOML"),
        ("mine = 1", "mine: Input should be"),
        ('[mine]\nfiles = ["a"]', "mine.get: Field required"),
        (TABLE + "colour = 'RGB'", "mine.colour: no such key"),
        (TABLE + "signature = { color = 'RGB' }", "mine.signature.color: no such key.*keys: input"),
        (TABLE + "signature = { colour = 'red' }", "mine.signature.colour: .*'RGB' or 'BGR'"),
        (TABLE + "signature = { scale = [1, 0, 1] }", "mine.signature.scale.1: .*greater than 0"),
        (TABLE + "signature = { mean = [nan, 0, 0] }", "mine.signature.mean.0: .*finite"),
        (TABLE + "custom_nodes = ['Odd']", "custom_nodes: 'Odd' is none of Convolution2D"),
        (TABLE.replace("64", "0"), "mine.sizes.0.0: .*greater than 0"),
        (
            TABLE.replace("[[64, 36]]", "[[64, 36], [36, 64]]") + "memory = [['a', 'b']]",
            "mine: a network with memory takes one size",
        ),
        (
            TABLE + "classes = ['a', 'b']\nsignature = { kind = 'alpha' }",
            "mine: classes go with kind 'logits'",
        ),
    ],
)
def test_a_table_says_what_is_wrong_with_it(text: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        load(write(tmp_path / "my.toml", text))
    assert re.search(complaint, str(refusal.value), re.DOTALL)


def test_a_file_of_tables_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load(tmp_path / "my.toml")


def test_a_card_is_found_by_the_file_or_by_its_name(tmp_path: Path) -> None:
    tables, other = load(), tmp_path / "other.onnx"
    with pytest.raises(ModelNotFound, match="no model"):
        choose(other, "", tables)
    other.write_bytes(b"")
    assert choose(Path("x/SINet_Softmax.onnx"), "", tables)[0] == "sinet-authors"
    assert choose(other, "sinet-authors", tables)[0] == "sinet-authors"
    with pytest.raises(ConfigError, match="several cards fit") as refusal:
        choose(Path("mediapipe-0.10.21-cp311.whl"), "", tables)
    assert "mediapipe-general, mediapipe-landscape" in refusal.value.hint
    for name, complaint in (("", "no card fits other.onnx"), ("odd", "no card 'odd'")):
        with pytest.raises(ConfigError, match=complaint) as refusal:
            choose(other, name, tables)
        assert "modnet, " in refusal.value.hint
        assert "--cards" in refusal.value.hint


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["scrim-convert", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_a_model_of_ones_own_by_a_table_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    source = save_two_class(tmp_path / "net.onnx")
    cards = write(tmp_path / "my.toml", TABLE + "signature = { kind = 'two-class' }")
    assert run(monkeypatch, source, "--out", tmp_path / "ir") == 2
    assert "no card fits net.onnx" in capfd.readouterr().err
    assert run(monkeypatch, source, "--cards", cards, "--out", tmp_path / "ir") == 0
    assert "the original ran in onnxruntime" in capfd.readouterr().out
    assert "`mine`" in (tmp_path / "ir" / "README.md").read_text()
    named = ("--card", "mine", "--name", "other", "--cards", cards)
    assert run(monkeypatch, source, *named, "--out", tmp_path / "ir") == 0
    assert ALPHA in ov.Core().read_model(tmp_path / "ir" / "other.xml").output().get_names()
    assert run(monkeypatch, source, "--cards", cards, "--name", "No Name") == 2
