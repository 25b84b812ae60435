"""Step 2 of 9: a network and its OpenVINO runtime.

Nothing here knows a network by name: sizes and memory come from the card inside the IR. Compiling
is shared by all streams, inference requests and recurrent memory belong to one `MattingSession`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openvino as ov
import openvino.properties as props
import openvino.properties.hint as hints
from openvino import opset13 as op

from realtime.contract import IMAGE, Card, Size
from realtime.errors import ModelError, ModelNotFound
from realtime.matting.session import MattingSession, reason

CPU = "CPU"
GRID = 16
"""Sides are multiples of the coarsest grid of a network of ours."""

CHOOSERS = ("AUTO", "HETERO", "MULTI", "BATCH")
"""Names that stand for OpenVINO's choice among the machine's devices."""
LATENCY = {hints.performance_mode(): hints.PerformanceMode.LATENCY}


class MattingModel:
    """A network read from an .xml, compiled once per input size and shared between threads.

    `device` is CPU, GPU, NPU, AUTO or a list such as "AUTO:GPU,CPU". One that cannot be used is
    replaced by the CPU, once, and `fallback` is one line that says why. Every size is compiled as
    a graph of fixed shape, as an NPU demands. `threads` limits inference on the CPU, 0 leaves the
    choice to OpenVINO. What is compiled is kept in the folder `cache` for the next start. Raises
    `ModelNotFound` without a file, `ModelError` for one that cannot be read, `ModelContract` for a
    bad card.
    """

    def __init__(
        self, path: Path, device: str = CPU, threads: int = 0, cache: Path | None = None
    ) -> None:
        self._core = ov.Core()
        # Whoever writes another network over a mapped file ends the process that uses it.
        self._core.set_property({props.enable_mmap(): False})
        if cache:
            self._core.set_property({props.cache_dir(): str(cache)})
        self._core.set_property(CPU, _cpu_options(threads))
        self._where = path.name
        self._graph = _read(self._core, path)
        self._lock = threading.Lock()
        self._compiled: dict[Size, ov.CompiledModel] = {}
        self.card = Card.of(self._graph, self._where)
        self.card.hold(self._graph, self._where)
        self.device = device
        self.fallback = ""
        self._probe()

    def session(self, scale: float = 1.0) -> MattingSession:
        """Begin a stream: its own inference requests and its own memory.

        It works at this share of the network's usual sides: above 1 as far as it was made for
        larger pictures, below 1 if it is `resizable`.
        """
        return MattingSession(self.compiled, self.card, self.sizes(scale))

    @property
    def resizable(self) -> bool:
        """Whether the network takes other sizes than those of its card."""
        _, height, width, _ = self._graph.input(IMAGE).partial_shape
        return bool(height.is_dynamic and width.is_dynamic)

    def sizes(self, scale: float = 1.0) -> tuple[Size, ...]:
        """Return the input sizes at a share of the usual sides, smaller ones in multiples of
        `GRID`."""
        if scale >= 1 or not self.resizable:
            return self.card.sizes_at(scale)
        return tuple(
            (round(width * scale / GRID) * GRID, round(height * scale / GRID) * GRID)
            for width, height in self.card.sizes_at()
        )

    def compiled(self, size: Size) -> ov.CompiledModel:
        """Return the network compiled for an input size. Raises `ModelError`."""
        with self._lock:
            if size not in self._compiled:
                self._compiled[size] = self._compile(size)
            return self._compiled[size]

    def _probe(self) -> None:
        """Try the device with next to nothing, so that a missing one is known at once."""
        number = op.parameter([1])
        try:
            self._core.compile_model(ov.Model([op.relu(number)], [number]), self.device)
        except RuntimeError as error:
            self._fall_back(error)

    def _fall_back(self, error: RuntimeError) -> None:
        """Take the CPU instead, once."""
        if self.device == CPU:
            raise ModelError(
                f"{self._where} cannot run on the CPU: {reason(error)}",
                "convert the model again, or install openvino again",
            ) from error
        why = _absent(self.device, self._core.available_devices) or reason(error)
        self.fallback = f"{self.device} cannot be used, CPU instead: {why}"
        self.device = CPU

    def _compile(self, size: Size) -> ov.CompiledModel:
        graph = self._sized(size)
        try:
            return self._core.compile_model(graph, self.device, LATENCY)
        except RuntimeError as error:
            self._fall_back(error)
        return self._compile(size)

    def _sized(self, size: Size) -> ov.Model:
        """Return the graph with this input size; one of fixed size is taken as it is."""
        if not self._graph.input(IMAGE).partial_shape.is_dynamic:
            return self._graph
        try:
            return sized(self._graph, self.card, size)
        except RuntimeError as error:
            raise ModelError(
                f"{self._where} does not take {size[0]}x{size[1]}: {reason(error)}",
                "convert the model again with scrim-convert",
            ) from error


def sized(graph: ov.Model, card: Card, size: Size) -> ov.Model:
    """Return a copy of a graph for pictures (width, height), its memory as large as it needs.

    Raises RuntimeError, as OpenVINO does, for a size that the graph does not take.
    """
    width, height = size
    fitted, picture = graph.clone(), {IMAGE: [1, height, width, 3]}
    # What a network remembers is as large as what it gives to be remembered.
    fitted.reshape(picture | {name: _open(fitted.input(name)) for name, _ in card.memory})
    if card.memory:
        shapes = {name: fitted.output(after).partial_shape for name, after in card.memory}
        fitted.reshape(picture | shapes)
    return fitted


def _open(port: ov.Output) -> ov.PartialShape:
    """Return a tensor's shape with the sides that may change without any bounds."""
    sides = port.partial_shape
    return ov.PartialShape([side if side.is_static else ov.Dimension() for side in sides])


def read_card(path: Path) -> Card:
    """Return the card of an .xml without compiling it. Raises `ModelError`."""
    return Card.of(_read(ov.Core(), path), path.name)


def available_devices() -> list[str]:
    """Return OpenVINO's devices with their full names, such as "CPU (Intel ...)"."""
    core = ov.Core()
    names = core.available_devices
    return [f"{name} ({core.get_property(name, props.device.full_name())})" for name in names]


def _cpu_options(threads: int) -> dict[Any, Any]:
    """Return what holds wherever OpenVINO takes the CPU, be it by AUTO or for a part of a graph.

    In bfloat16, which OpenVINO takes where the processor has it, alpha is off by 0.5.
    """
    options = {props.num_streams(): 1, hints.inference_precision(): ov.Type.f32}
    return options | ({props.inference_num_threads(): threads} if threads else {})


def _absent(device: str, here: Sequence[str]) -> str:
    """Say which devices of a list such as "AUTO:GPU,CPU" the machine lacks, "" if none."""
    kinds = {*CHOOSERS, *(name.partition(".")[0] for name in here)}
    wanted = [name.lstrip("-") for name in device.rpartition(":")[2].split(",") if name]
    lacking = [name for name in wanted if name.partition(".")[0] not in kinds]
    return f"no {' or '.join(lacking)} found here, is the driver installed?" if lacking else ""


def _read(core: ov.Core, path: Path) -> ov.Model:
    if not path.is_file():
        raise ModelNotFound(f"no model at {path}", "give a shipped name or a path to an .xml")
    try:
        return core.read_model(path)
    except RuntimeError as error:
        raise ModelError(
            f"{path} cannot be read: {reason(error)}", "is the .bin beside it, and whole?"
        ) from error
