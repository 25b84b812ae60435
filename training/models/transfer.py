"""Transfer-learning U-Net (source 003): only the way up learns.

The encoder is MobileNetV2 with weights of another task; a recipe keeps it still (`frozen`). The
way up is that of TensorFlow's tutorial "Image segmentation", which the source follows: pix2pix's
transposed convolutions 3x3 of stride 2 with batch-norm and ReLU, 512-256-128-64, each joined to
the expansion of block 13, 6, 3 and 1, and one more transposed convolution for the logits. The
source asks for two classes by soft-max; one logit by sigmoid is the same.
"""

from torch import Tensor, nn

from training.models.mobilenet import Encoder, crop, expansions
from training.models.munet import transposed

WIDTHS = (512, 256, 128, 64)


class Transfer(nn.Module):
    """src B x 3 x H x W, RGB in 0..1 -> logits B x 1 x H x W; any H, W >= 32. Meant for 128x128.

    `alpha` is the encoder's width; the source's is 1.
    """

    def __init__(self, alpha: float = 0.5) -> None:
        super().__init__()
        self.encoder = Encoder(alpha)
        *skips, top = expansions(alpha)
        joined = [w + skip for w, skip in zip(WIDTHS, reversed(skips), strict=True)]
        pairs = zip([top, *joined[:-1]], WIDTHS, strict=True)
        self.ups = nn.ModuleList(transposed(inputs, outputs) for inputs, outputs in pairs)
        self.head = nn.ConvTranspose2d(joined[-1], 1, 3, 2, padding=1, output_padding=1)

    def forward(self, src: Tensor) -> Tensor:
        *skips, x = self.encoder(src)
        for up, skip in zip(self.ups, reversed(skips), strict=True):
            x = up(x, skip)
        return crop(self.head(x), src)
