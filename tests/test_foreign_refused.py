"""Models of others that cannot be: no models, at odds with their cards, or not themselves."""

from __future__ import annotations

import re
from pathlib import Path

import onnx
import pytest
from onnx import helper

from conversion import keras_export
from conversion.check import LIMIT_FP16, compare, refuse
from realtime.door import how_to_install
from realtime.errors import ModelContract, ModelError, ModelNotFound
from tests.converting import converted, opened
from tests.foreign import HEIGHT, WEIGHTS, WIDTH, photo, save_onnx, save_rvm, save_two_class


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


def test_weights_that_lie_apart_and_are_gone_are_named(tmp_path: Path) -> None:
    net = onnx.load(save_two_class(tmp_path / "net.onnx"))
    apart = {"save_as_external_data": True, "location": "net.data", "size_threshold": 0}
    onnx.save(net, tmp_path / "apart.onnx", **apart)
    assert opened(tmp_path / "apart.onnx", signature={"kind": "two-class"})
    (tmp_path / "net.data").unlink()
    with pytest.raises(ModelError, match=r"net\.data") as refusal:
        opened(tmp_path / "apart.onnx")
    assert "weights beside it" in refusal.value.hint


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
    assert refusal.value.hint == how_to_install("keras")


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
