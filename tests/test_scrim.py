"""Scrim's recurrent network and the clips it learns from."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.random import default_rng

from benchmarks import folding
from conversion.check import compare
from conversion.read import from_torch
from conversion.stamp import save, stamp
from realtime.contract import Card
from realtime.errors import ConfigError
from realtime.matting.engine import MattingModel
from tests.portraits import house
from training import lights, losses, models, optics, pack, packing, recipes
from training.clips import Director
from training.compose import Composer, Mix, View
from training.models.munet import MUNet
from training.models.scrim import MEMORY, Scrim
from training.motion import held_to_border, smeared, walk

pytestmark = pytest.mark.usefixtures("one_thread")

SIZE = (96, 64)


def remembering(seed: int = 0) -> Scrim:
    """A network whose memories and bottlenecks count, as deep as the one that is shipped."""
    torch.manual_seed(seed)
    network = Scrim(**recipes.find("scrim-r").options).eval()
    for part in (*network.decoder.grus, *network.decoder.deep):
        torch.nn.init.normal_(part.share)
    return network


@torch.inference_mode()
def test_a_clip_at_once_is_the_clip_frame_by_frame() -> None:
    network, clip = remembering(), torch.rand(2 * 3, 3, 64, 96)
    at_once = network.heads(clip, frames=3)["mask"]
    rec: tuple[torch.Tensor, ...] = ()
    for frame in range(3):
        logits, *memory = network(clip[frame::3], *rec)
        rec = tuple(memory)
        assert torch.allclose(logits, at_once[frame::3], atol=1e-5)


@torch.inference_mode()
def test_memory_matters_stays_bounded_and_starts_as_nothing_or_zeros() -> None:
    network, src = remembering(), torch.rand(1, 3, 64, 96)
    first, *rec = network(src)
    zeros = [torch.zeros_like(part) for part in rec]
    assert torch.equal(network(src, *zeros)[0], first)
    assert not torch.allclose(network(src, *rec)[0], first, atol=1e-3)
    for _ in range(50):
        _, *rec = network(torch.rand(1, 3, 64, 96), *rec)
    assert len(rec) == len(MEMORY)
    assert all(part.abs().max() <= 1 for part in rec)


@pytest.mark.parametrize("more", [0, 3])
def test_it_starts_from_what_a_still_network_has_learnt(more: int, tmp_path: Path) -> None:
    still, path = MUNet(), tmp_path / "best.pt"
    torch.save({"recipe": "munet-webcam", "model": still.state_dict()}, path)
    network = Scrim(deep=recipes.find("scrim-r").options["deep"] + more)
    assert models.start(network, path).startswith("Its decoder started from that of munet-webcam")
    taken = network.state_dict()
    last_skip = "decoder.fuses.2.lateral.weight"
    assert torch.equal(taken[last_skip], still.state_dict()[last_skip])
    assert all(not part.share.any() for part in (*network.decoder.grus, *network.decoder.deep))


@torch.inference_mode()
def test_bottlenecks_change_nothing_until_they_have_learnt(tmp_path: Path) -> None:
    plain, path, src = Scrim().eval(), tmp_path / "best.pt", torch.rand(1, 3, 64, 96)
    torch.save({"recipe": "scrim-r", "model": plain.state_dict()}, path)
    deeper = Scrim(deep=3).eval()
    assert models.start(deeper, path).startswith("Its decoder started")
    assert torch.allclose(deeper(src)[0], plain(src)[0], atol=1e-6)
    torch.nn.init.ones_(deeper.decoder.deep[0].share)
    assert not torch.allclose(deeper(src)[0], plain(src)[0], atol=1e-5)


def test_the_ir_remembers_as_the_network_does_at_every_size(tmp_path: Path) -> None:
    card = Card(
        name="scrim-test", licence="none", origin="test", sizes=(SIZE, SIZE[::-1]), memory=MEMORY
    )
    original = from_torch(remembering(), card)
    save(stamp(original.graph, card), tmp_path / "scrim-test.xml")
    rng = default_rng(1)
    pictures = [rng.integers(0, 255, (64, 96, 3), np.uint8) for _ in range(4)]
    drifts = compare(original, tmp_path / "scrim-test.xml", pictures)
    assert [drift.size for drift in drifts] == [SIZE, SIZE[::-1]]
    assert all(drift.largest < 0.01 for drift in drifts)
    model = MattingModel(tmp_path / "scrim-test.xml")
    assert model.resizable
    smaller, (width, height) = model.session(0.75), model.sizes(0.75)[0]
    for _ in range(2):
        assert smaller.infer(np.zeros((height, width, 3), np.uint8)).shape == (height, width)


def test_folding_is_measured_without_a_memory() -> None:
    with pytest.raises(ConfigError, match="scrim-r has a memory"):
        next(folding.measure("scrim-r", 1))


def test_the_temporal_term_ignores_what_stays_wrong() -> None:
    pha = torch.rand(2 * 3, 1, 8, 8)
    shifted = (pha * 0.9 + 0.05).logit()
    flickering = shifted + torch.tensor([0.0, 3.0, 0.0] * 2).view(6, 1, 1, 1)
    known = torch.ones_like(pha)

    def term(mask: torch.Tensor, frames: int) -> float:
        return losses.temporal(losses.Outcome({"mask": mask}, pha, known, 0, frames)).item()

    assert term(flickering, 3) > 5 * term(shifted, 3)
    assert term(flickering, 1) == 0


def test_every_third_batch_is_of_clips() -> None:
    assert [recipes.find("scrim-r").frames_of(n) for n in range(5)] == [1, 8, 1, 1, 8]
    assert {recipes.find("munet-webcam").frames_of(n) for n in range(4)} == {1}
    assert recipes.find("scrim-r").seen(5) == 3 * 16 + 2 * 3 * 8
    assert recipes.find("munet-webcam").seen(5) == 5 * 16


def test_the_larger_sizes_are_on_the_card_and_not_trained_at() -> None:
    used = recipes.find("scrim-r")
    learnt_at = tuple(shape.size for shape in used.shapes if shape.share)
    assert learnt_at == recipes.find("munet-webcam").sizes
    assert len(used.sizes) == 8 and (384, 224) in used.sizes


@pytest.fixture(scope="module")
def director(tmp_path_factory: pytest.TempPathFactory) -> Director:
    root = tmp_path_factory.mktemp("clips")
    packing.build(house(root / "data"), root / "data.pack")
    return Director(Composer(pack.Pack(root / "data.pack"), Mix()), "webcam")


def test_a_clip_depends_on_its_seed_alone(director: Director) -> None:
    for seed in range(12):
        one, two = (director.draw(SIZE, 4, default_rng(seed)) for _ in range(2))
        assert len(one) == 4
        for a, b in zip(one, two, strict=True):
            assert a.src.shape == (SIZE[1], SIZE[0], 3) and a.pha.shape == SIZE[::-1]
            assert a.src.dtype == a.pha.dtype == np.uint8
            assert np.array_equal(a.src, b.src) and np.array_equal(a.pha, b.pha)


def test_an_empty_room_has_no_matte(director: Director) -> None:
    for view in director.empty(SIZE, 3, default_rng(3)):
        assert not view.pha.any() and view.weight.all()


def test_a_person_cut_off_by_the_border_stays_so() -> None:
    row = pack.Row("eg1800", "a", 60, 48, 4, box=(0, 5, 48, 60))
    ways = walk(SIZE, 200, default_rng(4)) + 5 * default_rng(5).normal(size=(200, 4))
    held = held_to_border(ways, row, 2.0, 0.0, -40.0, 60, SIZE)
    assert (held[:, 1] - 40 + 120 >= SIZE[1]).all()
    assert (held[:, 0] <= 0).all() and (held[:, 0] + 96 >= SIZE[0]).all()


def test_motion_blur_keeps_the_sum() -> None:
    dot = np.zeros((21, 21, 4), np.uint8)
    dot[10, 10] = 255
    blurred = smeared(dot, np.array([5.0, 0.0]))
    assert np.count_nonzero(blurred[10, :, 3]) == 5 and not blurred[:10].any()
    assert abs(int(blurred[:, :, 3].sum()) - 255) <= 5
    assert smeared(dot, np.array([1.0, 0.0])) is dot


@pytest.mark.parametrize("event", lights.EVENTS)
def test_light_changes_colours_and_no_matte(event: object) -> None:
    rng = default_rng(7)
    gains = event(8, rng)
    assert gains.shape == (8, 3) and (gains > 0).all() and np.ptp(gains) > 0
    grey = np.full((12, 16, 3), 100, np.uint8)
    pha = np.zeros((12, 16), np.uint8)
    pha[:, 8:] = 255
    out = lights.lit(View(grey, pha, pha), np.full(3, 2.0), np.array([1.0, 0.5]), None)
    assert np.array_equal(out.pha, pha)
    assert out.src[0, 15, 0] == 200 and out.src[0, 0, 0] == 141


def test_a_codec_leaves_frames_of_the_same_number_and_likeness() -> None:
    ramp = np.linspace(0, 255, 64 * 48).reshape(48, 64).astype(np.uint8)
    frames = [np.ascontiguousarray(np.roll(np.dstack([ramp] * 3), n, 1)) for n in range(5)]
    coded = lights.coded(frames, 30)
    assert len(coded) == 5
    assert all(12 > cv2.absdiff(a, b).mean() > 0 for a, b in zip(frames, coded, strict=True))


def test_grain_is_new_in_every_frame_but_of_one_strength() -> None:
    grey = np.full((40, 40, 3), 128, np.uint8)
    loud = next(g for g in (optics.Grain(default_rng(s)) for s in range(50)) if not g.silent)
    rng = default_rng(0)
    a, b = loud.on(grey, rng), loud.on(grey, rng)
    assert not np.array_equal(a, b)
    assert 0.5 < a.std() / b.std() < 2
