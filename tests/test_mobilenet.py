"""The encoder: the paper's channels, weights that fit, weights widened without a change."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from training.models import munet
from training.models.mobilenet import Conv, Encoder, Weights, expansions, projections, widths

pytestmark = pytest.mark.usefixtures("one_thread")


def archive(encoder: Encoder) -> dict[str, np.ndarray]:
    """The encoder's effective weights under the names of the folded file."""
    found = {}
    for name, module in encoder.named_modules():
        if isinstance(module, Conv):
            key = name.replace("blocks.", "block")
            weight = module.weight * module.scale.view(-1, 1, 1, 1)
            found[f"{key}.weight"] = weight.detach().numpy()
            found[f"{key}.bias"] = (module.bias * module.scale).detach().numpy()
    return found


def trained(alpha: float) -> Encoder:
    """An encoder whose channels differ in size and whose scales are not 1."""
    fresh = Encoder(alpha)
    weights = archive(fresh)
    sizes = np.random.default_rng(5)
    found = Encoder(alpha)
    found.fill(
        {
            key: value * sizes.uniform(0.5, 3, (len(value), *[1] * (value.ndim - 1)))
            for key, value in weights.items()
        }
    )
    return found.eval()


def test_channels_follow_the_paper() -> None:
    half = [16, 8, 16, 16, 16, 16, 16, 32, 32, 32, 32, 48, 48, 48, 80, 80, 80, 160]
    whole = [32, 16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320]
    assert widths(0.5) == half and widths(1.0) == whole
    assert expansions(0.5) == [48, 96, 96, 288, 160]
    assert projections(1.0) == [16, 24, 32, 96, 320]


@pytest.mark.parametrize("alpha", [0.35, 0.5, 1.0])
def test_maps_halve_and_have_their_channels(alpha: float) -> None:
    encoder, src = Encoder(alpha).eval(), torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        wide, narrow = encoder(src), encoder.stages(src)
    sides = [(64 // stride, 96 // stride) for stride in (2, 4, 8, 16, 32)]
    assert [x.shape[1:] for x in wide] == [
        (c, *s) for c, s in zip(expansions(alpha), sides, strict=True)
    ]
    assert [x.shape[1:] for x in narrow] == [
        (c, *s) for c, s in zip(projections(alpha), sides, strict=True)
    ]


def test_names_in_a_checkpoint_stay() -> None:
    found = munet.MUNet("transposed").state_dict()
    assert sum(key.startswith("encoder.") for key in found) == 3 * 51
    for key, shape in {
        "encoder.stem.weight": (16, 3, 3, 3),
        "encoder.blocks.0.depthwise.weight": (16, 1, 3, 3),
        "encoder.blocks.3.expand.bias": (96,),
        "encoder.blocks.13.project.scale": (80,),
        "encoder.blocks.16.project.weight": (160, 480, 1, 1),
        "decoder.ups.0.deconv.0.weight": (160, 512, 3, 3),
        "decoder.ups.1.deconv.0.weight": (800, 256, 3, 3),
        "decoder.ups.4.deconv.1.running_var": (32,),
        "decoder.head.weight": (1, 32, 1, 1),
    }.items():
        assert found[key].shape == shape, key


@pytest.mark.parametrize("read", [archive, Encoder.state_dict])
@pytest.mark.parametrize(("narrow", "wide"), [(0.35, 0.5), (0.5, 1.0), (0.5, 0.5)])
def test_a_widened_encoder_computes_the_same(
    read: Callable[[Encoder], Weights], narrow: float, wide: float
) -> None:
    small, large = trained(narrow), Encoder(wide).eval()
    large.fill(read(small))
    src = torch.rand(2, 3, 64, 48)
    with torch.inference_mode():
        pairs = [*zip(small(src), large(src), strict=True)]
        pairs += zip(small.stages(src), large.stages(src), strict=True)
    for few, many in pairs:
        copies = few[:, torch.arange(many.shape[1]) % few.shape[1]]
        error = (many - copies).abs().max() / few.abs().max()
        assert few.std() > 0 and error < 1e-4


def test_copies_of_a_channel_learn_apart() -> None:
    small, large = trained(0.5), Encoder(1.0)
    large.fill(archive(small))
    large(torch.rand(2, 3, 64, 64))[-1].square().mean().backward()
    for name in ("stem", "blocks.2.expand", "blocks.2.depthwise"):
        gradient = large.get_submodule(name).weight.grad.flatten(1)
        copy = len(small.get_submodule(name).weight)  # the first copy of channel 0
        assert gradient[0].norm() > 0
        assert torch.cosine_similarity(gradient[0], gradient[copy], dim=0) < 0.999


def test_weights_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Encoder(0.5).fill(Encoder(1.0).state_dict())
    with pytest.raises(KeyError, match="stem"):
        Encoder(0.5).fill({})
    weights = archive(Encoder(0.5))
    with pytest.raises(ValueError, match="kernel"):
        Encoder(0.5).fill(weights | {"stem.weight": weights["stem.weight"][..., :1]})


@pytest.mark.parametrize("alpha", [0.5, 1.0])
@pytest.mark.parametrize("decoder", ["transposed", "bilinear", "light"])
def test_every_decoder_fits_every_width(decoder: str, alpha: float) -> None:
    network = munet.MUNet(decoder, alpha, outputs=2).eval()
    with torch.inference_mode():
        for height, width in ((64, 96), (37, 50)):
            assert network(torch.rand(1, 3, height, width)).shape == (1, 2, height, width)
