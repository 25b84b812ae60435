"""PortraitNet (Zhang et al. 2019; source 002): MobileNetV2, D-blocks, a mask and a boundary head.

The encoder's linear outputs at strides 16, 8 and 4 are added to the up-sampled map; the last two
steps up have no skip. The boundary head teaches the shared features where people end; only
`heads` computes it, so that it costs nothing once trained.

`forward(src)`: src B x 3 x H x W, RGB in 0..1 -> logits B x 1 x H x W of the mask.
`heads(src)` -> {"mask", "boundary"}: logits B x 1 x H x W each. Any H, W >= 32.
"""

import torch
from torch import Tensor, nn

from training.models.mobilenet import Encoder, crop, normed, projections

LAST = (16, 8)  # channels at strides 4 and 2; the authors' code keeps them at every width


def separable(inputs: int, outputs: int) -> nn.Sequential:
    """Depthwise 3x3 with batch-norm and ReLU, pointwise 1x1 with batch-norm."""
    depthwise = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
    pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
    return nn.Sequential(normed(depthwise, channels=inputs), pointwise, nn.BatchNorm2d(outputs))


class DBlock(nn.Module):
    """Two depthwise separable convolutions beside a 1x1 residual, added, ReLU."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.block = nn.Sequential(
            separable(inputs, outputs), nn.ReLU(), separable(outputs, outputs)
        )
        self.residual = (
            nn.Identity()
            if inputs == outputs
            else nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.block(x) + self.residual(x))


def upsampling(channels: int) -> nn.ConvTranspose2d:
    """Transposed convolution 4x4 of stride 2 that starts out bilinear (Long et al. 2015)."""
    deconv = nn.ConvTranspose2d(channels, channels, 4, 2, padding=1, bias=False)
    row = torch.tensor([0.25, 0.75, 0.75, 0.25])
    with torch.no_grad():
        deconv.weight.copy_(torch.eye(channels)[..., None, None] * row[:, None] * row)
    return deconv


class PortraitNet(nn.Module):
    """The network; alpha is the encoder's width, 1 the paper's."""

    def __init__(self, alpha: float = 1.0):
        super().__init__()
        self.encoder = Encoder(alpha)
        _, *skips, top = projections(alpha)
        widths = [*reversed(skips), *LAST]
        self.blocks = nn.ModuleList(
            DBlock(i, o) for i, o in zip([top, *widths], widths, strict=False)
        )
        self.ups = nn.ModuleList(upsampling(channels) for channels in widths)
        self.mask = nn.Conv2d(LAST[-1], 1, 3, padding=1)
        self.boundary = nn.Conv2d(LAST[-1], 1, 3, padding=1)

    def features(self, src: Tensor) -> Tensor:
        """B x 8 x H x W, what both heads read."""
        half, *skips, x = self.encoder.stages(src)
        below = [*reversed(skips), half, src]
        for step, (block, up) in enumerate(zip(self.blocks, self.ups, strict=True)):
            x = crop(up(block(x)), below[step])
            x = x + below[step] if step < len(skips) else x
        return x

    def forward(self, src: Tensor) -> Tensor:
        return self.mask(self.features(src))

    def heads(self, src: Tensor) -> dict[str, Tensor]:
        features = self.features(src)
        return {"mask": self.mask(features), "boundary": self.boundary(features)}
