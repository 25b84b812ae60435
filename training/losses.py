"""Loss terms by name. Logits and alpha are B x 1 x H x W, alpha and weight in 0..1.

`weight` is 0 where the label is unknown. Every term is a mean over known pixels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def terms(logits: Tensor, pha: Tensor, weight: Tensor, twins: int = 0) -> dict[str, Tensor]:
    """All terms, unweighted.

    bce: cross entropy on alpha. edge: L1 in the band of 7 pixels around an edge (the boundary
    loss of SINet, Park et al. 2019, with alpha for the label). gradient: L1 between the spatial
    derivatives, which asks for sharpness. twin: L1 between the mattes of the same view under
    two lights; the last `twins` samples repeat the first.
    """
    out = logits.sigmoid()
    band = edge_band(pha) * weight
    found = {
        "bce": mean(F.binary_cross_entropy_with_logits(logits, pha, reduction="none"), weight),
        "edge": mean((out - pha).abs(), band),
        "gradient": gradient(out - pha, weight, band),
    }
    if twins:
        both = weight[:twins] * weight[-twins:]
        found["twin"] = mean((out[:twins] - out[-twins:]).abs(), both)
    return found


def total(found: dict[str, Tensor], shares: dict[str, float]) -> Tensor:
    """The weighted sum of the terms that a recipe names."""
    return torch.stack([shares[name] * found[name] for name in shares if name in found]).sum()


def mean(value: Tensor, weight: Tensor) -> Tensor:
    return (value * weight).sum() / weight.sum().clamp(min=1)


def edge_band(pha: Tensor, width: int = 7) -> Tensor:
    """1 within about width/2 pixels of an edge or of partial cover: dilation minus erosion."""
    return ((highest(pha, width) + highest(-pha, width)) > 0.3).to(pha.dtype)


def highest(x: Tensor, width: int) -> Tensor:
    """Maximum over a square, one side at a time (a square at once is several times slower)."""
    across = F.max_pool2d(x, (1, width), 1, (0, width // 2))
    return F.max_pool2d(across, (width, 1), 1, (width // 2, 0))


def gradient(error: Tensor, weight: Tensor, band: Tensor) -> Tensor:
    """Mean absolute first derivative of the error, counted in pixels of the band."""
    down = (error[:, :, 1:] - error[:, :, :-1]).abs() * weight[:, :, 1:]
    right = (error[:, :, :, 1:] - error[:, :, :, :-1]).abs() * weight[:, :, :, 1:]
    return (down.sum() + right.sum()) / band.sum().clamp(min=1)
