"""Norms of a network that goes on learning."""

import torch

from benchmarks.folding import unsettled
from training import models, norms, recipes


def test_settled_norms_change_no_matte_and_learn_from_where_they_were() -> None:
    network = unsettled(models.build(recipes.find("scrim-r"))).eval()
    src = torch.rand(6, 3, 64, 96)
    with torch.no_grad():
        before = network(src)[0]
        norms.settle(network, lambda x, frames: network.heads(x, frames), [(src, 1)])
        assert torch.allclose(network(src)[0], before, atol=1e-4)
        learning = network.train()(src)[0]
    assert torch.allclose(learning, before, atol=0.05)


def test_without_settling_training_would_begin_with_another_function() -> None:
    network = unsettled(models.build(recipes.find("scrim-r"))).eval()
    src = torch.rand(6, 3, 64, 96)
    with torch.no_grad():
        apart = (network.train()(src)[0] - network.eval()(src)[0]).abs().max()
    assert apart > 0.05
