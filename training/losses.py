"""Loss terms by name.

Logits, alpha and weight are B x 1 x H x W, alpha and weight in 0..1; `weight` is 0 where the label
is unknown: what lies there adds nothing to a term. For the nine classes the mask's logits are
B x 9 x H x W and the truth is the class number.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Outcome:
    """What a network made of a batch, and what it should have."""

    heads: dict[str, Tensor]  # logits by head; "mask" is the one that stays after training
    pha: Tensor
    weight: Tensor
    twins: int = 0  # the last samples that repeat the first under another light
    frames: int = 1  # of each clip; samples are clips, frame by frame

    @cached_property
    def mask(self) -> Tensor:
        return self.heads["mask"]

    @cached_property
    def error(self) -> Tensor:
        return self.mask.sigmoid() - self.pha

    @cached_property
    def band(self) -> Tensor:
        return edge_band(self.pha) * self.weight


def terms(names: Iterable[str], outcome: Outcome) -> dict[str, Tensor]:
    """The named terms, unweighted."""
    return {name: TERMS[name](outcome) for name in names}


def total(found: dict[str, Tensor], shares: dict[str, float]) -> Tensor:
    """The weighted sum of the terms that a recipe names."""
    return torch.stack([share * found[name] for name, share in shares.items()]).sum()


def bce(outcome: Outcome) -> Tensor:
    """Cross entropy on alpha."""
    return entropy(outcome.mask, outcome.pha, outcome.weight)


def edge(outcome: Outcome) -> Tensor:
    """L1 in the band of 7 pixels around an edge."""
    return mean(outcome.error.abs(), outcome.band)


def gradient(outcome: Outcome) -> Tensor:
    """L1 between the spatial derivatives, which asks for sharpness, in pixels of the band."""
    error, weight = outcome.error, outcome.weight
    down = (error[:, :, 1:] - error[:, :, :-1]).abs() * weight[:, :, 1:]
    right = (error[:, :, :, 1:] - error[:, :, :, :-1]).abs() * weight[:, :, :, 1:]
    return (down.sum() + right.sum()) / outcome.band.sum().clamp(min=1)


def laplacian(outcome: Outcome, levels: int = 4) -> Tensor:
    """L1 between the Laplacian pyramids, level l counting 2^l (Hou & Liu 2019, eq. 2)."""
    error, terms = outcome.error * outcome.weight, []
    for level in range(levels):
        small = F.avg_pool2d(error, 2)
        blurred = F.interpolate(small, error.shape[2:], mode="bilinear", align_corners=False)
        terms.append(2**level * (error - blurred).abs().mean())
        error = small
    return torch.stack(terms).sum()


def temporal(outcome: Outcome) -> Tensor:
    """L1 between the temporal derivatives: what should stand still does (RVM's, 2021, eq. 2)."""
    if outcome.frames == 1:
        return outcome.error.new_zeros(())
    error, weight = (x.unflatten(0, (-1, outcome.frames)) for x in (outcome.error, outcome.weight))
    return mean((error[:, 1:] - error[:, :-1]).abs(), weight[:, 1:] * weight[:, :-1])


def twin(outcome: Outcome) -> Tensor:
    """L1 between the mattes of the same view under two lights."""
    out, weight, n = outcome.mask.sigmoid(), outcome.weight, outcome.twins
    if n == 0:
        return outcome.error.new_zeros(())
    return mean((out[:n] - out[-n:]).abs(), weight[:n] * weight[-n:])


def boundary_bce(outcome: Outcome) -> Tensor:
    """Cross entropy in the band of 15 x 15 dilation minus erosion (SINet, Park et al. 2019)."""
    band = edge_band(outcome.pha, 15) * outcome.weight
    return entropy(outcome.mask, outcome.pha, band)


def coarse(outcome: Outcome) -> Tensor:
    """Cross entropy of the encoder's own logits (SINet's first stage)."""
    return entropy(outcome.heads["coarse"], outcome.pha, outcome.weight)


def boundary_focal(outcome: Outcome, gamma: float = 2.0) -> Tensor:
    """Focal loss of the boundary head on a contour 4 pixels wide (PortraitNet, 2019, eq. 2).

    The paper draws the contour with Canny on the mask: for a mask of two values that is its
    dilation minus its erosion, of width 4 for a window of 5.
    """
    line = edge_band(outcome.pha, 5)
    logits = outcome.heads["boundary"]
    loss = F.binary_cross_entropy_with_logits(logits, line, reduction="none")
    right = torch.where(line > 0, logits, -logits).sigmoid()
    return mean((1 - right) ** gamma * loss, outcome.weight)


def consistency(outcome: Outcome, temperature: float = 2.0) -> Tensor:
    """KL divergence of the softened matte under one light from that under another, x T^2.

    The first is the teacher (PortraitNet, 2019, eq. 4).
    """
    n, weight = outcome.twins, outcome.weight
    if n == 0:
        return outcome.error.new_zeros(())
    teacher, student = outcome.mask[:n].detach() / temperature, outcome.mask[-n:] / temperature
    q = teacher.sigmoid()
    kl = q * (F.logsigmoid(teacher) - F.logsigmoid(student))
    kl = kl + (1 - q) * (F.logsigmoid(-teacher) - F.logsigmoid(-student))
    return mean(kl, weight[:n] * weight[-n:]) * temperature**2


def cross_entropy(outcome: Outcome) -> Tensor:
    """Cross entropy over the classes; the truth is the class number."""
    labels = outcome.pha[:, 0].long()
    loss = F.cross_entropy(outcome.mask, labels, reduction="none")
    return mean(loss, outcome.weight[:, 0])


def overlap(outcome: Outcome) -> Tensor:
    """One less the mean soft Dice score of the classes in the batch (Milletari et al. 2016, 3).

    Each class counts alike, however small, as in the mean of IoU that it is judged by.
    """
    weight = outcome.weight
    found = outcome.mask.softmax(1) * weight
    true = torch.zeros_like(found).scatter_(1, outcome.pha.long(), weight)
    both, either = (found * true).sum((0, 2, 3)), (found + true).sum((0, 2, 3))
    present = true.sum((0, 2, 3)) > 0
    return mean(1 - 2 * both / either.clamp(min=1), present.float())


TERMS: dict[str, Callable[[Outcome], Tensor]] = {
    term.__name__: term
    for term in (
        bce,
        edge,
        gradient,
        laplacian,
        temporal,
        twin,
        boundary_bce,
        coarse,
        boundary_focal,
        consistency,
        cross_entropy,
        overlap,
    )
}


def entropy(logits: Tensor, pha: Tensor, weight: Tensor) -> Tensor:
    return mean(F.binary_cross_entropy_with_logits(logits, pha, reduction="none"), weight)


def mean(value: Tensor, weight: Tensor) -> Tensor:
    return (value * weight).sum() / weight.sum().clamp(min=1)


def edge_band(pha: Tensor, width: int = 7) -> Tensor:
    """1 within about width/2 pixels of an edge or of partial cover: dilation minus erosion."""
    return ((highest(pha, width) + highest(-pha, width)) > 0.3).to(pha.dtype)


def highest(x: Tensor, width: int) -> Tensor:
    """Maximum over a square, one side at a time (a square at once is several times slower)."""
    across = F.max_pool2d(x, (1, width), 1, (0, width // 2))
    return F.max_pool2d(across, (width, 1), 1, (width // 2, 0))
