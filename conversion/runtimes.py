"""The programs that a foreign model was made for, to compare its IR with."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import openvino.properties as props

Array = np.ndarray[Any, Any]
Run = Callable[[Sequence[Array]], Sequence[Array]]


@dataclass(frozen=True, slots=True)
class Runtime:
    """A program with the model loaded; `run` takes and gives arrays in the order of the graph."""

    name: str
    run: Run


def start(path: Path, graph: ov.Model) -> Runtime:
    """Load a model where it was made for, on one thread.

    Where that program is not installed or refuses the file, and for formats without one here,
    OpenVINO runs the graph as it was read: before simplifying, stamping and FP16.
    """
    run: Run | None = None
    if path.suffix == ".onnx" and find_spec("onnxruntime"):
        name, run = "onnxruntime", _onnxruntime(path)
    elif path.suffix == ".tflite" and find_spec("ai_edge_litert"):
        name, run = "LiteRT", _litert(path)
    return Runtime(name, run) if run else Runtime("OpenVINO, as read", _openvino(graph))


def _onnxruntime(path: Path) -> Run | None:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(os.fspath(path), options)
    except (errors.Fail, errors.InvalidGraph, errors.NotImplemented, errors.RuntimeException):
        return None
    names = [port.name for port in session.get_inputs()]
    return lambda feed: session.run(None, dict(zip(names, feed, strict=True)))


def _litert(path: Path) -> Run | None:
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(os.fspath(path), num_threads=1)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError):
        return None
    inputs = [port["index"] for port in interpreter.get_input_details()]
    outputs = [port["index"] for port in interpreter.get_output_details()]

    def run(feed: Sequence[Array]) -> Sequence[Array]:
        for index, array in zip(inputs, feed, strict=True):
            interpreter.resize_tensor_input(index, array.shape)
        interpreter.allocate_tensors()
        for index, array in zip(inputs, feed, strict=True):
            interpreter.set_tensor(index, array)
        interpreter.invoke()
        return [interpreter.get_tensor(index) for index in outputs]

    return run


def _openvino(graph: ov.Model) -> Run:
    exact = {props.hint.inference_precision(): ov.Type.f32, props.inference_num_threads(): 1}
    compiled = ov.Core().compile_model(graph, "CPU", exact)
    return lambda feed: list(compiled(list(feed)).values())
