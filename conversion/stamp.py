"""Stamp a graph: colour, scale and soft-max go inside, the card goes into `rt_info`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as op
from openvino.preprocess import ColorFormat, PrePostProcessor

from realtime.contract import ALPHA, IMAGE, Card
from realtime.errors import ModelError

LARGE = 4096
"""Values from which a weight is worth storing in FP16; the many small ones are 10 % of a file."""


def stamp(graph: ov.Model, card: Card) -> ov.Model:
    """Return the graph as the engine wants it, with its card; the given graph is used up.

    From RGB float32 (1, 3, H, W) in 0..1 -> logits to `image`, BGR uint8 (1, H, W, 3) ->
    `alpha`, float32 (1, 1, H, W) in 0..1. Memory pairs named by the card stay as they are.
    Raises `ModelContract` when the result does not keep what the card promises.
    """
    remembered = {name for pair in card.memory for name in pair}
    image = _first_other(graph.inputs, remembered)
    logits = _first_other(graph.outputs, remembered)
    processor = PrePostProcessor(graph)
    picture = processor.input(image)
    picture.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    picture.tensor().set_color_format(ColorFormat.BGR)
    picture.model().set_layout(ov.Layout("NCHW"))
    picture.preprocess().convert_element_type(ov.Type.f32).convert_color(ColorFormat.RGB)
    picture.preprocess().scale(255.0)
    processor.output(logits).postprocess().custom(lambda port: op.sigmoid(port).output(0))
    stamped = processor.build()
    stamped.inputs[image].set_names({IMAGE})
    stamped.outputs[logits].set_names({ALPHA})
    card.write_to(stamped)
    card.hold(stamped, card.name)
    return stamped


def _first_other(ports: list[ov.Output], names: set[str]) -> int:
    return next(index for index, port in enumerate(ports) if not port.get_names() & names)


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
        raise ModelError(f"cannot save {path}: {str(error).splitlines()[0]}") from error


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
