"""Stamp a graph: colour, scale and soft-max go inside, the card goes into `rt_info`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as op
from openvino.preprocess import ColorFormat, PrePostProcessor

from conversion import ports
from conversion.cards import OURS, Signature
from conversion.head import head
from realtime.contract import IMAGE, Card
from realtime.errors import ModelError

SHAPES = "DisableConstantFolding_0"

LARGE = 32768
"""Values from which a weight is worth storing in FP16: half of a file of ours. With those from
4,096 on, one matte of scrim-r in 940 moved by 0.014; so by less than 0.001."""


def stamp(graph: ov.Model, card: Card, signature: Signature = OURS) -> ov.Model:
    """Return the graph as the engine wants it, with its card; the given graph is used up.

    From what the signature says to `image`, BGR uint8 (1, H, W, 3) -> `alpha`, float32
    (1, 1, H, W) in 0..1, and `classes`, uint8 (1, H, W), where the card names some. Memory pairs
    of the card stay as they are, other outputs go. Raises `ModelContract` when the graph does not
    keep what card and signature promise.
    """
    ports.check(graph, signature, card)
    image = graph.inputs[ports.image(graph, signature, card)]
    matte = graph.outputs[ports.matte(graph, signature, card)].get_node().input_value(0)
    remembered = [graph.output(target).get_node().input_value(0) for _, target in card.memory]
    inputs = [image, *(graph.input(source) for source, _ in card.memory)]
    outputs = [*head(matte, signature, card), *remembered]
    processor = PrePostProcessor(ov.Model(outputs, [port.get_node() for port in inputs], card.name))
    _feed(processor.input(0), signature)
    stamped = _unmarked(processor.build())
    stamped.inputs[0].set_names({IMAGE})
    card.write_to(stamped)
    card.hold(stamped, card.name)
    return stamped


def _feed(picture: Any, signature: Signature) -> None:
    """Write into a graph how it takes its picture."""
    picture.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    picture.tensor().set_color_format(ColorFormat.BGR)
    picture.model().set_layout(ov.Layout(signature.layout))
    steps = picture.preprocess().convert_element_type(ov.Type.f32)
    if signature.colour == "RGB":
        steps.convert_color(ColorFormat.RGB)
    if any(signature.mean):
        steps.mean(list(signature.mean))
    steps.scale(list(signature.scale))


def _unmarked(graph: ov.Model) -> ov.Model:
    """Remove what the front end noted about its shapes, as saving would.

    With it, a graph compiled in memory was wrong (PP-HumanSeg: alpha off by 0.99), and the same
    graph saved and read again right; OpenVINO 2026.4.
    """
    for node in graph.get_ops():
        notes = node.get_rt_info()
        if SHAPES in [name for name, _ in notes.items()]:
            del notes[SHAPES]
    return graph


@contextmanager
def beside(folder: Path, name: str) -> Iterator[Path]:
    """Give a path to save an IR at; the files move into `folder` when the block ends well.

    A block that raises leaves nothing, and an older IR of that name as it was. Raises
    `ModelError` when the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as scratch:
            path = Path(scratch) / f"{name}.xml"
            yield path
            # The .xml comes last: it is what makes a model findable.
            for part in (path.with_suffix(".bin"), path):
                os.replace(part, folder / part.name)
    except OSError as error:
        raise ModelError(f"cannot write to {folder}: {error.strerror}", "try --out") from error


def save(model: ov.Model, path: Path) -> None:
    """Write .xml and .bin, large weights in FP16; the given model stays as it is.

    Raises `ModelError` when OpenVINO cannot write there.
    """
    try:
        ov.save_model(_halved(model), path, compress_to_fp16=False)
    except RuntimeError as error:
        said = f"cannot save {path}: {str(error).splitlines()[0]}"
        raise ModelError(said, "is there room, and may it be written to?") from error


def _halved(model: ov.Model) -> ov.Model:
    # OpenVINO's own compress_to_fp16 takes every weight. In the first blocks, where folded
    # batch-norms amplify, that alone moved mattes by 0.17; sparing small weights leaves 0.001.
    halved = model.clone()
    for node in halved.get_ops():
        if _is_large_weight(node):
            half = op.constant(node.data.astype(np.float16))
            node.output(0).replace(op.convert(half, "f32").output(0))
    return halved


def _is_large_weight(node: ov.Node) -> bool:
    is_weight = node.get_type_name() == "Constant" and node.get_element_type() == ov.Type.f32
    return is_weight and bool(node.data.size >= LARGE)
