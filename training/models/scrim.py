"""Scrim's own recurrent network: the light portrait U-Net with a memory in its decoder.

At strides 16, 8 and 4 half of the channels run through a convolutional GRU (Ballas et al. 2015),
as in RobustVideoMatting (Lin et al. 2021), here with separable convolutions: 13 of 148 MMAC at
256x144. What the memory says is added with a weight a channel that starts at zero (ReZero,
Bachlechner et al. 2020), so what a trained `munet` has learnt stays as it is, but for the last
stage, which is another.

`forward(src, *rec)`: src B x 3 x H x W, RGB in 0..1; rec the three memories, zeros or nothing at
the start -> (logits B x 1 x H x W, *rec). A memory is within -1..1 at all times.
`heads(src, frames)`: clips of so many frames, B = clips * frames, each from an empty memory.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.mobilenet import STEM, Encoder, crop, expansions, nearest, normed, width
from training.models.munet import Bottleneck, Fuse

MEMORY = tuple((f"memory{i}", f"next{i}") for i in range(3))
"""Names of the memory's inputs and outputs in a converted graph."""


def separable(inputs: int, outputs: int) -> nn.Sequential:
    """Depthwise 3x3, then pointwise 1x1 with a bias."""
    depthwise = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
    return nn.Sequential(depthwise, nn.Conv2d(inputs, outputs, 1))


class Gru(nn.Module):
    """The second half of a map's channels with a memory; the first half passes."""

    def __init__(self, channels: int):
        super().__init__()
        self.half = channels // 2
        self.gates = separable(channels, channels)
        self.candidate = separable(channels, self.half)
        self.share = nn.Parameter(torch.zeros(1, self.half, 1, 1))

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """x B x C x H x W and memory B x C/2 x H x W -> x with what is remembered, new memory."""
        passed, seen = x.split(self.half, 1)
        keep, use = self.gates(torch.cat([seen, memory], 1)).sigmoid().split(self.half, 1)
        new = self.candidate(torch.cat([seen, use * memory], 1)).tanh()
        memory = keep * memory + (1 - keep) * new
        return torch.cat([passed, seen + self.share * memory], 1), memory


class Recurrent(nn.Module):
    """Our light decoder with GRUs behind its stages, and little at half size.

    At half size, where a layer costs as much as ten at stride 16, there are 16 channels, nearest
    up-sampling, the encoder's stem as the only skip and one full convolution 3x3, which runs in
    INT8 as quickly as a separable one: with the stage of `Light` the network takes a quarter more.
    """

    def __init__(
        self,
        alpha: float = 0.5,
        widths: tuple[int, ...] = (128, 64, 32),
        last: int = 16,
        deep: int = 0,
    ):
        super().__init__()
        *skips, coarsest = expansions(alpha)
        top = widths[0]
        self.context = nn.Sequential(nn.Conv2d(coarsest, top, 1), nn.ReLU(), nn.Conv2d(top, top, 1))
        self.top = normed(nn.Conv2d(coarsest, top, 1, bias=False), channels=top)
        self.deep = nn.Sequential(*(Bottleneck(top) for _ in range(deep)))
        rows = zip([top, *widths], skips[:0:-1], widths, (2, 2, 1), strict=False)
        self.fuses = nn.ModuleList(Fuse(*row) for row in rows)
        self.grus = nn.ModuleList(Gru(width) for width in widths)
        self.last = Fuse(widths[-1], width(STEM, alpha), last, 0, nearest)
        refine = normed(nn.Conv2d(last, last, 3, padding=1, bias=False), channels=last)
        self.head = nn.Sequential(refine, nn.Conv2d(last, 4, 1))

    def remember(
        self, src: Tensor, maps: list[Tensor], rec: tuple[Tensor, ...], frames: int
    ) -> tuple[Tensor, ...]:
        """Logits and memory after `frames` frames of each clip (B = clips * frames)."""
        half, *skips, top = maps
        x = self.deep(self.top(top) + self.context(top.mean((2, 3), keepdim=True)))
        left = []
        for i, (fuse, gru) in enumerate(zip(self.fuses, self.grus, strict=True)):
            x = fuse(x, skips[-1 - i])
            before = rec[i] if rec else torch.zeros_like(x[::frames, : gru.half])
            x, after = through(gru, x, before, frames)
            left.append(after)
        return crop(F.pixel_shuffle(self.head(self.last(x, half)), 2), src), *left


def through(gru: Gru, x: Tensor, memory: Tensor, frames: int) -> tuple[Tensor, Tensor]:
    """A map of clips, frame after frame."""
    if frames == 1:
        return gru(x, memory)
    outs = []
    for frame in range(frames):
        out, memory = gru(x[frame::frames], memory)
        outs.append(out)
    return torch.stack(outs, 1).flatten(0, 1), memory


class Scrim(nn.Module):
    """The recurrent network; `alpha` is the encoder's width, `deep` how many bottlenecks it has."""

    memory = MEMORY

    def __init__(self, alpha: float = 0.5, deep: int = 0):
        super().__init__()
        self.encoder = Encoder(alpha)
        self.decoder = Recurrent(alpha, deep=deep)

    def forward(self, src: Tensor, *rec: Tensor) -> tuple[Tensor, ...]:
        return self.decoder.remember(src, self.encoder.thrifty(src), rec, 1)

    def heads(self, src: Tensor, frames: int = 1) -> dict[str, Tensor]:
        return {"mask": self.decoder.remember(src, self.encoder.thrifty(src), (), frames)[0]}
