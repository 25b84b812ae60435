"""SINet against its authors' weights and graph, and as a graph of OpenVINO."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import pytest
import torch

from conversion.read import from_torch
from realtime.contract import Card
from training.models.sinet import SINet

pytestmark = pytest.mark.usefixtures("one_thread")

WEIGHTS = Path(__file__).parents[2] / "shared" / "weights"
PTH, ONNX = WEIGHTS / "SINet.pth", WEIGHTS / "SINet_Softmax.onnx"
MEAN = (102.890434, 111.25247, 126.91212)  # the authors' normalisation of BGR, in 0..255
STD = (62.93292, 62.82138, 66.355705)

theirs = pytest.mark.skipif(
    not (PTH.is_file() and ONNX.is_file()), reason=f"no {PTH.name} and {ONNX.name} beside the house"
)


def pth() -> dict[str, torch.Tensor]:
    """The authors' checkpoint."""
    return dict(torch.load(PTH, map_location="cpu", weights_only=True))


def onnx() -> dict[str, torch.Tensor]:
    """The weights inside the authors' graph (of another training), by the checkpoint's names.

    Most slopes of PReLU lost their names; the numbers they got follow the order of the checkpoint.
    """
    nodes = ov.Core().read_model(ONNX).get_ops()
    found = {n.get_friendly_name(): n.data for n in nodes if n.get_type_name() == "Constant"}
    activations = [n for n in nodes if n.get_type_name() == "PRelu"]
    numbered = (n.input_value(1).get_node().get_friendly_name() for n in activations)
    slopes = (found[name] for name in sorted(filter(str.isdigit, numbered), key=int))
    named = {}
    for name, value in pth().items():
        if not name.endswith("num_batches_tracked"):
            given = found[f"0.{name}"] if f"0.{name}" in found else next(slopes)
            value = torch.from_numpy(given.copy())
        named[name] = value
    return named


def fitted(given: dict[str, torch.Tensor]) -> SINet:
    """A network with the authors' weights, whose order is that of ours."""
    network = SINet().eval()
    ours = {k: v for k, v in network.state_dict().items() if not k.endswith((".mean", ".scale"))}
    for (name, into), (other, value) in zip(ours.items(), rewritten(given), strict=True):
        assert name.split(".")[-1] == other.split(".")[-1]
        assert into.squeeze().shape == value.squeeze().shape, f"{name} is not {other}"
        into.copy_(value.reshape(into.shape))
    return network


def rewritten(given: dict[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    """Their parameters in our order of colours, classes, channels and norms."""
    for name, value in given.items():
        if name == "encoder.level1.conv.weight":
            yield name, value.flip(1) / 255
        elif name == "classifier.1.weight":
            yield name, value[1:] - value[:1]
        elif ".d2.bn." in name and value.ndim:
            yield name, torch.cat([given[name.replace(".d2.", ".d1.")], value])
        elif name.endswith("act_conv1x1.1.weight"):
            yield name, value[:, unshuffled(value.shape[1])]
        elif value.ndim and (".d1.conv." in name or ".d2.conv." in name or ".act_conv" in name):
            yield name, value[unshuffled(len(value))]
        elif ".d1.bn." not in name:
            yield name, value


def unshuffled(channels: int) -> torch.Tensor:
    """Where a shuffle of two groups put each channel."""
    return torch.arange(channels).view(-1, 2).T.flatten()


def drawn(seed: int, height: int = 320, width: int = 320) -> np.ndarray:
    """A picture of soft blobs with a bright disc, BGR uint8."""
    rng = np.random.default_rng(seed)
    picture = cv2.resize(rng.integers(0, 255, (9, 9, 3), np.uint8), (width, height))
    return cv2.circle(picture, (width // 2, height // 3), height // 5, (140, 170, 220), -1)


def as_src(bgr: np.ndarray) -> torch.Tensor:
    """BGR uint8 H x W x 3 -> 1 x 3 x H x W, RGB in 0..1."""
    return torch.from_numpy(bgr[:, :, ::-1].transpose(2, 0, 1)[None] / np.float32(255))


def exact(model: ov.Model | Path) -> ov.CompiledModel:
    """A graph computed in f32, on any processor."""
    hint = {ov.properties.hint.inference_precision(): ov.Type.f32}
    return ov.Core().compile_model(model, "CPU", hint)


@theirs
def test_the_output_is_that_of_the_authors_graph() -> None:
    network, graph = fitted(onnx()), exact(ONNX)
    noise = np.random.default_rng(0).integers(0, 255, (320, 320, 3), np.uint8)
    for bgr in (noise, drawn(1), drawn(2)):
        normed = ((bgr - np.float32(MEAN)) / np.float32(STD) / 255).transpose(2, 0, 1)[None]
        expected = graph(normed)[0][0, 1]
        assert expected.max() - expected.min() > 0.5
        with torch.inference_mode():
            alpha = network(as_src(bgr)).sigmoid()[0, 0].numpy()
        np.testing.assert_allclose(alpha, expected, rtol=0, atol=1e-4)


@theirs
def test_the_authors_checkpoint_fits() -> None:
    with torch.inference_mode():
        alpha = fitted(pth())(as_src(drawn(1))).sigmoid()
    assert alpha.isfinite().all() and alpha.max() - alpha.min() > 0.5


def lively(seed: int = 0) -> SINet:
    """A network of random weights whose norms know their data, in evaluation mode."""
    torch.manual_seed(seed)
    network = SINet()
    with torch.no_grad():
        for number in range(10):
            network(as_src(drawn(number, 64, 96)).expand(2, -1, -1, -1))
    return network.eval()


def test_it_has_as_many_parameters_as_the_paper_says() -> None:
    count = sum(parameter.numel() for parameter in SINet().parameters())
    assert count == 86_910 - 18  # 18: two classes at the end are one of their difference


@pytest.mark.parametrize("size", [(64, 64), (96, 160), (144, 256), (75, 101)])
def test_both_heads_are_as_large_as_the_picture(size: tuple[int, int]) -> None:
    network = lively()
    with torch.inference_mode():
        heads = network.heads(as_src(drawn(3, *size)))
        mask = network(as_src(drawn(3, *size)))
    assert {name: head.shape for name, head in heads.items()} == {
        "mask": (1, 1, *size),
        "coarse": (1, 1, *size),
    }
    assert torch.equal(mask, heads["mask"])


def test_the_coarse_head_teaches_the_encoder_alone() -> None:
    network = SINet()
    network.heads(torch.rand(2, 3, 64, 64))["coarse"].square().mean().backward()
    taught = {name for name, p in network.named_parameters() if p.grad is not None}
    assert taught == {name for name, _ in network.named_parameters() if name[:8] == "encoder."}


def test_an_encoder_goes_on_from_one_that_learnt_alone() -> None:
    learnt, fresh = lively(1), SINet().eval()
    state = learnt.state_dict().items()
    fresh.encoder.fill({name.removeprefix("encoder."): value for name, value in state})
    src = torch.rand(1, 3, 64, 64)
    assert torch.equal(fresh.heads(src)["coarse"], learnt.heads(src)["coarse"])
    with pytest.raises(KeyError):
        fresh.encoder.fill({})


def test_where_the_encoder_is_sure_fine_features_are_blocked() -> None:
    network = lively()
    src, fine = torch.rand(1, 3, 64, 64), torch.randn(2, 1, 48, 16, 16)
    sure = torch.tensor([40.0, -40.0]).view(1, 2, 1, 1).expand(1, 2, 8, 8)
    one, other = (network.decoder(src, features, sure) for features in fine)
    torch.testing.assert_close(one, other)
    one, other = (network.decoder(src, features, 0 * sure) for features in fine)
    assert (one - other).abs().max() > 1e-3


def test_it_learns() -> None:
    torch.manual_seed(0)
    network = SINet()
    optimiser = torch.optim.Adam(network.parameters(), 7.5e-3)
    src = torch.stack([as_src(drawn(number, 64, 64))[0] for number in range(4)])
    disc = torch.from_numpy(cv2.circle(np.zeros((64, 64), np.float32), (32, 21), 12, 1.0, -1))
    pha = disc.expand(4, 1, 64, 64)
    lost = []
    for _ in range(12):
        loss = sum(
            torch.nn.functional.binary_cross_entropy_with_logits(head, pha)
            for head in network.heads(src).values()
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        lost.append(loss.item())
    assert lost[-1] < lost[0] / 2, lost


def test_openvino_computes_the_same_at_every_size() -> None:
    network = lively()
    sizes = ((256, 144), (64, 64), (100, 76))
    card = Card(name="sinet", licence="none", origin="a test", sizes=sizes)
    graph = exact(from_torch(network, card).graph)
    for width, height in sizes:
        src = as_src(drawn(5, height, width))
        with torch.inference_mode():
            expected = network(src).numpy()
        np.testing.assert_allclose(graph(src.numpy())[0], expected, rtol=0, atol=1e-4)
