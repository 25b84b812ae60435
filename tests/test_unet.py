"""The plain U-Net of many classes and the transfer-learning U-Net."""

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import openvino as ov
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from training.models.munet import DECODERS, MUNet
from training.models.transfer import Transfer
from training.models.unet import CHANNELS, MEAN, UNet

pytestmark = pytest.mark.usefixtures("one_thread")

NARROW = 0.1
"""Ten channels a level at least: as many as the finest level has anyway."""


def weights(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_channels_are_the_source_s() -> None:
    network = UNet()
    assert list(CHANNELS) == [10, 32, 64, 128, 256, 512, 1024]
    down = [network.stem, *network.downs]
    assert [level[1][0].out_channels for level in down] == [*CHANNELS]
    assert [up.refine[0].out_channels for up in network.ups] == [512, 256, 128, 64, 32, 10]
    assert network.head.out_channels == 9


@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("size", [(64, 64), (96, 160), (75, 101)])
def test_logits_are_as_large_as_the_picture(size: tuple[int, int], skips: bool) -> None:
    with torch.inference_mode():
        logits = UNet(5, NARROW, skips).eval()(torch.rand(2, 3, *size))
    assert logits.shape == (2, 5, *size)


def test_width_is_a_factor_on_the_channels() -> None:
    assert UNet(width=0.25).downs[-1][1][0].out_channels == 256
    assert UNet(width=0.25).stem[0][0].out_channels == CHANNELS[0]
    assert weights(UNet(width=NARROW)) < weights(UNet(width=0.25)) < weights(UNet(width=0.5))


def test_past_the_coarse_levels_only_skips_carry_the_picture() -> None:
    for skips in (True, False):
        network = UNet(width=NARROW, skips=skips).eval()
        for down in network.downs:
            nn.init.zeros_(down[1][1].weight)  # its batch-norm: nothing comes through
        with torch.inference_mode():
            same = torch.equal(*(network(torch.rand(1, 3, 64, 64)) for _ in range(2)))
        assert same != skips


def test_the_mean_colour_is_the_network_s_zero() -> None:
    network = UNet(width=NARROW).eval()
    seen: list[torch.Tensor] = []
    network.stem.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    with torch.inference_mode():
        network(torch.tensor(MEAN).view(1, 3, 1, 1).expand(1, 3, 64, 64))
    assert float(seen[0].abs().max()) < 1e-6


def test_dropout_only_while_learning() -> None:
    src = torch.rand(2, 3, 64, 64)
    network = UNet(width=NARROW, dropout=0.5)
    with torch.inference_mode():
        assert not torch.equal(network(src), network(src))
        network.eval()
        assert torch.equal(network(src), network(src))


def test_it_learns_where_the_bright_half_is() -> None:
    src = torch.rand(2, 3, 64, 64) * 0.2
    src[0, :, :32] += 0.7
    src[1, :, :, 32:] += 0.7
    labels = (src.mean(1) > 0.5).long() * 3
    network = UNet(width=NARROW)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(20):
        optimiser.zero_grad()
        loss = F.cross_entropy(network(src), labels)
        loss.backward()
        optimiser.step()
    right = network(src).argmax(1) == labels
    assert float(right.float().mean()) > 0.95


@pytest.mark.parametrize("build", [partial(UNet, width=NARROW), Transfer])
def test_one_graph_takes_every_size(build: Callable[[], nn.Module]) -> None:
    """Sizes are not baked into the traced graph."""
    network = build().eval()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*torch.jit.trace", DeprecationWarning)
        graph = ov.convert_model(
            network,
            input=ov.PartialShape([1, 3, -1, -1]),
            example_input=torch.zeros(1, 3, 64, 128),
        )
    core = ov.Core()
    core.set_property("CPU", {ov.properties.hint.inference_precision(): ov.Type.f32})
    compiled = core.compile_model(graph, "CPU")
    for height, width in ((64, 128), (96, 64)):
        src = torch.rand(1, 3, height, width)
        with torch.inference_mode():
            expected = network(src).numpy()
        np.testing.assert_allclose(compiled(src.numpy())[0], expected, atol=1e-3)


@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_the_way_up_meets_the_encoder_of_any_width(alpha: float) -> None:
    with torch.inference_mode():
        assert Transfer(alpha).eval()(torch.rand(1, 3, 128, 96)).shape == (1, 1, 128, 96)


def test_the_way_up_learns_while_the_encoder_stands_still() -> None:
    network = Transfer()
    network.encoder.requires_grad_(False)
    network(torch.rand(2, 3, 64, 64)).mean().backward()
    learning = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
    assert learning
    assert all(name.startswith(("ups.", "head.")) for name in learning)
    missing = [n for n, p in network.named_parameters() if p.requires_grad and p.grad is None]
    assert not missing


@pytest.mark.parametrize("decoder", DECODERS)
def test_the_webcam_network_can_tell_classes_apart_too(decoder: str) -> None:
    """Each class has a logit of its own at every pixel, at the place of its pixel."""
    network = MUNet(decoder, outputs=9).eval()
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 96, 64)).shape == (1, 9, 96, 64)
        nn.init.zeros_(network.decoder.head.weight)
        network.decoder.head.bias.copy_(
            torch.arange(9.0).repeat_interleave(len(network.decoder.head.bias) // 9)
        )
        assert torch.equal(network(torch.rand(1, 3, 64, 64)).argmax(1), torch.full((1, 64, 64), 8))
