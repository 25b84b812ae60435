"""Batch-norms: OpenVINO folds them, and the benchmark that compares folds them rightly by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from benchmarks.folding import folded
from conversion.read import from_torch
from conversion.stamp import stamp
from tests.converting import tiny
from tests.foreign import photo
from tests.graphs import kinds
from tests.toy import toy_card


def test_batch_norms_and_colour_disappear_in_the_weights() -> None:
    network = from_torch(tiny(), toy_card())
    stamped = stamp(network.graph, network.card)
    found = kinds(stamped)
    assert "BatchNormInference" not in found
    assert found.count("Convolution") == 2
    assert found.count("Add") == 2
    assert "Gather" not in found


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(3, 6, 3, padding=1, bias=False),
        nn.Conv2d(3, 6, 3, padding=1, groups=3),
        nn.ConvTranspose2d(3, 6, 3, padding=1, bias=False),
    ],
    ids=["plain", "depthwise", "transposed"],
)
def test_openvino_folds_batch_norms_so_that_we_need_not(convolution: nn.Module) -> None:
    """Of scale and shift only the bias is left; benchmarks/folding.py says what that brings."""
    norm = nn.BatchNorm2d(6)
    with torch.no_grad():
        for values in (norm.running_mean, norm.running_var, norm.weight, norm.bias):
            values.uniform_(0.5, 2)
    layers = nn.Sequential(convolution, norm, nn.ReLU(), nn.Conv2d(6, 1, 1)).eval()
    network = from_torch(layers, toy_card())
    found = kinds(stamp(network.graph, network.card))
    assert "BatchNormInference" not in found
    assert found.count("Multiply") == 1  # by 1/255, of the picture
    assert found.count("Add") == 2  # a bias each


def test_folding_by_hand_changes_no_matte_and_no_graph() -> None:
    """What the benchmark folds, it folds rightly: it would else compare two networks."""
    plain = tiny()
    by_hand = folded(plain)
    assert isinstance(by_hand[1], nn.Identity)
    graphs = [from_torch(network, toy_card()) for network in (plain, by_hand)]
    first, second = (graph.session()(photo()) for graph in graphs)
    assert first == pytest.approx(second, abs=1e-5)
    assert sorted(kinds(graphs[0].graph)) == sorted(kinds(graphs[1].graph))
