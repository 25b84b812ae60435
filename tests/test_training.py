"""The networks, the losses and the data: small, on pictures drawn here."""

import signal
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from typer.testing import CliRunner

from realtime.errors import ConfigError, ModelContract, ModelNotFound
from tests.portraits import plain
from training import data, models, packing, recipes, sheet
from training.commands import START, app
from training.evaluate import Network, Score, evaluate
from training.models import mobilenet
from training.recipe import Shape
from training.train import Run, Trainer

pytestmark = pytest.mark.usefixtures("one_thread")


def draw(path: Path, seed: int, person: bool = True) -> np.ndarray:
    """Write a picture of a "person" (a bright disc on a body); give its mask."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 90, (96, 80, 3), np.uint8)
    mask = np.zeros((96, 80), np.uint8)
    if person:
        cv2.circle(mask, (40, 40), 16, 255, -1)
        cv2.rectangle(mask, (22, 54), (58, 96), 255, -1)
        image[mask > 0] = rng.integers(150, 255, 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)
    return mask


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of a dozen drawn pictures, laid out as the real one."""
    root = tmp_path_factory.mktemp("data")
    for split, number in (("train", 4), ("val", 2)):
        for i in range(number):
            mask = draw(root / f"stills/{split}/eg1800/img/{i}.png", i)
            path = root / f"stills/{split}/eg1800/mask/{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), mask)
    for i in range(3):
        draw(root / f"backgrounds/{i}.png", 50 + i, person=False)
        draw(root / f"negatives/img/{i}.png", 80 + i, person=False)
    return root


@pytest.fixture(scope="module")
def packed(folder: Path) -> Path:
    packing.build(folder, folder / "tiny.pack")
    return folder / "tiny.pack"


TINY = replace(
    recipes.find("munet-webcam"),
    shapes=(Shape((64, 48), (64, 48), 0.5), Shape((48, 64), (48, 64), 0.5)),
    batch=4,
    twins=1,
)


@pytest.mark.parametrize("size", [(256, 144), (168, 224), (75, 101)])
def test_logits_are_as_large_as_the_picture(size: tuple[int, int]) -> None:
    width, height = size
    for name in ("munet-webcam", "munet-128"):
        network = models.build(recipes.find(name)).eval()
        with torch.inference_mode():
            assert network(torch.rand(1, 3, height, width)).shape == (1, 1, height, width)


def folded(seed: int = 0) -> dict[str, np.ndarray]:
    """Encoder weights of wildly different size, as folding leaves them."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, module in mobilenet.Encoder().named_modules():
        if isinstance(module, mobilenet.Conv):
            key = name.replace("blocks.", "block")
            size = 10 ** rng.uniform(-1, 1, module.weight.shape[0])
            weight = module.weight.detach().numpy() * size[:, None, None, None]
            found[f"{key}.weight"] = weight.astype(np.float16)
            found[f"{key}.bias"] = rng.normal(0, 0.1, module.weight.shape[0]).astype(np.float16)
    return found


@pytest.mark.parametrize("side", [16, 17])
def test_a_filled_convolution_equals_the_folded_one(side: int) -> None:
    weights = folded()
    encoder = mobilenet.Encoder()
    encoder.fill(weights)
    weight, bias = (
        torch.from_numpy(weights[f"stem.{k}"].astype(np.float32)) for k in ("weight", "bias")
    )
    src = torch.rand(1, 3, side, side)
    before = side % 2  # TensorFlow's "same" at stride 2
    direct = F.conv2d(F.pad(src, (before, 1, before, 1)), weight, bias, stride=2)
    torch.testing.assert_close(encoder.stem(src), direct, rtol=1e-4, atol=1e-4)


def test_the_file_that_an_encoder_started_from_is_named(tmp_path: Path) -> None:
    network = models.build(recipes.find("munet-webcam"))
    for name, said in (("mine", "from mine.npz"), ("mobilenetv2_050_folded", "anilsathyan7")):
        np.savez(tmp_path / f"{name}.npz", **folded())
        assert said in models.start(network, tmp_path / f"{name}.npz")


def test_encoder_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    network = models.build(recipes.find("munet-webcam"))
    with pytest.raises(ModelNotFound, match=r"nothing\.npz"):
        models.start(network, tmp_path / "nothing.npz")
    np.savez(tmp_path / "other.npz", stem=np.zeros(3))
    (tmp_path / "half.npz").write_bytes((tmp_path / "other.npz").read_bytes()[:99])
    (tmp_path / "empty.npz").touch()
    for name in ("other", "half", "empty"):
        with pytest.raises(ModelContract, match="does not fit"):
            models.start(network, tmp_path / f"{name}.npz")


def test_batches_depend_on_their_number_alone(packed: Path) -> None:
    first, second = data.Batches(packed, TINY), data.Batches(packed, TINY)
    first[0]
    for one, other in zip(first[6], second[6], strict=True):
        assert torch.equal(one, other)
    src, pha, weight = first[6]
    assert src.dtype == torch.uint8 and src.shape[1:] in {(3, 48, 64), (3, 64, 48)}
    assert torch.equal(pha[0], pha[-1]) and not torch.equal(src[0], src[-1])
    assert set(weight.unique().tolist()) <= {0, 1}


def test_a_resumed_run_gives_the_weights_of_one_that_was_not_stopped(
    packed: Path, tmp_path: Path
) -> None:
    def run(out: str) -> Run:
        return Run(TINY, packed, tmp_path / out, None, steps=4, workers=0, threads=1)

    whole = Trainer(run("whole"))
    whole.fit()
    half = Trainer(run("halves"))
    for number in range(2):
        half.learn(data.Batches(packed, TINY)[number])
    half.save()
    rest = Trainer(run("halves"))
    assert rest.step == 2
    rest.fit()
    for a, b in zip(whole.ema.parameters(), rest.ema.parameters(), strict=True):
        assert torch.equal(a, b)
    network, card = models.load(tmp_path / "whole" / "best.pt")
    assert card.name == "munet-webcam" and card.sizes[0] == (256, 144)
    assert not network.training


def test_fit_and_evaluate_from_the_command_line(folder: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "encoder.npz", **folded())
    out = tmp_path / "run"
    words = ["fit", "--recipe", "munet-webcam", "--steps", "1", "--workers", "0", "--data"]
    paths = ["--pack", tmp_path / "a.pack", "--weights", tmp_path / "encoder.npz", "--out", out]
    done = CliRunner().invoke(app, [*words, str(folder), *map(str, paths)])
    assert done.exit_code == 0 and f"{out}: step 1, done" in done.output.replace("\n", "")
    assert {file.name for file in out.iterdir()} == {"last.pt", "best.pt", "worst.jpg", "log"}
    assert [path for path in (out / "log").iterdir() if b"val/eg1800" in path.read_bytes()]
    assert cv2.imread(str(out / "worst.jpg")).shape == (120, 4 * 3 * 120, 3)
    done = CliRunner().invoke(app, ["evaluate", str(out / "best.pt"), "--data", str(folder)])
    assert done.exit_code == 0 and "eg1800" in done.output
    shown = str(tmp_path / "sheet.png")
    words = ["show", shown, "--number", "1", "--data", str(folder), "--set", "batch=8"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0 and cv2.imread(shown).shape == (2 * 120, 4 * 2 * 120, 3)


def test_ctrl_c_saves_and_the_run_goes_on(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(Run(TINY, packed, tmp_path, None, steps=3, workers=0, threads=1))
    learn = trainer.learn

    def interrupted(batch: data.Batch) -> dict[str, float]:
        stop = signal.getsignal(signal.SIGINT)
        assert callable(stop)
        stop(signal.SIGINT, None)  # as Python does at a Ctrl-C
        return learn(batch)

    monkeypatch.setattr(trainer, "learn", interrupted)
    trainer.fit()
    assert not (tmp_path / "best.pt").exists()
    assert Trainer(trainer.run).step == trainer.step == 1


def test_a_run_that_could_not_be_saved_does_not_begin(packed: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    trainer = Trainer(Run(TINY, packed, tmp_path / "taken" / "run", None, steps=3, workers=0))
    with pytest.raises(ConfigError, match=r"cannot write .*last\.pt"):
        trainer.fit()
    assert trainer.step == 0


def test_pictures_that_could_not_measure_are_told_before_training(tmp_path: Path) -> None:
    one = plain(tmp_path / "one", number=1)
    words = ["fit", "--data", str(one), "--set", "pretrained=false", "--pack", tmp_path / "a.pack"]
    done = CliRunner().invoke(app, [*map(str, words), "--out", str(tmp_path / "run")])
    assert isinstance(done.exception, ConfigError) and "two or more" in done.exception.hint
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("each", [[24], [3] + [9] * 4, [1, 0, 99], [2] * 30])
def test_a_sheet_is_full_however_many_sets_there_are(each: list[int], tmp_path: Path) -> None:
    grey = np.full((9, 9, 3), 99, np.uint8)
    sets = [Score("x", {}, n, [(float(i), "x", grey, grey, grey) for i in range(n)]) for n in each]
    sheet.worst(sets, tmp_path / "worst.png")
    tiles = cv2.imread(str(tmp_path / "worst.png"))
    assert tiles.shape == (6 * 120, 4 * 3 * 120, 3) and tiles[60::120, 60::120].all()


@pytest.mark.parametrize(("name", "said"), [("sheet", "no name"), ("taken/a.png", "cannot write")])
def test_a_sheet_that_cannot_be_written_is_told(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigError, match=said):
        sheet.write([np.zeros((9, 9, 3), np.uint8)], tmp_path / name)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("fit --recipe sinet", "--data FOLDER"),
        ("fit --data {folder}", f"{START}, then add --weights start.pt"),
        ("fit --recipe unet --weights x.npz --data {folder}", "--weights"),
        ("evaluate a.pt b.pt --sheet x.jpg --data {folder}", "one by one"),
        ("statistics --pack gone.pack", "--data FOLDER"),
        ("evaluate best.pt", "--data"),
        ("pack --data {folder}/gone", "--data"),
    ],
)
def test_what_is_missing_is_named_at_once(folder: Path, words: str, told: str) -> None:
    done = CliRunner().invoke(app, words.format(folder=folder).split())
    error = done.exception
    hint = error.hint if isinstance(error, ConfigError) else done.output
    assert done.exit_code and told in hint, done.output


def test_a_perfect_network_scores_full_marks(folder: Path) -> None:
    def bright(bgr: np.ndarray) -> np.ndarray:
        return (bgr.min(2) > 120).astype(np.float32)

    stills, negatives = evaluate(bright, folder)
    assert stills.figures["iou"] == 100 and stills.figures["miou"] == 100
    assert negatives.figures["mad"] == 0


def test_false_persons_are_among_the_worst(folder: Path) -> None:
    *_, negatives = evaluate(lambda bgr: np.float32(bgr.mean(2) > 9), folder)
    (free, name, bgr, found, true), *more = negatives.worst
    assert name == "negatives/0" and 0 <= free < 50 and not more and not true.any()
    assert np.array_equal(found[:, :, 0], 255 * (bgr.mean(2) > 9))
    assert evaluate(lambda bgr: np.zeros(bgr.shape[:2], np.float32), folder)[-1].worst == []


def test_a_network_sees_the_size_nearest_in_shape() -> None:
    seen = []

    class Spy(torch.nn.Module):
        def forward(self, src: torch.Tensor) -> torch.Tensor:
            seen.append(tuple(src.shape))
            return src[:, :1]

    out = Network(Spy(), [(64, 36), (36, 64)])(np.zeros((90, 60, 3), np.uint8))
    assert seen == [(1, 3, 64, 36)] and out.shape == (90, 60)


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(ConfigError, match="munet-webcam"):
        recipes.find("munet")
