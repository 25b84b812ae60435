"""Plain U-Net of many classes, trained from nothing (Ronneberger et al. 2015; source 004, 7.4).

Channels 3-10-32-64-128-256-512-1024 and back 512-256-128-64-32-10: convolution, batch-norm and
ReLU twice a level, then max-pooling, six times; transposed convolutions upwards, each joined to
the map of its own size on the way down. The source ends in its ten channels; we read the classes
from them with a 1x1 convolution, so that a logit may be negative.

The source's ablations are options: `skips=False` (its phase 6.1), `dropout=0.5` after the way
down and after the way up (phase 5), `width` a factor on all channels.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from training.models.mobilenet import crop, normed

CHANNELS = (10, 32, 64, 128, 256, 512, 1024)

# Of the 950 pictures of parts/train, RGB in 0..1, by training.parts.statistics.
MEAN = (0.550, 0.534, 0.527)
STD = (0.270, 0.268, 0.271)


class UNet(nn.Module):
    """src B x 3 x H x W, RGB in 0..1 -> logits B x classes x H x W; any H, W.

    Sides of whole steps of 64 lose nothing to rounding.
    """

    def __init__(
        self, classes: int = 9, width: float = 1.0, skips: bool = True, dropout: float = 0.0
    ):
        super().__init__()
        widths = [max(CHANNELS[0], round(channels * width)) for channels in CHANNELS]
        self.skips = skips
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        self.stem = twice(3, widths[0])
        pairs = list(pairwise(widths))
        self.downs = nn.ModuleList(twice(narrow, wide) for narrow, wide in pairs)
        # An odd side is rounded up, so that the way back is never too small for its skip.
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.ups = nn.ModuleList(Up(wide, narrow, skips) for narrow, wide in reversed(pairs))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Conv2d(widths[0], classes, 1)

    def forward(self, src: Tensor) -> Tensor:
        x = self.stem((src - self.mean) / self.std)
        maps = []
        for down in self.downs:
            maps.append(x)
            x = self.pool(down(x))
        x = self.dropout(x)
        for up, like in zip(self.ups, reversed(maps), strict=True):
            x = up(x, like)
        return self.head(self.dropout(x))


class Up(nn.Module):
    """Twice the size by a transposed convolution, joined to the map of that size, and refined."""

    def __init__(self, inputs: int, outputs: int, skip: bool):
        super().__init__()
        self.deconv = nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 2, 2), nn.ReLU())
        self.refine = layer(2 * outputs if skip else outputs, outputs)
        self.skip = skip

    def forward(self, x: Tensor, like: Tensor) -> Tensor:
        x = crop(self.deconv(x), like)
        return self.refine(torch.cat([x, like], 1) if self.skip else x)


def layer(inputs: int, outputs: int) -> nn.Sequential:
    return normed(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), channels=outputs)


def twice(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(layer(inputs, outputs), layer(outputs, outputs))
