"""What folding batch-norms into convolutions brings: in PyTorch, and before OpenVINO converts.

`python -m benchmarks.folding` prints a table. The networks are ours with fresh weights and random
statistics: cost and arithmetic do not ask what was learnt. Times are medians of rounds in turns
(A B C A B C), on one thread, so that whatever else the machine does touches all alike.
"""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Annotated, Any

import numpy as np
import openvino as ov
import openvino.properties as props
import torch
import typer
from openvino.frontend import FrontEndManager
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from conversion.read import from_torch
from realtime.contract import Card
from realtime.door import enter
from realtime.errors import ConfigError
from training import models, recipes

EXACT = {props.hint.inference_precision(): ov.Type.f32, props.inference_num_threads(): 1}
CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)

Run = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run a network: `run` gives logits; operations without constants."""

    name: str
    run: Run
    operations: int
    batch_norms: int


def measure(name: str, rounds: int) -> Iterator[tuple[str, ...]]:
    """Yield a row each way: name, operations, batch-norms, ms, largest difference of alpha."""
    used = recipes.find(name)
    if hasattr(models.network(used), "memory"):
        raise ConfigError(f"{name} has a memory", "munet-webcam has the same layers without one")
    network = unsettled(models.build(used)).eval()
    width, height = used.sizes[0]
    src = np.random.default_rng(0).random((1, 3, height, width), np.float32)
    card = Card(name=used.name, licence="-", origin="-", sizes=((width, height),))
    ways = list(_ways(network, src, card))
    truth = _alpha(ways[0].run())
    times_ms = _in_turns([way.run for way in ways], rounds)
    for way, ms in zip(ways, times_ms, strict=True):
        apart = float(np.abs(_alpha(way.run()) - truth).max())
        counts = f"{way.operations}", f"{way.batch_norms}"
        yield f"{name} {width}x{height}", way.name, *counts, f"{ms:.2f}", f"{apart:.1e}"


def unsettled(network: nn.Module) -> nn.Module:
    """Give every batch-norm statistics that training might have left."""
    torch.manual_seed(0)
    with torch.no_grad():
        for norm in network.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.running_mean.normal_(0, 0.1)
                norm.running_var.uniform_(0.5, 2)
                norm.weight.uniform_(0.5, 1.5)
                norm.bias.normal_(0, 0.1)
    return network


def folded(network: nn.Module) -> nn.Module:
    """Return a copy in which no batch-norm follows a convolution of the same sequence."""
    network = copy.deepcopy(network)
    for module in network.modules():
        names = list(module._modules) if isinstance(module, nn.Sequential) else []
        for first, second in pairwise(names):
            conv, norm = module._modules[first], module._modules[second]
            # exactly these: the encoder's convolution has a scale of its own
            if type(conv) in CONVOLUTIONS and isinstance(norm, nn.BatchNorm2d):
                transposed = isinstance(conv, nn.ConvTranspose2d)
                module._modules[first] = fuse_conv_bn_eval(conv, norm, transpose=transposed)
                module._modules[second] = nn.Identity()
    return network


def _ways(network: nn.Module, src: Any, card: Card) -> Iterator[Way]:
    for name, module in (("PyTorch", network), ("PyTorch, folded by us", folded(network))):
        yield Way(name, _torch(module, src), *_modules(module))
    graphs = {
        "OpenVINO, as read": _as_read(network, src),
        "OpenVINO, converted": from_torch(network, card).graph,
        "OpenVINO, converted after folding by us": from_torch(folded(network), card).graph,
    }
    for name, graph in graphs.items():
        kinds = [node.get_type_name() for node in graph.get_ops()]
        counts = len(kinds) - kinds.count("Constant"), kinds.count("BatchNormInference")
        yield Way(name, _openvino(graph, src), *counts)


def _modules(network: nn.Module) -> tuple[int, int]:
    leaves = [m for m in network.modules() if not list(m.children())]
    working = [m for m in leaves if not isinstance(m, nn.Identity)]
    return len(working), sum(isinstance(m, nn.BatchNorm2d) for m in working)


def _as_read(network: nn.Module, src: Any) -> ov.Model:
    """Return the graph before OpenVINO simplifies it, as the front end alone gives it."""
    reader = FrontEndManager().load_by_framework("pytorch")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        decoder = TorchScriptPythonDecoder(network, example_input=torch.from_numpy(src))
    graph = reader.convert(reader.load(decoder))
    graph.reshape(list(src.shape))
    return graph


def _torch(module: nn.Module, src: Any) -> Run:
    tensor = torch.from_numpy(src)

    def run() -> Any:
        with torch.inference_mode():
            return module(tensor).numpy()

    return run


def _openvino(graph: ov.Model, src: Any) -> Run:
    compiled = ov.Core().compile_model(graph, "CPU", EXACT)
    return lambda: compiled(src)[0]


def _alpha(logits: Any) -> Any:
    return 1 / (1 + np.exp(-logits))


def _in_turns(runs: list[Run], rounds: int) -> list[float]:
    """Return the median of each in ms; the first round only warms up."""
    times_ms: list[list[float]] = [[] for _ in runs]
    for number in range(rounds + 1):
        for run, mine_ms in zip(runs, times_ms, strict=True):
            began_s = time.perf_counter()
            run()
            if number:
                mine_ms.append((time.perf_counter() - began_s) * 1e3)
    return [median(mine_ms) for mine_ms in times_ms]


def main(
    recipes: Annotated[list[str] | None, typer.Argument(help="names of `scrim-train`")] = None,
    rounds: Annotated[int, typer.Option(min=1)] = 15,
) -> None:
    """Measure the networks of these recipes and print a table."""
    torch.set_num_threads(1)
    table = Table(title="Folding batch-norms, one thread")
    for heading in ("network", "", "operations", "batch-norms", "ms", "largest change of alpha"):
        table.add_column(heading)
    for name in recipes or ("munet-128", "munet-webcam"):
        for row in measure(name, rounds):
            table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    enter(lambda: typer.run(main))
