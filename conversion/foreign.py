"""Read a model of others by its table: ONNX, TensorFlow Lite, SavedModel, Keras and Paddle.

OpenVINO's own front ends read the files; nothing here knows a model.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openvino as ov

from conversion import keras_export, nodes, picture, ports, runtimes
from conversion.cards import Foreign, Signature
from conversion.fit import filled, fit
from conversion.read import Matte, Original
from realtime.contract import Card
from realtime.errors import ModelError, ModelNotFound
from realtime.frame import Alpha, Bytes
from realtime.matting.session import reason

FILES = (".onnx", ".tflite", ".pdmodel")
KERAS = (".keras", ".h5")
ARCHIVES = (".whl", ".zip")


def read(source: Path, table: Foreign, card: Card) -> Original:
    """Read a foreign model and start its original.

    Raises `ModelNotFound` without a file, `ModelError` for one that cannot be read, and
    `ModelContract` when the table contradicts the graph.
    """
    if not os.path.exists(source):
        raise ModelNotFound(f"no model {source}", f"to be had from: {table.get}")
    with _readable(source, table.inside) as path:
        extensions = [nodes.extension(name) for name in table.custom_nodes]
        raw = _raw(path, extensions)
        # Unlike reading, converting simplifies the graph: it folds batch-norms, for one.
        graph = ov.convert_model(path, extension=extensions or None)
        fit(graph, table.signature, card)
        runtime = runtimes.start(path, raw)
    session = _original(runtime.run, raw, graph, table.signature, card)
    fitted = table.signature.model_copy(update={"constants": {}})
    return Original(graph, card, session, fitted, runtime.name, table.budget)


@contextmanager
def _readable(source: Path, inside: str) -> Iterator[Path]:
    """Give the path of what OpenVINO reads: taken out of an archive, exported by Keras."""
    with tempfile.TemporaryDirectory(prefix="scrim-") as scratch:
        path = _unpacked(source, inside, Path(scratch)) if source.suffix in ARCHIVES else source
        yield keras_export.saved_model(path, Path(scratch)) if path.suffix in KERAS else path


def _unpacked(source: Path, inside: str, folder: Path) -> Path:
    try:
        with zipfile.ZipFile(source) as archive:
            return Path(archive.extract(inside, folder))
    except zipfile.BadZipFile as error:
        raise ModelError(f"{source} is no archive: {error}", "download it again") from error
    except KeyError as error:
        raise ModelError(
            f"{source} holds no {inside!r}",
            "the card's key `inside` says where in the archive the model lies",
        ) from error


def _raw(path: Path, extensions: list[Any]) -> ov.Model:
    _check(path)
    core = ov.Core()
    for extension in extensions:
        core.add_extension(extension)
    try:
        return core.read_model(path)
    except RuntimeError as error:
        raise ModelError(
            f"OpenVINO cannot read {path}: {reason(error)}",
            "is the file whole, with its weights beside it where they lie apart? An operation that "
            "OpenVINO lacks needs the card's `custom_nodes`",
        ) from error


def _check(path: Path) -> None:
    """Raise `ModelError` for what is no model by its name."""
    if path.suffix == ".json":
        raise ModelError(
            f"OpenVINO does not read Paddle's newer format: {path}",
            "save again as .pdmodel: FLAGS_enable_pir_api=0 in the environment of paddle.jit.save",
        )
    weights = path.with_suffix(".pdiparams")
    if path.suffix == ".pdmodel" and not weights.is_file():
        raise ModelNotFound(f"no weights {weights}", "a .pdmodel needs them beside it")
    if path.suffix not in FILES and not (path / "saved_model.pb").is_file():
        known = ", ".join((*FILES, *KERAS, "a SavedModel's folder", "a checkpoint of ours (.pt)"))
        raise ModelError(f"{path} is no model that Scrim converts", f"known: {known}")


def _original(
    run: runtimes.Run, raw: ov.Model, fitted: ov.Model, signature: Signature, card: Card
) -> Callable[[], Matte]:
    """Return how to begin a stream of the original."""
    at, given = ports.image(raw, signature, card), ports.matte(raw, signature, card)
    dtype = raw.inputs[at].get_element_type().to_dtype()
    remembered = ports.memory(raw, card)
    values = {name: filled(raw.input(name), value) for name, value in signature.constants.items()}
    values |= {name: filled(fitted.input(name), 0) for name, _ in card.memory}
    begin = {
        place: values[name]
        for place, port in enumerate(raw.inputs)
        for name in port.get_names() & values.keys()
    }

    def session() -> Matte:
        feed = begin.copy()

        def alpha(bgr: Bytes) -> Alpha:
            feed[at] = picture.feed(bgr, signature).astype(dtype)
            outputs = run([feed[place] for place in range(len(raw.inputs))])
            for source, target in remembered:
                feed[source] = outputs[target]
            return picture.matte(outputs[given], signature, card, bgr.shape[:2])

        return alpha

    return session
