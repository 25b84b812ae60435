"""From what a graph gives to what Scrim takes: `alpha`, and `classes` of a network of many."""

from __future__ import annotations

import numpy as np
import openvino as ov
from openvino import opset13 as op

from conversion import ports
from conversion.cards import Signature
from conversion.nodes import NHWC_TO_NCHW, turned
from realtime.contract import ALPHA, CLASSES, Card
from realtime.errors import ModelContract


def head(port: ov.Output, signature: Signature, card: Card) -> list[ov.Output]:
    """Return alpha, float32 (1, 1, H, W), and for a card with classes their numbers.

    Raises `ModelContract` when the tensor is no picture or has not the channels of its kind.
    """
    channels = _channels(port, signature, card)
    outputs = [_named(_alpha(channels, signature, card), ALPHA)]
    if card.classes:
        outputs.append(_named(_most_likely(channels), CLASSES))
    return outputs


def _alpha(channels: ov.Output, signature: Signature, card: Card) -> ov.Output:
    if card.classes:
        background = _channel(op.softmax(channels, 1).output(0), 0)
        return op.subtract(op.constant(np.float32(1)), background).output(0)
    if signature.kind == "logits":
        return op.sigmoid(channels).output(0)
    if signature.kind == "two-class-logits":
        channels = op.softmax(channels, 1).output(0)
    return channels if signature.kind == "alpha" else _channel(channels, signature.channel)


def _channels(port: ov.Output, signature: Signature, card: Card) -> ov.Output:
    """Return a tensor as float32 (1, channels, H, W)."""
    wanted = len(card.classes) or (2 if signature.kind.startswith("two-class") else 1)
    rank = len(port.get_partial_shape()) if port.get_partial_shape().rank.is_static else 0
    values = op.convert(port, "f32").output(0) if port.get_element_type() != ov.Type.f32 else port
    if rank == 4 and signature.layout == "NHWC":
        values = turned(values, NHWC_TO_NCHW)
    elif rank == 3 and wanted == 1:
        values = op.unsqueeze(values, op.constant(1)).output(0)
    elif rank == 2 and len(card.sizes) == 1:
        values = _unrolled(values, wanted, card)
    shape = values.get_partial_shape()
    for width, height in card.sizes:
        if not shape.compatible(ov.PartialShape([1, wanted, height, width])):
            raise _misfit(port, signature, card, wanted)
    return values


def _unrolled(values: ov.Output, channels: int, card: Card) -> ov.Output:
    """Return a row of numbers as a picture; one of another length stays as it is."""
    width, height = card.sizes[0]
    if not values.get_partial_shape().compatible(ov.PartialShape([1, channels * height * width])):
        return values
    shape = op.constant(np.array([1, channels, height, width]))
    return op.reshape(values, shape, False).output(0)


def _misfit(port: ov.Output, signature: Signature, card: Card, wanted: int) -> ModelContract:
    width, height = card.sizes[0]
    kind = f"{len(card.classes)} classes" if card.classes else repr(signature.kind)
    return ModelContract(
        f"the output {ports.describe(port)} is no {signature.layout} matte of {width}x{height}",
        f"{kind} wants channels: {wanted}; correct the card's `kind` or choose another `output`",
    )


def _channel(channels: ov.Output, number: int) -> ov.Output:
    return op.gather(channels, op.constant([number]), op.constant(1)).output(0)


def _most_likely(channels: ov.Output) -> ov.Output:
    top = op.topk(channels, op.constant(1), 1, "max", "none", "i32").output(1)
    return op.convert(op.squeeze(top, op.constant(1)), "u8").output(0)


def _named(port: ov.Output, name: str) -> ov.Output:
    port.set_names({name})
    return port
