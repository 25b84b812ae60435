"""MobileNetV2 U-Net: one encoder, three decoders to choose from.

Skips are the outputs of the expansions of blocks 13, 6, 3 and 1 (strides 16, 8, 4, 2), as in the
portrait U-Nets of the field. The decoders "transposed" and "bilinear" are that literature's (source
000, figure 8, has both); "light" is ours: at 256x144 the network takes a quarter of the
multiplications that it takes with "transposed" at 128x128.

`forward(src)`: src B x 3 x H x W, RGB in 0..1 -> logits B x outputs x H x W. Any H, W >= 32:
an up-sampled map is cropped to its skip where a side was odd.
"""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.mobilenet import Encoder, crop, double, expansions, normed

Larger = Callable[[Tensor], Tensor]

WIDTHS = (512, 256, 128, 64, 32)  # of the literature's decoders


class Up(nn.Module):
    """Twice the size, normalised (source 000's "deconv block"), then joined to the skip."""

    def __init__(self, *layers: nn.Module, channels: int):
        super().__init__()
        self.deconv = normed(*layers, channels=channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return torch.cat([crop(self.deconv(x), skip), skip], 1)


def transposed(inputs: int, outputs: int) -> Up:
    """Transposed convolution 3x3 of stride 2."""
    deconv = nn.ConvTranspose2d(inputs, outputs, 3, 2, padding=1, output_padding=1, bias=False)
    return Up(deconv, channels=outputs)


def bilinear(inputs: int, outputs: int) -> Up:
    """Bilinear up-sampling, then a convolution 3x3: four times the cost, no checkerboard."""
    larger = nn.Upsample(scale_factor=2, mode="bilinear")
    return Up(larger, nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), channels=outputs)


class Stairs(nn.Module):
    """The literature's decoder: five steps up, the last without a skip, and 1x1 at the end."""

    def __init__(self, step: Callable[[int, int], Up], alpha: float, outputs: int = 1):
        super().__init__()
        *skips, top = expansions(alpha)
        inputs = [top, *(w + s for w, s in zip(WIDTHS, reversed(skips), strict=False))]
        self.ups = nn.ModuleList(step(i, o) for i, o in zip(inputs, WIDTHS, strict=True))
        self.head = nn.Conv2d(WIDTHS[-1], outputs, 1)

    def forward(self, src: Tensor, maps: list[Tensor]) -> Tensor:
        *skips, x = maps
        for up, skip in zip(self.ups, reversed(skips), strict=False):
            x = up(x, skip)
        return self.head(crop(self.ups[-1].deconv(x), src))


class Separable(nn.Module):
    """Depthwise 3x3 and pointwise 1x1, normalised, with a residual."""

    def __init__(self, channels: int):
        super().__init__()
        depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.layers = normed(depthwise, pointwise, channels=channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class Fuse(nn.Module):
    """Narrow both the coarse map and the skip to `channels`, add them, refine."""

    def __init__(self, coarse: int, skip: int, channels: int, depth: int, larger: Larger = double):
        super().__init__()
        self.larger = larger
        self.narrow = nn.Conv2d(coarse, channels, 1, bias=False)
        self.lateral = nn.Conv2d(skip, channels, 1, bias=False)
        self.norm = normed(channels=channels)
        self.refine = nn.Sequential(*(Separable(channels) for _ in range(depth)))

    def forward(self, x: Tensor, skip: Tensor, detail: Tensor | float = 0.0) -> Tensor:
        fused = crop(self.larger(self.narrow(x)), skip) + self.lateral(skip)
        return self.refine(self.norm(fused + detail))


class Bottleneck(nn.Module):
    """Inverted bottleneck (Sandler et al. 2018) behind a depthwise 5x5; it adds nothing at first.

    At stride 32 there are forty places at 256x144: what people are is told from what looks like
    them here, where a hundred thousand weights cost 4 MMAC.
    """

    def __init__(self, channels: int, expansion: int = 3):
        super().__init__()
        wide = channels * expansion
        around = nn.Conv2d(channels, channels, 5, padding=2, groups=channels, bias=False)
        expand = nn.Conv2d(channels, wide, 1, bias=False)
        self.layers = normed(around, expand, channels=wide)
        self.project = nn.Conv2d(wide, channels, 1)
        self.share = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.share * self.project(self.layers(x))


class Light(nn.Module):
    """Our decoder for webcams: bilinear up-sampling, narrow 1x1 skips, separable convolutions.

    The whole picture's mean steers the coarsest map, on which `deep` bottlenecks work. No layer
    works at full size, where a convolution costs as much as a quarter of the encoder: the last
    stage, at half size, sees the picture through a 4x4 window and writes four alphas a place (Shi
    et al. 2016, "sub-pixel").
    """

    def __init__(
        self,
        alpha: float = 0.5,
        outputs: int = 1,
        widths: tuple[int, ...] = (128, 64, 32, 24),
        deep: int = 0,
    ):
        super().__init__()
        *skips, last = expansions(alpha)
        top = widths[0]
        self.context = nn.Sequential(nn.Conv2d(last, top, 1), nn.ReLU(), nn.Conv2d(top, top, 1))
        self.top = normed(nn.Conv2d(last, top, 1, bias=False), channels=top)
        self.deep = nn.Sequential(*(Bottleneck(top) for _ in range(deep)))
        rows = zip([top, *widths[:-1]], reversed(skips), widths, strict=True)
        self.fuses = nn.ModuleList(Fuse(*row, depth=2) for row in rows)
        self.detail = nn.Conv2d(3, widths[-1], 4, 2, padding=1, bias=False)
        self.head = nn.Conv2d(widths[-1], 4 * outputs, 1)

    def forward(self, src: Tensor, maps: list[Tensor]) -> Tensor:
        *skips, top = maps
        x = self.deep(self.top(top) + self.context(top.mean((2, 3), keepdim=True)))
        for fuse, skip in zip(self.fuses[:-1], skips[:0:-1], strict=True):
            x = fuse(x, skip)
        even = F.pad(src, (0, src.shape[3] % 2, 0, src.shape[2] % 2))
        x = self.fuses[-1](x, skips[0], self.detail(even))
        return crop(F.pixel_shuffle(self.head(x), 2), src)


DECODERS: dict[str, Callable[..., nn.Module]] = {
    "transposed": partial(Stairs, transposed),
    "bilinear": partial(Stairs, bilinear),
    "light": Light,
}


class MUNet(nn.Module):
    """Encoder of width alpha (1 is the paper's) and one of the decoders, with so many outputs.

    `more` is the decoder's own: `deep` of "light".
    """

    def __init__(self, decoder: str = "light", alpha: float = 0.5, outputs: int = 1, **more: int):
        super().__init__()
        self.encoder = Encoder(alpha)
        self.decoder = DECODERS[decoder](alpha, outputs, **more)

    def forward(self, src: Tensor) -> Tensor:
        return self.decoder(src, self.encoder(src))
