"""A real IR small enough for any test: the green share of a pixel is its alpha.

With a card of three classes, what is green is the second, and the third where it is blue too.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as op

from realtime.contract import ALPHA, CLASSES, IMAGE, Card

SIZE = (64, 36)


def toy_card(**changes: object) -> Card:
    values = {
        "name": "toy",
        "licence": "Apache-2.0",
        "origin": "built in a test",
        "sizes": (SIZE,),
    }
    return Card.model_validate(values | changes)


def toy_model(card: Card | None = None, bias: float = 0.0) -> ov.Model:
    """alpha = clamp((green - red) / 128, 0, 1) + bias: a green person before a red room."""
    card = card or toy_card()
    (width, height), *more = card.sizes
    shape = [1, -1, -1, 3] if more else [1, height, width, 3]
    image = op.parameter(shape, ov.Type.u8, name=IMAGE)
    bgr = op.convert(image, "f32")
    weights = op.constant(np.array([[0.0], [1 / 128], [-1 / 128]], np.float32))
    alpha = op.clamp(op.matmul(bgr, weights, False, False), 0.0, 1.0)
    alpha = op.add(alpha, op.constant(np.float32(bias)))
    alpha = op.transpose(alpha, op.constant(np.array([0, 3, 1, 2])))
    alpha.output(0).set_names({ALPHA})
    image.output(0).set_names({IMAGE})
    outputs = [alpha, _classes(bgr, alpha)] if card.classes else [alpha]
    model = ov.Model(outputs, [image], "toy")
    card.write_to(model)
    return model


def _classes(bgr: ov.Node, alpha: ov.Node) -> ov.Node:
    """0 where alpha is at most half, else 1, or 2 where blue is above half."""

    def above(node: ov.Node, level: float, axis: int) -> ov.Node:
        more = op.convert(op.greater(node, op.constant(np.float32(level))), "u8")
        return op.squeeze(more, op.constant(np.array([axis])))

    blue = op.gather(bgr, op.constant(np.array([0])), op.constant(3))
    one = op.constant(np.uint8(1))
    number = op.multiply(above(alpha, 0.5, 1), op.add(one, above(blue, 127, 3)))
    number.output(0).set_names({CLASSES})
    return number


def save_toy(path: Path, card: Card | None = None, bias: float = 0.0) -> Path:
    ov.save_model(toy_model(card, bias), path, compress_to_fp16=False)
    return path
