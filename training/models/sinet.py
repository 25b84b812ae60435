"""SINet: a portrait network of 0.087 M parameters (Park et al. 2019, arXiv:1911.09099).

Encoder: a convolution, then two stages of S2 modules, each behind a depthwise separable
convolution of stride 2 with squeeze-and-excitation (Hu et al. 2018). An S2 module squeezes to half
the channels and looks at them through two S2 blocks, whose average pooling widens the view at no
cost. Decoder: where the coarse classes are sure, the fine features are blocked.

Built so that the weights of the authors' code (clovaai/ext_portrait_segmentation) fit. That code
equals the table of the paper and of source 000 in every kernel, pooling and width, and settles what
they leave open: the squeeze has two groups; what is joined is normalised before its PReLU; the
first module of a stage, which widens, has no residual; excitation ends in a PReLU and no sigmoid
(one layer of ratio 1 in the first stage, two of ratio 2 in the second); the decoder stays two
channels narrow up to a 3x3 convolution at full size. Source 001, in Keras, chose otherwise: no
groups, an extra separable convolution that widens before each stage's modules so that all have
residuals, excitation of ratio 16 behind the pointwise convolution, ReLU for PReLU and in front of
each pooling, all S2 blocks at half size, module 9 without its first pooling.

Written otherwise, with the same result:
- The channel shuffle behind the squeeze is left out: only a depthwise and a full pointwise
  convolution see those channels, so that it merely renumbers them.
- The two blocks of a module are normalised together, once they are joined: gradients of a part of
  a tensor cost a quarter of the time of a training step.
- The decoder normalises before bilinear up-sampling, not behind: they commute, but for the batch
  statistics while training, and it is a quarter of the work.
- The last convolution gives person minus background at once, as the soft-max of two classes is the
  sigmoid of their difference.
- Colours are RGB of unit variance. The authors feed BGR divided once more by 255, which their first
  convolution makes up for.

`forward(src)`: src B x 3 x H x W, RGB in 0..1 -> logits B x 1 x H x W; any H, W >= 32.
"""

from collections.abc import Mapping
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.mobilenet import crop

# Mean and standard deviation of the authors' training pictures, RGB in 0..255.
MEAN = (126.91212, 111.25247, 102.890434)
STD = (66.355705, 62.82138, 62.93292)

Blocks = tuple[tuple[int, int], tuple[int, int]]  # kernel and pooling of a module's two blocks

FINE: tuple[Blocks, ...] = (((3, 1), (5, 1)), ((3, 1), (3, 1)))
DEEP: tuple[Blocks, ...] = (
    *(((3, 1), (5, 1)), ((3, 1), (3, 1)), ((5, 1), (3, 2)), ((5, 2), (3, 4))),
    *(((3, 1), (3, 1)), ((5, 1), (5, 1)), ((3, 2), (3, 4)), ((3, 1), (5, 2))),
)


def enlarge(x: Tensor, factor: int) -> Tensor:
    """`factor` times the size, bilinear, corners on corners as the authors have it."""
    return F.interpolate(x, scale_factor=float(factor), mode="bilinear", align_corners=True)


def norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


def active(channels: int) -> nn.Sequential:
    return nn.Sequential(norm(channels), nn.PReLU(channels))


def depthwise(channels: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False)


def pointwise(inputs: int, outputs: int, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 1, groups=groups, bias=False)


class S2Block(nn.Module):
    """Average pooling, depthwise and pointwise convolution, back to the size of the input."""

    def __init__(self, channels: int, kernel: int, pool: int):
        super().__init__()
        self.pool = pool
        self.layers = nn.Sequential(
            depthwise(channels, kernel),
            active(channels),
            pointwise(channels, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.pool == 1:
            return self.layers(x)
        # A last window that hangs over the edge averages the pixels it has.
        small = F.avg_pool2d(x, self.pool, ceil_mode=True, count_include_pad=False)
        return crop(enlarge(self.layers(small), self.pool), x)


class S2Module(nn.Module):
    """Squeeze to half, two S2 blocks side by side, join, add the input where it is as wide."""

    def __init__(self, inputs: int, outputs: int, blocks: Blocks):
        super().__init__()
        half = outputs // 2
        self.squeeze = pointwise(inputs, half, groups=2)
        self.blocks = nn.ModuleList(S2Block(half, *block) for block in blocks)
        self.norm = norm(outputs)
        self.act = active(outputs)
        self.residual = inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        narrow = self.squeeze(x)
        joined = self.norm(torch.cat([block(narrow) for block in self.blocks], 1))
        return self.act(x + joined if self.residual else joined)


class Excite(nn.Module):
    """Weigh every channel by what the means of all channels say."""

    def __init__(self, *widths: int):
        super().__init__()
        self.layers = nn.Sequential()
        for inputs, outputs in pairwise(widths):
            self.layers.extend([nn.Conv2d(inputs, outputs, 1), nn.PReLU(outputs)])

    def forward(self, x: Tensor) -> Tensor:
        return x * self.layers(x.mean((2, 3), keepdim=True))


class Stage(nn.Module):
    """Half the size, the S2 modules, and both joined."""

    def __init__(self, inputs: int, narrow: int, wide: int, modules: tuple[Blocks, ...], *se: int):
        super().__init__()
        self.down = nn.Sequential(
            depthwise(inputs, 3, stride=2),
            Excite(inputs, *se, inputs),
            pointwise(inputs, narrow),
            active(narrow),
        )
        widths = [narrow] + [wide] * len(modules)
        rows = zip(pairwise(widths), modules, strict=True)
        self.chain = nn.Sequential(*(S2Module(*ends, blocks) for ends, blocks in rows))
        self.act = active(narrow + wide)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What the next stage sees, and what the modules say."""
        down = self.down(x)
        found = self.chain(down)
        return self.act(torch.cat([down, found], 1)), found


class Encoder(nn.Module):
    """src -> fine features B x 48 x H/4 x W/4, coarse classes B x 2 x H/8 x W/8."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1) / 255)
        self.register_buffer("scale", 255 / torch.tensor(STD).view(1, 3, 1, 1))
        self.stem = nn.Sequential(nn.Conv2d(3, 12, 3, 2, 1, bias=False), active(12))
        self.fine = Stage(12, 16, 48, FINE)
        self.deep = Stage(64, 48, 96, DEEP, 32)
        self.classify = pointwise(144, 2)

    def forward(self, src: Tensor) -> tuple[Tensor, Tensor]:
        joined, fine = self.fine(self.stem((src - self.mean) * self.scale))
        return fine, self.classify(self.deep(joined)[0])

    def fill(self, weights: Mapping[str, Tensor]) -> None:
        """Take the state of another `Encoder`, such as one that learnt alone.

        Raises KeyError for a missing name, RuntimeError for a misfit.
        """
        self.load_state_dict({name: weights[name] for name in self.state_dict()})


class Decoder(nn.Module):
    """Information blocking: fine features count where the coarse classes are unsure."""

    def __init__(self) -> None:
        super().__init__()
        self.coarse = norm(2)
        self.fine = nn.Sequential(pointwise(48, 2), active(2))
        self.norm = norm(2)
        self.head = nn.Conv2d(2, 1, 3, padding=1, bias=False)

    def forward(self, src: Tensor, fine: Tensor, coarse: Tensor) -> Tensor:
        classes = crop(enlarge(self.coarse(coarse), 2), fine)
        unsure = 1 - classes.softmax(1).amax(1, keepdim=True)
        classes = self.norm(classes + unsure * self.fine(fine))
        return self.head(crop(enlarge(enlarge(classes, 2), 2), src))


class SINet(nn.Module):
    """The encoder and the information blocking decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()

    def forward(self, src: Tensor) -> Tensor:
        return self.decoder(src, *self.encoder(src))

    def heads(self, src: Tensor) -> dict[str, Tensor]:
        """Logits of the matte, and of the encoder alone, which it may learn from first."""
        fine, coarse = self.encoder(src)
        alone = coarse[:, 1:] - coarse[:, :1]
        mask = self.decoder(src, fine, coarse)
        return {"mask": mask, "coarse": crop(enlarge(alone, 8), src)}
