"""Original against IR where the IR remembers, or fails."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op

from conversion.check import LIMIT_FP16, compare, refuse
from conversion.pictures import draw
from conversion.read import Original
from realtime.contract import ALPHA, IMAGE, Card
from realtime.errors import ModelError
from realtime.frame import Alpha, Bytes
from tests.toy import SIZE, toy_card

PAIRS = (("seen", "seen_next"),)


def blue_share(bgr: Bytes) -> Alpha:
    return np.divide(bgr[..., 0], 255, dtype=np.float32)


def save_ir(path: Path, card: Card, *, drift: float = 0.0, divisor: float = 255.0) -> Path:
    """alpha = blue / divisor + drift; a memory of half of that adds to the next alpha."""
    width, height = SIZE
    image = op.parameter([1, height, width, 3], ov.Type.u8, name=IMAGE)
    nchw = op.transpose(op.convert(image, "f32"), op.constant(np.array([0, 3, 1, 2])))
    blue = op.gather(nchw, op.constant(np.array([0])), op.constant(1))
    alpha = op.add(op.divide(blue, np.float32(divisor)), op.constant(np.float32(drift)))
    inputs, named = [image], [(image, IMAGE)]
    if card.memory:
        seen = op.parameter([1, 1, height, width], ov.Type.f32, name="seen")
        alpha = op.add(alpha, seen)
        after = op.multiply(alpha, op.constant(np.float32(0.5)))
        inputs, named = [image, seen], [*named, (seen, "seen"), (after, "seen_next")]
    for node, name in (*named, (alpha, ALPHA)):
        node.output(0).set_names({name})
    outputs = [alpha, after] if card.memory else [alpha]
    model = ov.Model(outputs, inputs, "toy")
    card.write_to(model)
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def original(card: Card) -> Original:
    return Original(ov.Model([], [], "unused"), card, blue_share)


def test_a_network_with_a_memory_begins_anew_with_every_picture(tmp_path: Path) -> None:
    """Otherwise what it remembers of one picture would count as drift at the next."""
    card = toy_card(memory=PAIRS)
    good, off = (save_ir(tmp_path / f"{d}.xml", card, drift=d) for d in (0.0, 0.02))
    drifts = compare(original(card), good, draw(3))
    assert drifts[0].coverage > 0.1 and drifts[0].largest < 1e-4
    refuse(drifts, LIMIT_FP16)
    with pytest.raises(ModelError, match=r"drifts by 0\.02"):
        refuse(compare(original(card), off, draw(3)), LIMIT_FP16)


def test_an_ir_that_gives_no_numbers_is_refused(tmp_path: Path) -> None:
    ir = save_ir(tmp_path / "nan.xml", toy_card(), divisor=0.0)
    with pytest.raises(ModelError, match=r"the IR fails on a picture: .* no numbers"):
        compare(original(toy_card()), ir, draw(1))
