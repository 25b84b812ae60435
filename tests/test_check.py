"""Original against IR where the IR remembers, or fails."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op

from conversion.check import LIMIT_FP16, compare, refuse
from conversion.pictures import draw
from conversion.read import Matte, Original
from realtime.contract import ALPHA, IMAGE, Card
from realtime.errors import ModelError
from realtime.frame import Alpha, Bytes
from tests.toy import SIZE, toy_card

PAIRS = (("seen", "seen_next"),)


def save_ir(
    path: Path,
    card: Card,
    *,
    drift: float = 0.0,
    divisor: float = 255.0,
    share: float = 0.5,
    reads: bool = True,
) -> Path:
    """alpha = blue / divisor + drift; with a memory, `share` of it adds to the next alpha.

    Without `reads` the memory is taken and never looked at.
    """
    width, height = SIZE
    image = op.parameter([1, height, width, 3], ov.Type.u8, name=IMAGE)
    nchw = op.transpose(op.convert(image, "f32"), op.constant(np.array([0, 3, 1, 2])))
    blue = op.gather(nchw, op.constant(np.array([0])), op.constant(1))
    alpha = op.add(op.divide(blue, np.float32(divisor)), op.constant(np.float32(drift)))
    inputs, named = [image], [(image, IMAGE)]
    if card.memory:
        seen = op.parameter([1, 1, height, width], ov.Type.f32, name="seen")
        alpha = op.add(alpha, seen) if reads else alpha
        after = op.multiply(alpha, op.constant(np.float32(share)))
        inputs, named = [image, seen], [*named, (seen, "seen"), (after, "seen_next")]
    for node, name in (*named, (alpha, ALPHA)):
        node.output(0).set_names({name})
    outputs = [alpha, after] if card.memory else [alpha]
    model = ov.Model(outputs, inputs, "toy")
    card.write_to(model)
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def blue_share(bgr: Bytes) -> Alpha:
    return np.divide(bgr[..., 0], 255, dtype=np.float32)


def remembering() -> Matte:
    """Begin a stream of what `save_ir` means by a memory."""
    seen: list[Alpha] = []

    def alpha(bgr: Bytes) -> Alpha:
        now = blue_share(bgr) + (seen[-1] / 2 if seen else 0)
        seen.append(now)
        return np.clip(now, 0, 1)

    return alpha


def original(card: Card) -> Original:
    session = remembering if card.memory else lambda: blue_share
    return Original(ov.Model([], [], "unused"), card, session)


def grey(*levels: int) -> list[Bytes]:
    """Pictures so dark that what is remembered of them adds up to less than 1."""
    return [np.full((SIZE[1], SIZE[0], 3), level, np.uint8) for level in levels]


def test_memory_runs_on_from_picture_to_picture_on_both_sides(tmp_path: Path) -> None:
    card = toy_card(memory=PAIRS)
    ir = save_ir(tmp_path / "good.xml", card)
    drifts = compare(original(card), ir, grey(90, 30, 60))
    refuse(drifts, 1e-4)
    assert compare(original(card), ir, grey(90, 30, 60))[0].coverage == drifts[0].coverage
    alone = [compare(original(card), ir, [one])[0].coverage for one in grey(90, 30, 60)]
    assert drifts[0].coverage > np.mean(alone) + 0.02, "each saw more than itself"


@pytest.mark.parametrize("loss", [{"share": 0.0}, {"share": 0.4}, {"reads": False}])
def test_an_ir_that_loses_its_memory_is_refused(
    loss: dict[str, float | bool], tmp_path: Path
) -> None:
    card = toy_card(memory=PAIRS)
    lost = save_ir(tmp_path / "lost.xml", card, **loss)
    with pytest.raises(ModelError, match="drifts by"):
        refuse(compare(original(card), lost, grey(90, 30, 60, 40)), LIMIT_FP16)


@pytest.mark.parametrize("memory", [(), PAIRS])
def test_an_ir_that_drifts_is_refused(memory: tuple[tuple[str, str], ...], tmp_path: Path) -> None:
    card = toy_card(memory=memory)
    off = save_ir(tmp_path / "off.xml", card, drift=0.02)
    with pytest.raises(ModelError, match=r"drifts by 0\.0[2-4]"):
        refuse(compare(original(card), off, grey(90, 30)), LIMIT_FP16)


def test_an_ir_that_gives_no_numbers_is_refused(tmp_path: Path) -> None:
    ir = save_ir(tmp_path / "nan.xml", toy_card(), divisor=0.0)
    with pytest.raises(ModelError, match=r"the IR fails on a picture: .* no numbers"):
        compare(original(toy_card()), ir, draw(1))
