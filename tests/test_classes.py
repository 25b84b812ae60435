"""Step 2: networks that tell hair from skin, and their contract."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op

from realtime.contract import Size
from realtime.errors import FrameError, ModelContract
from realtime.matting.engine import MattingModel
from tests.graphs import HEIGHT, WIDTH, first_channel, picture, save_graph
from tests.toy import SIZE, toy_card

NAMES = ("background", "hair", "face")


def classes_ir(
    path: Path,
    names: tuple[str, ...] = NAMES,
    kind: str = "u8",
    change: Callable[[ov.Node], ov.Node] = lambda number: number,
    sizes: tuple[Size, ...] = (SIZE,),
) -> Path:
    """The blue level is the class; alpha is 1 wherever that is not 0."""

    def build(image: ov.Node) -> list[ov.Node]:
        blue = first_channel(image)
        number = op.round(op.multiply(blue, op.constant(np.float32(255))), "half_to_even")
        flat = op.squeeze(number, op.constant(np.array([1])))
        alpha = op.convert(op.greater(blue, op.constant(np.float32(0))), "f32")
        return [alpha, change(op.convert(flat, kind))]

    return save_graph(path, build, card=toy_card(classes=names, sizes=sizes), memory=None)


def test_a_network_of_many_classes_says_which_is_where(tmp_path: Path) -> None:
    session = MattingModel(classes_ir(tmp_path / "many.xml")).session()
    bgr = picture(0)
    bgr[:10, :, 0], bgr[10:20, :, 0] = 2, 1
    found = session.classes(bgr)
    assert found.dtype == np.uint8 and found.shape == (HEIGHT, WIDTH)
    assert (found[:10] == 2).all() and (found[10:20] == 1).all() and (found[20:] == 0).all()
    alpha = session.infer(bgr)
    assert (alpha[:20] == 1).all() and (alpha[20:] == 0).all()
    session.classes(picture(0))
    assert found.max() == 2, "a result is never written to again"


def test_a_network_without_classes_says_so(toy_ir: Path) -> None:
    with pytest.raises(ModelContract, match="person and room only"):
        MattingModel(toy_ir).session().classes(picture(0))


def test_a_class_without_a_name_is_a_frame_error(tmp_path: Path) -> None:
    bgr = picture(0)
    bgr[3, 5, 0] = 2
    with pytest.raises(FrameError, match="class 2 of 2"):
        MattingModel(classes_ir(tmp_path / "two.xml", NAMES[:2])).session().classes(bgr)


def test_classes_that_are_no_bytes_break_the_contract(tmp_path: Path) -> None:
    with pytest.raises(ModelContract, match="output 'classes' is i32, not u8"):
        MattingModel(classes_ir(tmp_path / "wide.xml", kind="i32"))


def turned(number: ov.Node, order: list[int]) -> ov.Node:
    return op.transpose(number, op.constant(np.array(order)))


@pytest.mark.parametrize(
    ("change", "shape"),
    [
        (lambda number: op.unsqueeze(number, op.constant(np.array([0]))), "[1,1,?,?]"),
        (lambda number: turned(number, [1, 2, 0]), "[?,?,1]"),
        (lambda number: op.reshape(number, op.constant(np.array([1, -1, 64])), False), "[1,?,64]"),
    ],
)
def test_classes_of_another_shape_break_the_contract(
    change: Callable[[ov.Node], ov.Node], shape: str, tmp_path: Path
) -> None:
    path = classes_ir(tmp_path / "odd.xml", change=change, sizes=(SIZE, (36, 64)))
    with pytest.raises(ModelContract, match=f"output 'classes' of shape {re.escape(shape)} is not"):
        MattingModel(path)


def test_classes_whose_shape_comes_out_wrong_are_a_frame_error(tmp_path: Path) -> None:
    """Height and width are open, so the contract cannot tell that they are exchanged."""
    path = classes_ir(tmp_path / "turned.xml", change=lambda number: turned(number, [0, 2, 1]))
    with pytest.raises(FrameError, match=r"classes of \(1, 64, 36\)"):
        MattingModel(path).session().classes(picture(0))
