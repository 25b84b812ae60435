"""Recipes, and what the loop makes of them: stages, schedules, changes, early stop."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from realtime.errors import ConfigError
from tests.portraits import house
from training import augment, data, losses, models, packing, recipes, train
from training.rates import OPTIMISERS, schedule
from training.recipe import WORDS, Recipe, Shape, Stage
from training.train import Run, Trainer, predicted

pytestmark = pytest.mark.usefixtures("one_thread")


ALL = pytest.mark.parametrize("name", recipes.RECIPES)


def small(name: str) -> Recipe:
    """A recipe on pictures of 64x64, two a batch: two stills, or two frames of one clip."""
    found = recipes.find(name)
    shape, frames = Shape((64, 64), (64, 64), 1.0), min(2, found.frames)
    twins = min(1, found.twins)
    return replace(found, shapes=(shape,), batch=2, twins=twins, frames=frames, clips=1)


def batch(used: Recipe) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A bright square in the dark, as large as the recipe's pictures."""
    src = torch.zeros(2, 3, 64, 64, dtype=torch.uint8)
    pha = torch.zeros(2, 1, 64, 64, dtype=torch.uint8)
    src[:, :, 16:48, 16:48] = 200
    pha[:, :, 16:48, 16:48] = 255 if used.task == "matte" else 3
    return src, pha, torch.ones_like(pha)


@pytest.fixture
def trainer(tmp_path: Path):
    """Makes a trainer of a recipe; its batches are drawn here, the pack lends its name alone."""
    for name in "abc":
        cv2.imwrite(str(tmp_path / f"{name}.jpg"), np.zeros((40, 40, 3), np.uint8))
        cv2.imwrite(str(tmp_path / f"{name}_mask.png"), np.eye(40, dtype=np.uint8) * 255)
    packing.build(tmp_path, tmp_path / "tiny.pack")

    def make(used: Recipe) -> Trainer:
        return Trainer(Run(used, tmp_path / "tiny.pack", tmp_path / "run", None, steps=10))

    return make


@ALL
def test_recipes_add_up_and_name_what_exists(name: str) -> None:
    used = recipes.find(name)
    assert sum(shape.share for shape in used.shapes) == pytest.approx(1)
    assert sum(stage.share for stage in used.stages) == pytest.approx(1)
    assert used.network in models.NETWORKS and used.optimiser in OPTIMISERS
    assert used.camera in augment.PRESETS
    assert all(stage.losses.keys() <= losses.TERMS.keys() for stage in used.stages)
    paired = {"twin", "consistency"} & {term for stage in used.stages for term in stage.losses}
    assert bool(paired) == bool(used.twins)


@ALL
def test_every_recipe_learns_what_its_stages_let_it(name: str, trainer) -> None:
    used = small(name)
    found = trainer(used)
    for begin in np.cumsum([0, *(stage.share for stage in used.stages)])[:-1]:
        found.step = int(np.ceil(10 * begin))
        stage = used.stage(found.progress())
        before = {k: v.detach().clone() for k, v in found.model.named_parameters()}
        figures = found.learn(batch(used))
        assert figures.keys() == {"rate", "loss", *stage.losses}
        assert all(np.isfinite(list(figures.values())))
        moved = {k for k, v in found.model.named_parameters() if not torch.equal(v, before[k])}
        frozen = {k for k in before if k.startswith(stage.frozen)}
        assert not moved & frozen and len(moved) > 0.5 * len(before.keys() - frozen)


@ALL
def test_what_forward_gives_is_the_mask_that_was_trained(name: str) -> None:
    used = small(name)
    network = models.build(used).eval()
    src = torch.rand(1, 3, 64, 96)
    classes = 9 if used.task == "parts" else 1
    with torch.inference_mode():
        out = network(src)
        mask = out[0] if isinstance(out, tuple) else out  # behind it, what is remembered
        assert mask.shape == (1, classes, 64, 96)
        torch.testing.assert_close(predicted(network, src)["mask"], mask)


def test_a_stage_ends_where_the_next_begins() -> None:
    first, last = Stage(0.3, {"bce": 1.0}), Stage(0.7, {"edge": 1.0})
    used = replace(recipes.find("sinet"), stages=(first, last))
    assert [used.stage(p) for p in (0, 0.29, 0.3, 1)] == [first, first, last, last]


@pytest.mark.parametrize("name", ["cosine", "polynomial", "plateau"])
def test_schedules_rise_and_then_never_rise_again(name: str) -> None:
    used = replace(recipes.find("sinet"), schedule=name, warm_up=0.1)
    rates = [schedule(used, p) for p in np.linspace(0, 1, 101)]
    assert rates[0] < 0.2 and max(rates) == pytest.approx(rates[10]) == pytest.approx(1)
    assert all(b <= a for a, b in pairwise(rates[10:]))
    assert rates[-1] == (1 if name == "plateau" else pytest.approx(0.01, abs=0.01))


def test_stuck_runs_slow_down_and_stop(trainer, tmp_path: Path) -> None:
    found = trainer(replace(small("sinet"), schedule="plateau", patience=9))
    for overall in (50, *[49] * 8):
        found.judge(overall, {})
    assert found.slowed == pytest.approx(0.01) and not found.stuck
    found.judge(49, {})
    assert found.stuck
    found.run = replace(found.run, workers=0, threads=1)
    found.fit()
    again = Trainer(found.run)  # the same command once more
    again.fit()
    assert again.stuck and again.step == 0
    _, card = models.load(tmp_path / "run" / "best.pt")
    assert "Trained by the recipe sinet" in card.origin and "encoder" not in card.origin
    found.judge(51, {})
    assert found.stale == 0 and found.best == 51


def test_changes_reach_recipe_and_network_and_are_remembered(trainer) -> None:
    changes = ("options.alpha=0.5", "batch=4", "camera=source-002", "decoder_rate=1")
    used = recipes.find("portraitnet", changes)
    assert (used.options, used.batch, used.decoder_rate) == ({"alpha": 0.5}, 4, 1.0)
    assert used.camera == "source-002"
    assert recipes.find("portraitnet").options == {"alpha": 1.0}
    ablated = recipes.find("scrim-r", ("losses.temporal=0", "mix.hard=0", "frames=1"))
    assert {stage.losses["temporal"] for stage in ablated.stages} == {0.0}
    assert (ablated.mix.hard, ablated.frames_of(1)) == (0.0, 1)
    assert (
        recipes.find("scrim-r").stages[0].losses["temporal"] > 0 < recipes.find("scrim-r").mix.hard
    )
    wide, narrow = (
        sum(p.numel() for p in models.build(r).parameters())
        for r in (recipes.find("portraitnet"), used)
    )
    assert narrow < wide / 3


def test_a_loss_changes_in_the_stages_that_have_it() -> None:
    before, after = (recipes.find("sinet", found).stages for found in ((), ["losses.coarse=0.1"]))
    assert {stage.losses["coarse"] for stage in after} == {0.1}
    first, *rest = recipes.find("sinet", ["losses.boundary_bce=0.5"]).stages
    assert first == before[0]
    assert {stage.losses["boundary_bce"] for stage in rest} == {0.5}


def test_a_run_of_another_network_is_not_gone_on_with(trainer) -> None:
    trainer(small("sinet")).save()
    with pytest.raises(ConfigError, match="another network"):
        trainer(small("transfer"))


def test_measuring_is_not_counted_as_training(trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    found = trainer(small("sinet"))
    found.run = replace(found.run, steps=3, evaluate_every_s=-1.0, workers=0, threads=1)
    monkeypatch.setattr(data, "loader", lambda *_: iter([batch(found.run.recipe)] * 3))
    clock = iter(range(10**6))
    monkeypatch.setattr(train, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(found, "check", lambda _log: [next(clock) for _ in range(1000)])
    found.fit()
    assert found.step == 3 and found.spent_s < 100


def test_a_card_says_where_the_encoder_started(trainer, tmp_path: Path) -> None:
    first = trainer(small("portraitnet-050"))
    first.judge(50, {})
    run = replace(first.run, out=tmp_path / "second", weights=tmp_path / "run" / "best.pt")
    Trainer(run).save()
    second = Trainer(replace(run, weights=tmp_path / "gone.npz"))  # resumed: no weights needed
    second.judge(50, {})
    _, card = models.load(tmp_path / "second" / "best.pt")
    assert "started from that of portraitnet-050, which learnt from the same." in card.origin


@pytest.mark.parametrize("name", ["scrim-r", "munet-webcam", "munet-parts"])
def test_a_card_names_the_pictures_that_clothes_are_cut_from(name: str, tmp_path: Path) -> None:
    pack = tmp_path / "data.pack"
    packing.build(house(tmp_path / "data"), pack)
    sources = Trainer(Run(small(name), pack, tmp_path / "run", None)).named()["sources"]
    assert ("parts" in sources) == (name != "munet-webcam")
    assert ("ccp" in sources) == (name != "munet-parts")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("batch", "no value"),
        ("batches=3", "batch"),
        ("batch=many", "not a int"),
        ("batch=1.5", "not a int"),
        ("decoder_rate=true", "not a float"),
        ("name=other", "no such key"),
        ("stages=1", "no such key"),
        ("batch.size=1", "no such key"),
        ("mix.people=1", "no such key"),
        ("mix.hard=much", "not a float"),
        ("losses.temporal=1", "losses.temporal: no such key"),
        ("schedule=plato", "polynomial, plateau"),
        ("optimiser=sgd", "adamw, adam"),
        ("task=part", "matte, parts"),
        ("camera=web", "webcam, source-000"),
    ],
)
def test_changes_that_cannot_be_are_refused(change: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        recipes.find("sinet", [change])
    assert said in f"{caught.value.message} {caught.value.hint}"


def test_the_words_that_are_allowed_are_those_there_are() -> None:
    assert WORDS["optimiser"] == tuple(OPTIMISERS) and WORDS["camera"] == tuple(augment.PRESETS)
    for used in recipes.RECIPES.values():
        assert all(getattr(used, key) in words for key, words in WORDS.items())


def test_options_that_a_network_lacks_are_refused() -> None:
    for change in ("options.depth=3", "options.decoder=steep"):
        with pytest.raises(ConfigError, match="munet does not take"):
            models.build(recipes.find("munet-128", [change]))


@pytest.mark.parametrize("name", augment.PRESETS)
def test_presets_keep_size_and_depend_on_their_numbers_alone(name: str) -> None:
    image = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    mask = np.zeros((60, 80), np.uint8)
    mask[20:, 20:50] = 255
    results = []
    for seed in (1, 1, 2):
        rng = np.random.default_rng(seed)
        src, (pha,) = augment.moved(name, image, [mask], rng)
        results.append((augment.relit(name, src, rng), pha))
        assert results[-1][0].shape == image.shape and pha.shape == mask.shape
    (src, pha), again, other = results
    assert np.array_equal(src, again[0]) and np.array_equal(pha, again[1])
    assert not np.array_equal(src, other[0]) or not np.array_equal(pha, other[1])


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ConfigError, match="source-000"):
        raise_hint(lambda: augment.preset("source-9"))


def raise_hint(call) -> None:
    """Raise the error with its hint in the message."""
    try:
        call()
    except ConfigError as error:
        raise ConfigError(f"{error.message} {error.hint}") from error
