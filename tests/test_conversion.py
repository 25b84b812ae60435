"""From a network to a stamped IR: the card, the sizes, the numbers, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import torch
from openvino import opset13 as op
from torch import nn

from conversion.check import LIMIT_FP16, compare, refuse
from conversion.pictures import draw
from conversion.read import Original, from_torch
from conversion.stamp import beside, save, stamp
from realtime.contract import ALPHA, CLASSES, IMAGE, Card
from realtime.errors import ModelContract, ModelError
from realtime.frame import Alpha, Bytes
from tests.converting import tiny
from tests.toy import save_toy, toy_card

SIZES = ((64, 36), (36, 64))


def original(sizes: tuple[tuple[int, int], ...] = SIZES) -> Original:
    return from_torch(tiny(), toy_card(name="tiny", sizes=sizes, figures={"iou": 0.5}))


def convert(folder: Path, network: Original) -> Path:
    with beside(folder, "tiny") as ir:
        save(stamp(network.graph, network.card), ir)
    return folder / "tiny.xml"


def test_the_ir_says_what_the_original_says_at_every_size(tmp_path: Path) -> None:
    network = original()
    drifts = compare(network, convert(tmp_path, network), draw(2))
    assert [drift.size for drift in drifts] == list(SIZES)
    assert all(drift.largest < 2e-3 for drift in drifts)
    assert all(0.05 < drift.coverage < 0.95 for drift in drifts)  # not saturated: 0 = 0 says little
    refuse(drifts, LIMIT_FP16)


def test_red_and_blue_are_not_exchanged(tmp_path: Path) -> None:
    only_red = nn.Conv2d(3, 1, 1)
    with torch.no_grad():
        only_red.weight[:] = torch.tensor([8.0, 0.0, 0.0]).view(1, 3, 1, 1)
        only_red.bias[:] = -4.0
    network = from_torch(only_red.eval(), toy_card())
    ir = ov.Core().compile_model(convert(tmp_path, network), "CPU")
    bgr = np.zeros((1, 36, 64, 3), np.uint8)
    bgr[..., 32:, 2] = 255
    alpha = ir(bgr)[ALPHA][0, 0]
    assert alpha[:, :32].max() < 0.05
    assert alpha[:, 32:].min() > 0.95


def test_the_card_survives_and_holds(tmp_path: Path) -> None:
    network = original()
    saved = ov.Core().read_model(convert(tmp_path, network))
    assert Card.of(saved, "tiny") == network.card
    network.card.hold(saved, "tiny")


def test_one_size_gives_a_graph_of_fixed_shape() -> None:
    network = original(SIZES[:1])
    stamped = stamp(network.graph, network.card)
    assert stamped.input(IMAGE).get_partial_shape() == ov.PartialShape([1, 36, 64, 3])
    assert stamped.output(ALPHA).get_partial_shape() == ov.PartialShape([1, 1, 36, 64])


def test_many_classes_give_what_is_no_background_and_the_most_likely(tmp_path: Path) -> None:
    """Channels are colours: black is background, red and blue are two parts of a person."""
    colours = nn.Conv2d(3, 3, 1)
    with torch.no_grad():
        colours.weight[:] = torch.tensor([[0.0, 0, 0], [9, 0, 0], [0, 0, 9]]).view(3, 3, 1, 1)
        colours.bias[:] = torch.tensor([3.0, 0, 0])
    network = from_torch(colours.eval(), toy_card(classes=("background", "hair", "dress")))
    ir = convert(tmp_path, network)
    bgr = np.zeros((36, 64, 3), np.uint8)
    bgr[:, 20:40, 2] = 255
    bgr[:, 40:, 0] = 255
    given = ov.Core().compile_model(ir, "CPU")(bgr[None])
    assert given[CLASSES].shape == (1, 36, 64)
    assert given[CLASSES].dtype == np.uint8
    assert given[CLASSES][0, 0].tolist() == [0] * 20 + [1] * 20 + [2] * 24
    assert given[ALPHA].shape == (1, 1, 36, 64)
    exp = np.exp([3.0, 0, 0])
    assert given[ALPHA][0, 0, :, :20] == pytest.approx(1 - exp[0] / exp.sum(), abs=1e-5)
    assert given[ALPHA][0, 0, :, 20:].min() > 0.99
    refuse(compare(network, ir, [bgr]), 1e-5)


def test_other_channels_than_the_card_has_classes_are_refused() -> None:
    network = from_torch(nn.Conv2d(3, 4, 1).eval(), toy_card(classes=("background", "hair")))
    with pytest.raises(ModelContract, match="no NCHW matte") as refusal:
        stamp(network.graph, network.card)
    assert "2 classes wants channels: 2" in refusal.value.hint


def test_large_weights_are_stored_in_half_precision_and_small_ones_are_spared(
    tmp_path: Path,
) -> None:
    layers = nn.Sequential(nn.Conv2d(3, 64, 1), nn.Conv2d(64, 512, 1), nn.Conv2d(512, 1, 1))
    saved = ov.Core().read_model(convert(tmp_path, from_torch(layers.eval(), toy_card())))
    constants = [node for node in saved.get_ops() if node.get_type_name() == "Constant"]
    types = {node.data.size: node.get_element_type() for node in constants}
    assert types[64 * 512] == ov.Type.f16
    assert types[3 * 64] == ov.Type.f32


def test_memory_pairs_stay_as_they_are() -> None:
    rest = op.parameter([1, 1, 36, 64], ov.Type.f32, name="rest")
    src = op.parameter([1, 3, 36, 64], ov.Type.f32, name="src")
    logits = op.add(op.reduce_mean(src, op.constant([1]), True), rest)
    after = op.multiply(logits, op.constant(np.float32(0.5)))
    for node, name in ((rest, "rest"), (src, "src"), (logits, "logits"), (after, "after")):
        node.output(0).set_names({name})
    graph = ov.Model([after, logits], [rest, src], "recurrent")
    stamped = stamp(graph, toy_card(memory=(("rest", "after"),)))
    assert stamped.input("rest").get_element_type() == ov.Type.f32
    image = np.full((1, 36, 64, 3), 255, np.uint8)
    out = ov.compile_model(stamped, "CPU")({IMAGE: image, "rest": np.ones((1, 1, 36, 64), "f4")})
    assert out["after"] == pytest.approx(1.0)
    assert out[ALPHA] == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_a_graph_that_breaks_its_card_is_not_stamped() -> None:
    network = original(SIZES[:1])
    with pytest.raises(ModelContract, match="no NCHW matte of 128x72"):
        stamp(network.graph, toy_card(sizes=((128, 72),)))


def test_an_operation_unknown_to_openvino_is_one_clear_error() -> None:
    class Odd(nn.Module):
        def forward(self, src: torch.Tensor) -> torch.Tensor:
            return torch.special.bessel_j0(src[:, :1])

    with pytest.raises(ModelError, match=r"No conversion rule.*bessel_j0"):
        from_torch(Odd().eval(), toy_card())


def test_an_ir_that_drifts_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    network = original()
    stranger = replace(network, session=from_torch(tiny(seed=1), network.card).session)
    with pytest.raises(ModelError, match="drifts by"), beside(tmp_path, "tiny") as ir:
        save(stamp(network.graph, network.card), ir)
        refuse(compare(stranger, ir, draw(1)), LIMIT_FP16)
    assert list(tmp_path.iterdir()) == []


def test_a_matte_of_nan_at_one_size_is_refused(tmp_path: Path) -> None:
    network = original()
    matte = network.session()

    def alpha(bgr: Bytes) -> Alpha:
        tall = bgr.shape[0] > bgr.shape[1]
        return np.full(bgr.shape[:2], np.nan, np.float32) if tall else matte(bgr)

    drifts = compare(replace(network, session=lambda: alpha), convert(tmp_path, network), draw(1))
    with pytest.raises(ModelError, match="drifts by nan from the original at 36x64"):
        refuse(drifts, LIMIT_FP16)


def test_a_failure_keeps_the_older_ir(tmp_path: Path) -> None:
    older = save_toy(tmp_path / "tiny.xml").read_bytes()
    with pytest.raises(ModelError), beside(tmp_path, "tiny") as ir:
        save(stamp((network := original()).graph, network.card), ir)
        raise ModelError("changed our mind")
    assert (tmp_path / "tiny.xml").read_bytes() == older
    assert sorted(file.name for file in tmp_path.iterdir()) == ["tiny.bin", "tiny.xml"]


def test_a_folder_that_is_a_file_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ModelError, match="cannot write to"), beside(tmp_path / "taken", "tiny"):
        pass


def test_openvino_cannot_save_into_nowhere(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    network = original()
    with pytest.raises(ModelError, match="cannot save"):
        save(stamp(network.graph, network.card), tmp_path / "taken" / "tiny.xml")


def test_nothing_calls_home() -> None:
    script = (
        "import conversion.read, openvino, sys;"
        "from openvino.tools.ovc import convert_impl;"
        "print(convert_impl.tm.__name__, 'openvino_telemetry.main' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["openvino.tools.ovc.telemetry_stub", "False"]
