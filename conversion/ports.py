"""Find the tensors that a signature means among a graph's inputs and outputs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import openvino as ov

from conversion.cards import Signature
from realtime.contract import Card
from realtime.errors import ModelContract


def image(graph: ov.Model, signature: Signature, card: Card) -> int:
    """Return the place of the picture among the inputs. Raises `ModelContract`."""
    others = {*signature.constants, *(source for source, _ in card.memory)}
    return _place(graph.inputs, "input", signature.input, others)


def matte(graph: ov.Model, signature: Signature, card: Card) -> int:
    """Return the place of the matte among the outputs. Raises `ModelContract`."""
    others = {target for _, target in card.memory}
    return _place(graph.outputs, "output", signature.output, others)


def memory(graph: ov.Model, card: Card) -> list[tuple[int, int]]:
    """Return the places of the memory among inputs and outputs. Raises `ModelContract`."""
    return [
        (_place(graph.inputs, "input", source), _place(graph.outputs, "output", target))
        for source, target in card.memory
    ]


def check(graph: ov.Model, signature: Signature, card: Card) -> None:
    """Raise `ModelContract` unless every tensor named is there and every input is named."""
    chosen = image(graph, signature, card)
    matte(graph, signature, card)
    memory(graph, card)
    for name in signature.constants:
        _place(graph.inputs, "input", name)
    inputs = {*signature.constants, *(source for source, _ in card.memory)}
    for place, port in enumerate(graph.inputs):
        if place != chosen and not port.get_names() & inputs:
            raise ModelContract(
                f"nothing is said of the input {describe(port)}",
                "name it in the card's `memory` or `constants`",
            )


def describe(port: ov.Output) -> str:
    """Return a tensor's name and shape in words."""
    return f"{'/'.join(sorted(port.get_names())) or 'without name'} {port.get_partial_shape()}"


def _place(
    ports: Sequence[ov.Output], what: str, tensor: str | int, others: Collection[str] = ()
) -> int:
    if isinstance(tensor, str):
        found = [place for place, port in enumerate(ports) if tensor in port.get_names()]
    else:
        free = [place for place, port in enumerate(ports) if not port.get_names() & set(others)]
        found = free[tensor : tensor + 1]
    if not found:
        known = "; ".join(describe(port) for port in ports)
        raise ModelContract(f"the graph has no {what} {tensor!r}", f"its {what}s: {known}")
    return found[0]
