"""PortraitNet: the paper's channels, two heads that learn, one that is kept."""

import warnings

import numpy as np
import openvino as ov
import pytest
import torch
from torch import Tensor, nn

from training.models.mobilenet import Conv, Encoder
from training.models.portraitnet import DBlock, PortraitNet, upsampling

pytestmark = pytest.mark.usefixtures("one_thread")


def converted(network: nn.Module) -> ov.Model:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*torch.jit.trace", DeprecationWarning)
        return ov.convert_model(
            network.eval(), input=[1, 3, -1, -1], example_input=torch.zeros(1, 3, 64, 64)
        )


class Both(nn.Module):
    """Both heads side by side."""

    def __init__(self, network: PortraitNet):
        super().__init__()
        self.network = network

    def forward(self, src: Tensor) -> Tensor:
        return torch.cat(list(self.network.heads(src).values()), 1)


@pytest.mark.parametrize(
    ("alpha", "channels"), [(1.0, [320, 96, 32, 24, 16, 8]), (0.5, [160, 48, 16, 16, 16, 8])]
)
def test_channels_are_those_of_the_authors(alpha: float, channels: list[int]) -> None:
    network = PortraitNet(alpha)
    found = [block.block[0][1].in_channels for block in network.blocks]
    assert [*found, network.mask.in_channels] == channels
    assert [up.out_channels for up in network.ups] == channels[1:]


@pytest.mark.parametrize("size", [(64, 64), (96, 32), (50, 75)])
def test_logits_are_as_large_as_the_picture(size: tuple[int, int]) -> None:
    network, src = PortraitNet(0.5).eval(), torch.rand(2, 3, *size)
    with torch.inference_mode():
        heads = network.heads(src)
        assert list(heads) == ["mask", "boundary"]
        assert all(logits.shape == (2, 1, *size) for logits in heads.values())
        assert torch.equal(network(src), heads["mask"])
        assert not torch.equal(heads["mask"], heads["boundary"])


def test_every_weight_learns_and_the_mask_alone_spares_the_boundary() -> None:
    network, src = PortraitNet(0.5), torch.rand(2, 3, 64, 64)
    network(src).square().mean().backward()
    assert network.boundary.weight.grad is None
    sum(logits.square().mean() for logits in network.heads(src).values()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


def test_a_few_steps_find_a_bright_person_and_its_edge() -> None:
    pha = torch.zeros(2, 1, 32, 32)
    pha[0, :, 8:, 10:22], pha[1, :, 12:, 4:20] = 1, 1
    edge = nn.functional.max_pool2d(pha, 3, 1, 1) + nn.functional.max_pool2d(-pha, 3, 1, 1)
    src = 0.2 + 0.6 * pha.expand(-1, 3, -1, -1)
    network = PortraitNet(0.5)
    optimiser = torch.optim.Adam(network.parameters(), 5e-3)
    loss = nn.functional.binary_cross_entropy_with_logits
    for _ in range(30):
        heads = network.heads(src)
        optimiser.zero_grad()
        (loss(heads["mask"], pha) + loss(heads["boundary"], edge)).backward()
        optimiser.step()
    heads = network.heads(src)
    assert ((heads["mask"] > 0) == (pha > 0.5)).float().mean() > 0.97
    assert heads["boundary"][edge > 0.5].mean() > heads["boundary"][edge < 0.5].mean() + 1


def test_upsampling_starts_out_bilinear() -> None:
    x = torch.rand(1, 3, 6, 5)
    found = upsampling(3)(x)[..., 1:-1, 1:-1]
    wanted = nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(found, wanted[..., 1:-1, 1:-1])


def test_a_d_block_of_one_width_passes_its_input_on() -> None:
    assert isinstance(DBlock(8, 8).residual, nn.Identity)
    assert isinstance(DBlock(8, 16).residual[0], nn.Conv2d)


def test_a_wider_network_starts_from_narrow_weights() -> None:
    narrow, network = Encoder(0.5), PortraitNet(1.0)
    network.encoder.fill(narrow.state_dict())
    filled = [m for m in network.encoder.modules() if isinstance(m, Conv)]
    bias = narrow.blocks[4].expand.bias * narrow.blocks[4].expand.scale
    found = network.encoder.blocks[4].expand
    assert len(filled) == 51
    torch.testing.assert_close((found.bias * found.scale)[: len(bias)], bias)


def holds(graph: ov.Model, weight: Tensor) -> bool:
    constants = (o for o in graph.get_ops() if o.get_type_name() == "Constant")
    alike = (c.data for c in constants if c.shape == list(weight.shape))
    return any(np.allclose(found, weight.detach(), atol=1e-2) for found in alike)


def test_the_converted_graph_lacks_the_boundary_head_and_takes_any_size() -> None:
    network = PortraitNet(0.25)
    with torch.no_grad():
        network.boundary.weight.fill_(0.75)
    graph, both = converted(network), converted(Both(network))
    assert holds(graph, network.mask.weight) and not holds(graph, network.boundary.weight)
    assert holds(both, network.mask.weight) and holds(both, network.boundary.weight)
    run = ov.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for height, width in ((64, 96), (50, 75)):
        src = torch.rand(1, 3, height, width)
        with torch.inference_mode():
            wanted = network(src).numpy()
        np.testing.assert_allclose(run(src.numpy())[0], wanted, atol=2e-4)
