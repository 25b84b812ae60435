"""Fit a foreign graph to its card: constants inside, sizes fixed, the memory's shapes found."""

from __future__ import annotations

import numpy as np
import openvino as ov
from openvino import opset13 as op

from conversion import ports
from conversion.cards import Signature
from conversion.read import sides
from conversion.runtimes import Array
from realtime.contract import Card
from realtime.errors import ModelContract

Shapes = dict[str | int, ov.PartialShape]


def fit(graph: ov.Model, signature: Signature, card: Card) -> None:
    """Change a graph to what the card says. Raises `ModelContract` when that cannot be."""
    ports.check(graph, signature, card)
    for name, value in signature.constants.items():
        parameter = graph.input(name).get_node()
        parameter.output(0).replace(op.constant(filled(graph.input(name), value)).output(0))
        graph.remove_parameter(parameter)
    place = ports.image(graph, signature, card)
    height, width = sides(card.sizes)
    nchw = signature.layout == "NCHW"
    shape = ov.PartialShape([1, 3, height, width] if nchw else [1, height, width, 3])
    told = f"the input {ports.describe(graph.inputs[place])} is not {signature.layout} {shape}"
    hint = "correct the card's `sizes` or `layout`, or choose the tensor with `input`"
    if not graph.inputs[place].get_partial_shape().compatible(shape):
        raise ModelContract(told, hint)
    try:
        graph.reshape({place: shape} | _remembered(graph, {place: shape}, card))
    except RuntimeError as error:
        raise ModelContract(told, hint) from error


def _remembered(graph: ov.Model, picture: Shapes, card: Card) -> Shapes:
    """Return the shapes of a recurrent network's memory at the picture's size.

    What comes out goes in again, so the outputs tell. Where these stay open until the inputs are
    known, the network broadcasts its first memory: it is tried with sides of 1.
    """
    if not card.memory:
        return {}
    tried = graph.clone()
    tried.reshape(picture)
    if any(tried.output(target).get_partial_shape().is_dynamic for _, target in card.memory):
        ones = {source: closed(tried.input(source)) for source, _ in card.memory}
        tried.reshape(picture | {name: ov.PartialShape(shape) for name, shape in ones.items()})
    shapes: Shapes = {}
    for source, target in card.memory:
        shapes[source] = tried.output(target).get_partial_shape()
        if shapes[source].is_dynamic:
            name = ports.describe(tried.output(target))
            raise ModelContract(f"the memory {name} has no fixed shape", "give the card one size")
    return shapes


def filled(port: ov.Output, value: float) -> Array:
    """Return an array for an input, of one value; open sides count 1."""
    return np.full(closed(port), value, port.get_element_type().to_dtype())


def closed(port: ov.Output) -> list[int]:
    """Return the shape of a tensor; open sides count 1."""
    shape = port.get_partial_shape()
    return [side.get_length() if side.is_static else 1 for side in shape]
