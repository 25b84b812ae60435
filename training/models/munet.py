"""MobileNetV2 U-Net: one encoder (alpha 0.5), two decoders to choose from.

Encoder: Sandler et al. 2018, "MobileNetV2", up to block 16's projection. Skips are the outputs of
the expansions of blocks 13, 6, 3 and 1 (strides 16, 8, 4, 2), as in the portrait U-Nets of the
field. `Transposed` is that literature's decoder; `Light` is ours, for 256x144 in about a
millisecond.

`forward(src)`: src B x 3 x H x W, RGB in 0..1 -> logits B x 1 x H x W. Any H, W >= 32: an
up-sampled map is cropped to its skip where a side was odd.
"""

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Output channels and stride of blocks 0..16 at alpha 0.5; the expansion is 6 except in block 0.
BLOCKS = (
    *((8, 1), (16, 2), (16, 1), (16, 2), (16, 1), (16, 1), (32, 2), (32, 1), (32, 1), (32, 1)),
    *((48, 1), (48, 1), (48, 1), (80, 2), (80, 1), (80, 1), (160, 1)),
)
SKIPS = {1: 48, 3: 96, 6: 96, 13: 288}  # block -> channels of its expansion
STEM, TOP = 16, 160


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
        """Take folded weights (OIHW) and split them into unit-sized weights and a scale."""
        usual = (2 / weight[0].numel()) ** 0.5  # He et al. 2015: the size a fresh layer would have
        scale = weight.flatten(1).pow(2).mean(1).sqrt() / usual
        scale = scale.clamp(min=float(scale.median()) * 1e-2 + 1e-8)
        self.scale.copy_(scale)
        self.weight.copy_(weight / scale.view(-1, 1, 1, 1))
        self.bias.copy_(bias / scale)


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
    """src -> [skip /2, /4, /8, /16, top /32]."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(3, STEM, 3, 2)
        widths = [STEM, *(outputs for outputs, _ in BLOCKS)]
        self.blocks = nn.ModuleList(
            Block(widths[i], outputs, stride, 6 if i else 1)
            for i, (outputs, stride) in enumerate(BLOCKS)
        )

    def forward(self, src: Tensor) -> list[Tensor]:
        x = F.relu6(self.stem(src))
        maps = []
        for index, block in enumerate(self.blocks):
            x, wide = block(x)
            if index in SKIPS:
                maps.append(wide)
        return [*maps, x]

    def thaw(self, learning: bool) -> None:
        """Let the first stages, a third of the cost of a step, learn or not."""
        for module in (self.stem, *self.blocks[:4]):
            module.requires_grad_(learning)

    def fill(self, weights: Mapping[str, np.ndarray]) -> None:
        """Take batch-norm-folded weights named `stem.weight`, `block3.expand.bias`, ..."""
        for name, module in self.named_modules():
            if isinstance(module, Conv):
                key = name.replace("blocks.", "block")
                pair = (np.asarray(weights[f"{key}.{part}"]) for part in ("weight", "bias"))
                module.fill(*(torch.from_numpy(a.astype(np.float32)) for a in pair))


def crop(x: Tensor, like: Tensor) -> Tensor:
    """The top left part of x, as large as `like`."""
    return x[:, :, : like.shape[2], : like.shape[3]]


def double(x: Tensor) -> Tensor:
    """Twice the size, bilinear (half-pixel centres)."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def normed(*layers: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.ReLU())


class Up(nn.Module):
    """Transposed convolution 3x3 of stride 2, normalised, then joined to the skip."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        deconv = nn.ConvTranspose2d(inputs, outputs, 3, 2, padding=1, output_padding=1, bias=False)
        self.deconv = normed(deconv, channels=outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return torch.cat([crop(self.deconv(x), skip), skip], 1)


class Transposed(nn.Module):
    """The literature's decoder: transposed convolutions of the given widths, 1x1 at the end."""

    def __init__(self, widths: tuple[int, ...] = (512, 256, 128, 64, 32)):
        super().__init__()
        skips = [SKIPS[block] for block in (13, 6, 3, 1)]
        inputs = [TOP, *(w + s for w, s in zip(widths, skips, strict=False))]
        self.ups = nn.ModuleList(Up(i, o) for i, o in zip(inputs, widths, strict=True))
        self.head = nn.Conv2d(widths[-1], 1, 1)

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

    def __init__(self, coarse: int, skip: int, channels: int, depth: int):
        super().__init__()
        self.narrow = nn.Conv2d(coarse, channels, 1, bias=False)
        self.lateral = nn.Conv2d(skip, channels, 1, bias=False)
        self.norm = normed(channels=channels)
        self.refine = nn.Sequential(*(Separable(channels) for _ in range(depth)))

    def forward(self, x: Tensor, skip: Tensor, detail: Tensor | float = 0.0) -> Tensor:
        fused = crop(double(self.narrow(x)), skip) + self.lateral(skip)
        return self.refine(self.norm(fused + detail))


class Light(nn.Module):
    """Our decoder for webcams: bilinear up-sampling, narrow 1x1 skips, separable convolutions.

    The whole picture's mean steers the coarsest map. No layer works at full size, where a
    convolution costs as much as a quarter of the encoder: the last stage, at half size, sees the
    picture through a 4x4 window and writes four alphas a place (Shi et al. 2016, "sub-pixel").
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (128, 64, 32, 24),
        depths: tuple[int, ...] = (2, 2, 2, 2),
    ):
        super().__init__()
        top = widths[0]
        self.context = nn.Sequential(nn.Conv2d(TOP, top, 1), nn.ReLU(), nn.Conv2d(top, top, 1))
        self.top = normed(nn.Conv2d(TOP, top, 1, bias=False), channels=top)
        skips = [SKIPS[block] for block in (13, 6, 3, 1)]
        rows = zip([top, *widths[:-1]], skips, widths, depths, strict=True)
        self.fuses = nn.ModuleList(Fuse(*row) for row in rows)
        self.detail = nn.Conv2d(3, widths[-1], 4, 2, padding=1, bias=False)
        self.head = nn.Conv2d(widths[-1], 4, 1)

    def forward(self, src: Tensor, maps: list[Tensor]) -> Tensor:
        *skips, top = maps
        x = self.top(top) + self.context(top.mean((2, 3), keepdim=True))
        for fuse, skip in zip(self.fuses[:-1], skips[:0:-1], strict=True):
            x = fuse(x, skip)
        even = F.pad(src, (0, src.shape[3] % 2, 0, src.shape[2] % 2))
        x = self.fuses[-1](x, skips[0], self.detail(even))
        return crop(F.pixel_shuffle(self.head(x), 2), src)


class MUNet(nn.Module):
    """Encoder and one of the decoders."""

    def __init__(self, decoder: nn.Module):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = decoder

    def forward(self, src: Tensor) -> Tensor:
        return self.decoder(src, self.encoder(src))
