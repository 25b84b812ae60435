"""Batch-norms that know what goes through them.

A network that was restored from an IR has its norms folded away: they multiply by one. In training
they would then normalise by a batch's own statistics what was never normalised, and the network
would begin with another function than it had. Statistics that are measured first, and taken back by
weight and bias, leave its mattes as they are.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn


@torch.no_grad()
def settle(network: nn.Module, run: Callable[[Tensor, int], object], batches: Iterable) -> None:
    """Give every norm the mean and variance of its input, and keep what it computes.

    `run` takes src, B x 3 x H x W in 0..1, and how many frames each of its clips has; `batches`
    are pairs of these.
    """
    network.eval()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    sums = {norm: torch.zeros(3, norm.num_features, dtype=torch.float64) for norm in norms}

    def note(norm: nn.Module, given: tuple[Tensor, ...]) -> None:
        x = given[0].double()
        count = x.new_full((x.shape[1],), x.numel() / x.shape[1])
        sums[norm] += torch.stack([count, x.sum((0, 2, 3)), x.square().sum((0, 2, 3))]).cpu()

    hooks = [norm.register_forward_pre_hook(note) for norm in norms]
    for src, frames in batches:
        run(src, frames)
    for hook in hooks:
        hook.remove()
    for norm, (count, total, squares) in sums.items():
        mean = total / count
        adopt(norm, mean, squares / count - mean.square())


def adopt(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    """Take other statistics, and a weight and a bias with which they change nothing."""
    mean, variance = (x.to(norm.weight) for x in (mean, variance.clamp(min=0)))
    gain = norm.weight / (norm.running_var + norm.eps).sqrt()
    norm.bias += gain * (mean - norm.running_mean)
    norm.weight.copy_(gain * (variance + norm.eps).sqrt())
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
