"""Real graphs of a few operations, for what a network may do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as op

from realtime.contract import ALPHA, CLASSES, IMAGE, Card
from realtime.frame import Bytes
from tests.toy import SIZE

WIDTH, HEIGHT = SIZE


def picture(green: int, red: int = 0, size: tuple[int, int] = SIZE) -> Bytes:
    return np.full((size[1], size[0], 3), (0, green, red), np.uint8)


def save_graph(
    path: Path, build: Callable[[ov.Node], list[ov.Node]], *, card: Card, memory: ov.Node | None
) -> Path:
    """Save image -> build(float image (1, h, w, 3)) -> [alpha, memory outputs...] with a card."""
    image = op.parameter([1, -1, -1, 3], ov.Type.u8, name=IMAGE)
    image.output(0).set_names({IMAGE})
    nodes = build(op.convert(image, "f32"))
    many = [CLASSES] if card.classes else []
    for node, name in zip(nodes, [ALPHA, *many, *(out for _, out in card.memory)], strict=True):
        node.output(0).set_names({name})
    model = ov.Model(nodes, [image] if memory is None else [image, memory], "toy")
    card.write_to(model)
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def first_channel(image: ov.Node) -> ov.Node:
    """Return blue / 255 as (1, 1, height, width)."""
    weights = op.constant(np.array([[1 / 255], [0.0], [0.0]], np.float32))
    blue = op.matmul(image, weights, False, False)
    return op.transpose(blue, op.constant(np.array([0, 3, 1, 2])))


def kinds(model: ov.Model) -> list[str]:
    return [node.get_type_name() for node in model.get_ops()]
