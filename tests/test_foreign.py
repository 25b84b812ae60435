"""Models of others: a table, a file, an IR that says the same; and what cannot be, said clearly."""

from __future__ import annotations

import re
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import openvino as ov
import openvino.properties.hint as hints
import pytest
from onnx import helper

from conversion import keras_export, runtimes
from conversion.__main__ import main
from conversion.cards import Foreign, choose, load
from conversion.check import LIMIT_FP16, compare, refuse
from conversion.foreign import read
from conversion.pictures import draw
from conversion.read import Original
from conversion.stamp import beside, save, stamp
from realtime.contract import ALPHA, CLASSES, Card
from realtime.errors import ConfigError, ModelContract, ModelError, ModelNotFound
from realtime.matting.engine import MattingModel
from tests.foreign import (
    HEIGHT,
    KERAS,
    PADDLE,
    WEIGHTS,
    WIDTH,
    photo,
    save_modnet,
    save_onnx,
    save_rvm,
    save_two_class,
    write_elsewhere,
)

SHARED = Path(__file__).parents[2] / "shared" / "weights"
CLOSE = 2e-5
"""Two programs that compute the same in f32, in another order."""


def table(**changes: object) -> Foreign:
    values = {
        "files": ["*"],
        "get": "the test",
        "licence": "MIT",
        "origin": "a test",
        "sizes": [[WIDTH, HEIGHT]],
    }
    return Foreign.model_validate(values | changes)


def opened(source: Path, **changes: object) -> Original:
    how = table(**changes)
    return read(source, how, how.card("test"))


def converted(original: Original, folder: Path) -> Path:
    with beside(folder, "test") as ir:
        save(stamp(original.graph, original.card, original.signature), ir)
    return folder / "test.xml"


def matte(ir: Path, bgr: np.ndarray) -> np.ndarray:
    return MattingModel(ir).session().infer(bgr)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def logits(bgr: np.ndarray, order: list[int], mean: object = 0, scale: object = 255) -> np.ndarray:
    """What the two 1x1 channels of `tests/foreign.py` give, computed here: (2, H, W)."""
    return np.einsum("kc,hwc->khw", WEIGHTS, (bgr[..., order] - np.array(mean)) / np.array(scale))


@pytest.fixture(scope="module")
def keras_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with one Keras network as .keras, .h5, SavedModel and three kinds of .tflite."""
    if not find_spec("tensorflow"):
        pytest.skip("TensorFlow is not installed: pip install 'scrim[keras]'")
    return write_elsewhere(KERAS, tmp_path_factory.mktemp("keras"))


@pytest.fixture(scope="module")
def paddle_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with one Paddle network as .pdmodel and .pdiparams."""
    if not find_spec("paddle"):
        pytest.skip("Paddle is not installed: pip install paddlepaddle")
    folder = tmp_path_factory.mktemp("paddle")
    return write_elsewhere(PADDLE, folder, FLAGS_enable_pir_api="0")


# What a signature says


@pytest.mark.parametrize("kind", ["two-class", "two-class-logits"])
@pytest.mark.parametrize(("colour", "order"), [("RGB", [2, 1, 0]), ("BGR", [0, 1, 2])])
def test_colour_mean_scale_and_soft_max_go_inside(
    kind: str, colour: str, order: list[int], tmp_path: Path
) -> None:
    mean, scale = [10.0, 20, 30], [50.0, 100, 200]
    source = save_two_class(tmp_path / "net.onnx", softmax=kind == "two-class")
    signature = {"colour": colour, "mean": mean, "scale": scale, "kind": kind}
    original = opened(source, signature=signature)
    ir = converted(original, tmp_path)
    background, person = logits(photo(), order, mean, scale)
    assert matte(ir, photo()) == pytest.approx(sigmoid(person - background), abs=CLOSE)
    assert original.runtime == "onnxruntime"
    refuse(compare(original, ir, [photo()]), CLOSE)


def test_the_channel_is_the_persons(tmp_path: Path) -> None:
    source = save_two_class(tmp_path / "net.onnx")
    irs = [
        converted(opened(source, signature={"kind": "two-class", "channel": n}), tmp_path / str(n))
        for n in (0, 1)
    ]
    first, second = (matte(ir, photo()) for ir in irs)
    assert first == pytest.approx(1 - second, abs=CLOSE)
    assert np.ptp(first) > 0.5


def test_classes_of_others_too(tmp_path: Path) -> None:
    source = save_two_class(tmp_path / "net.onnx", softmax=False)
    original = opened(source, classes=["background", "person"])
    ir = converted(original, tmp_path)
    background, person = logits(photo(), [2, 1, 0])
    assert matte(ir, photo()) == pytest.approx(sigmoid(person - background), abs=CLOSE)
    exact = {"INFERENCE_PRECISION_HINT": "f32"}  # or a processor with bf16 uses it
    given = ov.Core().compile_model(ir, "CPU", exact)(photo()[None])
    assert np.array_equal(given[CLASSES][0], person > background)
    refuse(compare(original, ir, [photo()]), CLOSE)


def test_half_precision_files_take_and_give_floats(tmp_path: Path) -> None:
    source = save_modnet(tmp_path / "net.onnx", half=True)
    original = opened(source, signature={"kind": "alpha"})
    ir = converted(original, tmp_path)
    expected = sigmoid(logits(photo(), [2, 1, 0])[0])
    assert matte(ir, photo()) == pytest.approx(expected, abs=5e-3)


# Shipped cards, on graphs of the signatures that they tell of


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


# Every kind of file


def keras_table(**changes: object) -> dict[str, object]:
    return {"signature": {"layout": "NHWC", "kind": "alpha"}} | changes


@pytest.mark.parametrize(
    "name", ["net.keras", "net.h5", "saved", "net.tflite", "row.tflite", "custom.tflite"]
)
def test_what_tensorflow_writes(name: str, keras_files: Path, tmp_path: Path) -> None:
    custom = ["Convolution2DTransposeBias"] if name.startswith("custom") else []
    original = opened(keras_files / name, **keras_table(custom_nodes=custom))
    ir = converted(original, tmp_path)
    given = np.load(keras_files / "given.npy")[0, :, :, 0]
    assert np.ptp(given) > 0.2
    assert matte(ir, photo()) == pytest.approx(given, abs=CLOSE)
    assert original.session()(photo()) == pytest.approx(given, abs=CLOSE)
    assert (original.runtime == "LiteRT") == name.endswith("tflite")


def test_what_paddle_writes(paddle_files: Path, tmp_path: Path) -> None:
    original = opened(paddle_files / "net.pdmodel", signature={"kind": "two-class"})
    given = np.load(paddle_files / "given.npy")[0, 1]
    assert np.ptp(given) > 0.1
    assert matte(converted(original, tmp_path), photo()) == pytest.approx(given, abs=CLOSE)
    assert original.session()(photo()) == pytest.approx(given, abs=CLOSE)


def test_a_model_within_a_wheel(tmp_path: Path) -> None:
    inner = save_two_class(tmp_path / "net.onnx")
    wheel = tmp_path / "package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(inner, "package/models/net.onnx")
    how = {"signature": {"kind": "two-class"}}
    packed = opened(wheel, inside="package/models/net.onnx", **how)
    assert np.array_equal(packed.session()(photo()), opened(inner, **how).session()(photo()))
    with pytest.raises(ModelError, match=r"holds no 'elsewhere\.onnx'"):
        opened(wheel, inside="elsewhere.onnx")


@pytest.mark.parametrize("missing", ["onnxruntime", "ai_edge_litert"])
def test_without_its_own_program_the_graph_as_read_is_the_original(
    missing: str, keras_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtimes, "find_spec", lambda name: None if name == missing else name)
    if missing == "onnxruntime":
        original = opened(save_two_class(tmp_path / "n.onnx"), signature={"kind": "two-class"})
    else:
        original = opened(keras_files / "net.tflite", **keras_table())
    assert original.runtime == "OpenVINO, as read"
    refuse(compare(original, converted(original, tmp_path), [photo()]), CLOSE)


def test_what_onnxruntime_refuses_openvino_may_still_run(tmp_path: Path) -> None:
    """A newer ONNX than onnxruntime knows, for one."""
    source = save_two_class(tmp_path / "net.onnx", newer=True)
    assert opened(source, signature={"kind": "two-class"}).runtime == "OpenVINO, as read"


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


# What cannot be


def test_an_ir_that_drifts_from_its_original_is_refused(tmp_path: Path) -> None:
    source = save_two_class(tmp_path / "net.onnx")
    right = opened(source, signature={"kind": "two-class"})
    wrong = opened(source, signature={"kind": "two-class", "colour": "BGR"})
    with pytest.raises(ModelError, match="drifts by"):
        refuse(compare(right, converted(wrong, tmp_path), [photo()]), LIMIT_FP16)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("net.onnx", None, "no model"),
        ("net.onnx", b"nonsense", "OpenVINO cannot read"),
        ("net.tflite", b"nonsense", "OpenVINO cannot read"),
        ("net.pdmodel", b"nonsense", "no weights .*net.pdiparams"),
        ("net.json", b"{}", "Paddle's newer format"),
        ("net.whl", b"nonsense", "is no archive"),
        ("net.bin", b"nonsense", "no model that Scrim converts"),
        ("folder", "", "no model that Scrim converts"),
    ],
)
def test_files_that_are_no_models(
    name: str, content: bytes | str | None, complaint: str, tmp_path: Path
) -> None:
    source = tmp_path / name
    if isinstance(content, bytes):
        source.write_bytes(content)
    elif content is not None:
        source.mkdir()
    with pytest.raises(ModelError, match=complaint) as refusal:
        opened(source)
    assert refusal.value.hint
    assert isinstance(refusal.value, ModelNotFound) == (content is None or name == "net.pdmodel")


def test_what_keras_refuses_is_told_in_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras itself takes its time to refuse; here a stand-in does."""
    (tmp_path / "net.keras").write_bytes(b"nonsense")
    monkeypatch.setattr(keras_export, "find_spec", lambda name: name)
    monkeypatch.setattr(keras_export, "EXPORT", "raise ValueError('no such layer: Odd')")
    with pytest.raises(ModelError, match=r"cannot load .*: ValueError: no such layer: Odd"):
        opened(tmp_path / "net.keras")


def test_without_tensorflow_the_hint_is_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.keras").write_bytes(b"")
    monkeypatch.setattr(keras_export, "find_spec", lambda name: None)
    with pytest.raises(ModelError) as refusal:
        opened(tmp_path / "net.keras")
    assert refusal.value.hint == "pip install 'scrim[keras]'"


def test_an_operation_that_openvino_lacks_is_named(keras_files: Path) -> None:
    with pytest.raises(ModelError, match="Convolution2DTransposeBias") as refusal:
        opened(keras_files / "custom.tflite", **keras_table())
    assert "custom_nodes" in refusal.value.hint


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"signature": {"input": "image"}}, "no input 'image'.*its inputs: data .1,3,36,64"),
        ({"signature": {"output": "alpha"}}, "no output 'alpha'.*its outputs: given .1,2,36,64"),
        ({"signature": {"output": 1}}, "no output 1"),
        ({"signature": {"constants": {"ratio": 1}}}, "no input 'ratio'"),
        ({"memory": [["old", "new"]]}, "no input 'old'"),
        ({"signature": {"kind": "alpha"}}, "given .1,2,36,64. is no NCHW matte .*channels: 1"),
        ({"signature": {"layout": "NHWC"}}, "input data .1,3,36,64. is not NHWC .1,36,64,3"),
        ({"sizes": [[128, 72]]}, r"input data .1,3,36,64. is not NCHW .1,3,72,128"),
    ],
)
def test_a_card_at_odds_with_its_graph(
    changes: dict[str, object], complaint: str, tmp_path: Path
) -> None:
    source = save_two_class(tmp_path / "net.onnx")
    with pytest.raises(ModelContract) as refusal:
        converted(opened(source, **changes), tmp_path)
    assert re.search(complaint, str(refusal.value))


def test_an_input_that_nothing_names(tmp_path: Path) -> None:
    source = save_rvm(tmp_path / "net.onnx")
    with pytest.raises(ModelContract, match="nothing is said of the input r1i"):
        opened(source, signature={"input": "src", "output": "pha", "kind": "alpha"})


def test_a_matte_of_another_size_than_the_picture(tmp_path: Path) -> None:
    nodes = [helper.make_node("Conv", ["data", "weights"], ["given"], strides=[2, 2])]
    shapes = {"data": [1, 3, HEIGHT, WIDTH]}, {"given": [1, 1, HEIGHT // 2, WIDTH // 2]}
    held = {"weights": WEIGHTS[:1].reshape(1, 3, 1, 1)}
    source = save_onnx(tmp_path / "net.onnx", nodes, *shapes, held)
    with pytest.raises(ModelContract, match=r"given .1,1,18,32. is no NCHW matte of 64x36"):
        converted(opened(source, signature={"kind": "alpha"}), tmp_path)


# Tables of one's own


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
        (TABLE + "colour = 'RGB'", "mine.colour: Extra inputs are not permitted"),
        (TABLE + "signature = { color = 'RGB' }", "mine.signature.color: Extra.*keys: input"),
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
