"""MobileNetV2 (Sandler et al. 2018) as an encoder, batch-norms folded, and what decoders share.

The encoder ends with block 16's projection. Its weights come from a file of folded weights or
from another encoder of ours, narrower ones too: these are widened so that the network computes
the same (Chen et al. 2016, "Net2Net").
"""

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Sandler et al. 2018, table 2: channels, number of blocks; the first does not expand
STAGES = ((16, 1), (24, 2), (32, 3), (64, 4), (96, 3), (160, 3), (320, 1))
STEM = 32
HALVING = (1, 3, 6, 13)  # blocks of stride 2

Weights = Mapping[str, np.ndarray | Tensor]


def width(channels: int, alpha: float) -> int:
    """Channels of a layer at alpha: the nearest multiple of 8, at most a tenth below."""
    near = max(8, int(channels * alpha + 4) // 8 * 8)
    return near if near >= 0.9 * channels * alpha else near + 8


def widths(alpha: float) -> list[int]:
    """Channels of the stem and of each block's output."""
    stages = [width(c, alpha) for c, blocks in STAGES for _ in range(blocks)]
    return [width(STEM, alpha), *stages]


def projections(alpha: float) -> list[int]:
    """Channels of the maps that `Encoder.stages` gives."""
    found = widths(alpha)
    return [*(found[i] for i in HALVING), found[-1]]


def expansions(alpha: float) -> list[int]:
    """Channels of the maps that `Encoder.forward` gives."""
    *skips, top = projections(alpha)
    return [*(6 * skip for skip in skips), top]


class Conv(nn.Conv2d):
    """A convolution with a bias, TensorFlow "same" padding and weights kept at unit size.

    The effective weight is `weight * scale`, the effective bias `bias * scale`. Folding
    batch-norms leaves channels a thousand times larger than others, and an optimiser with one
    step size trains only some of them; with `scale` (fixed, one a channel) all train alike.
    """

    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1):
        super().__init__(inputs, outputs, size, stride, groups=groups)
        self.register_buffer("scale", torch.ones(outputs))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.scale.view(-1, 1, 1, 1)
        bias = self.bias * self.scale
        if self.stride[0] == 1:
            return F.conv2d(x, weight, bias, 1, self.kernel_size[0] // 2, 1, self.groups)
        # "same" at stride 2: an even side is padded at its end only, an odd one at both
        top, left = x.shape[2] % 2, x.shape[3] % 2
        return F.conv2d(F.pad(x, (left, 1, top, 1)), weight, bias, 2, 0, 1, self.groups)

    @torch.no_grad()
    def fill(self, weight: Tensor, bias: Tensor) -> None:
        """Take folded weights (OIHW), widened to fit, split into unit-sized ones and a scale."""
        weight, bias = widen(weight, bias, self.weight.shape)
        usual = (2 / weight[0].numel()) ** 0.5  # He et al. 2015: the size a fresh layer would have
        scale = weight.flatten(1).pow(2).mean(1).sqrt() / usual
        scale = scale.clamp(min=float(scale.median()) * 1e-2 + 1e-8)
        self.scale.copy_(scale)
        self.weight.copy_(weight / scale.view(-1, 1, 1, 1))
        self.bias.copy_(bias / scale)


def copied(narrow: int, wide: int) -> Tensor:
    """Which of `narrow` channels each of `wide` is a copy of: 0 1 2 0 1 for 3 and 5."""
    if wide < narrow:
        raise ValueError(f"{narrow} channels do not fit into {wide}")
    return torch.arange(wide) % narrow


def widen(weight: Tensor, bias: Tensor, shape: torch.Size) -> tuple[Tensor, Tensor]:
    """Net2WiderNet: channels are copied; what reads copies shares its weight out among them.

    weight: OIHW, at most as large as `shape`. The shares of a weight add up to 1 but are uneven,
    each channel's own way (Net2Net adds noise instead, and is no longer exact): with even shares
    the copies would learn the same for ever. Raises ValueError when the weight is too large.
    """
    if weight.shape[2:] != shape[2:]:
        raise ValueError(f"a kernel of {tuple(weight.shape)} is none of {tuple(shape)}")
    outputs, inputs = copied(weight.shape[0], shape[0]), copied(weight.shape[1], shape[1])
    groups = F.one_hot(inputs, weight.shape[1]).float()  # shape[1] x weight.shape[1]
    mean = groups / groups.sum(0)
    uneven = torch.rand(shape[:2]) - 0.5
    shares = mean.sum(1) * (1 + uneven - uneven @ mean @ groups.T)
    return weight[outputs][:, inputs] * shares[..., None, None], bias[outputs]


class Block(nn.Module):
    """Inverted residual: expand 1x1, depthwise 3x3, project 1x1 (linear); ReLU6 between."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int):
        super().__init__()
        middle = inputs * expansion
        self.expand = Conv(inputs, middle, 1) if expansion > 1 else None
        self.depthwise = Conv(middle, middle, 3, stride, groups=middle)
        self.project = Conv(middle, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The block's output, and that of its expansion (a skip)."""
        wide = F.relu6(self.expand(x)) if self.expand else x
        out = self.project(F.relu6(self.depthwise(wide)))
        return (x + out if self.residual else out), wide


class Encoder(nn.Module):
    """src (B x 3 x H x W, RGB in 0..1) -> maps at strides 2, 4, 8, 16 and 32."""

    def __init__(self, alpha: float = 0.5) -> None:
        super().__init__()
        stem, *outputs = widths(alpha)
        inputs = [stem, *outputs]
        self.stem = Conv(3, stem, 3, 2)
        self.blocks = nn.ModuleList(
            Block(inputs[i], out, 2 if i in HALVING else 1, 6 if i else 1)
            for i, out in enumerate(outputs)
        )

    def forward(self, src: Tensor) -> list[Tensor]:
        """The expansions of the blocks that halve (skips), and the last block's output."""
        _, pairs, top = self.walk(src)
        return [*(wide for _, wide in pairs), top]

    def thrifty(self, src: Tensor) -> list[Tensor]:
        """As `forward`, but the stem's output at stride 2: a third of the channels."""
        stem, pairs, top = self.walk(src)
        return [stem, *(wide for _, wide in pairs[1:]), top]

    def stages(self, src: Tensor) -> list[Tensor]:
        """The last block's output at every stride: fewer channels, linear."""
        _, pairs, top = self.walk(src)
        return [*(narrow for narrow, _ in pairs), top]

    def walk(self, src: Tensor) -> tuple[Tensor, list[tuple[Tensor, Tensor]], Tensor]:
        """The stem's output; what goes into each block that halves and into its depthwise layer;
        the last output."""
        x = stem = F.relu6(self.stem(src))
        pairs = []
        for index, block in enumerate(self.blocks):
            before = x
            x, wide = block(before)
            if index in HALVING:
                pairs.append((before, wide))
        return stem, pairs, x

    def fill(self, weights: Weights) -> None:
        """Take the weights of an encoder as wide as this one or narrower.

        weights: batch-norm-folded ones named `stem.weight`, `block3.expand.bias`, ..., or the
        state of another `Encoder`. Raises KeyError for a missing name, ValueError for a misfit.
        """
        for name, module in self.named_modules():
            if isinstance(module, Conv):
                module.fill(*folded(weights, name))


def folded(weights: Weights, name: str) -> tuple[Tensor, Tensor]:
    """A convolution's effective weight and bias, out of either kind of weights."""
    ours = "stem.scale" in weights
    key = name if ours else name.replace("blocks.", "block")
    weight, bias = (
        torch.as_tensor(weights[f"{key}.{part}"]).float() for part in ("weight", "bias")
    )
    scale = torch.as_tensor(weights[f"{key}.scale"]) if ours else torch.ones(len(bias))
    return weight * scale.view(-1, 1, 1, 1), bias * scale


def crop(x: Tensor, like: Tensor) -> Tensor:
    """The top left part of x, as large as `like`."""
    return x[:, :, : like.shape[2], : like.shape[3]]


def double(x: Tensor) -> Tensor:
    """Twice the size, bilinear (half-pixel centres)."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def nearest(x: Tensor) -> Tensor:
    """Twice the size, each value four times: in INT8 an eighth of the bilinear one's time."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def normed(*layers: nn.Module, channels: int) -> nn.Sequential:
    """Layers, batch-norm, ReLU."""
    return nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.ReLU())
