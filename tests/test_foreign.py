"""Models of others: a table, a file of any kind, and an IR that says the same."""

from __future__ import annotations

import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from conversion import runtimes
from conversion.check import compare, refuse
from realtime.contract import CLASSES
from realtime.errors import ModelError
from tests.converting import CLOSE, converted, matte, opened, sigmoid
from tests.foreign import (
    KERAS,
    PADDLE,
    WEIGHTS,
    photo,
    save_modnet,
    save_two_class,
    write_elsewhere,
)


def logits(bgr: np.ndarray, order: list[int], mean: object = 0, scale: object = 255) -> np.ndarray:
    """What the two 1x1 channels of `tests/foreign.py` give, computed here: (2, H, W)."""
    return np.einsum("kc,hwc->khw", WEIGHTS, (bgr[..., order] - np.array(mean)) / np.array(scale))


@pytest.fixture(scope="module")
def keras_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with one Keras network as .keras, .h5, SavedModel and three kinds of .tflite."""
    if not find_spec("tensorflow"):
        pytest.skip("TensorFlow is not installed: pip install -e '.[keras]'")
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


def test_an_operation_that_openvino_lacks_is_named(keras_files: Path) -> None:
    with pytest.raises(ModelError, match="Convolution2DTransposeBias") as refusal:
        opened(keras_files / "custom.tflite", **keras_table())
    assert "custom_nodes" in refusal.value.hint
