"""Nine classes: batches, weights of classes, figures. Pictures are drawn here."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from realtime.errors import ConfigError
from training import parts, recipes, sheet
from training.pack import Row
from training.recipe import Shape

BACKGROUND, HAIR, TOP = (parts.CLASSES.index(name) for name in ("background", "hair", "top"))


def painted(seed: int, height: int = 96, width: int = 64) -> np.ndarray:
    """RGB and labels: red hair over a blue top, a border of unknown pixels between."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(60, 90, (height, width, 4), np.uint8)
    pixels[:, :, 3] = BACKGROUND
    top = height // 4 + int(rng.integers(0, 8))
    pixels[top : top + 20, 16:48] = (220, 10, 10, HAIR)
    pixels[top + 20 : top + 22, 16:48, 3] = parts.UNKNOWN
    pixels[top + 22 :, 16:48] = (10, 10, 220, TOP)
    return pixels


class Drawn:
    """A pack of three labelled pictures of different size."""

    def __init__(self, _path: Path = Path()):
        self.pixels = [painted(seed, 96 + 4 * seed, 64 + 2 * seed) for seed in range(3)]
        rows = [Row("parts", str(i), *each.shape) for i, each in enumerate(self.pixels)]
        self.sources = {"parts": rows}

    def read(self, row: Row) -> np.ndarray:
        pixels = self.pixels[int(row.name)]
        pixels.flags.writeable = False
        return pixels


SMALL = replace(
    recipes.find("munet-webcam"),
    shapes=(Shape((48, 48), (48, 48), 0.5), Shape((32, 48), (32, 48), 0.5)),
    task="parts",
    camera="source-004",
    batch=4,
    twins=0,
)


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> parts.PartsBatches:
    monkeypatch.setattr(parts, "Pack", Drawn)
    return parts.PartsBatches(Path("drawn.pack"), SMALL)


def test_batches_depend_on_their_number_alone(batches: parts.PartsBatches) -> None:
    other = parts.PartsBatches(Path("drawn.pack"), SMALL)
    other[0]
    for one, same in zip(batches[5], other[5], strict=True):
        assert torch.equal(one, same)
    assert not all(
        a.shape == b.shape and torch.equal(a, b)
        for a, b in zip(batches[5], batches[6], strict=True)
    )


def test_labels_move_with_the_picture(batches: parts.PartsBatches) -> None:
    """Turned, mirrored and relit, the coloured parts are still those with a label."""
    shapes = set()
    for number in range(8):
        src, labels, weight = batches[number]
        shapes.add(tuple(src.shape))
        assert (src.dtype, labels.dtype, weight.dtype) == (torch.uint8,) * 3
        assert labels.shape == weight.shape == (4, 1, *src.shape[2:])
        assert set(labels.unique().tolist()) <= {BACKGROUND, HAIR, TOP}
        assert set(weight.unique().tolist()) == {0, 1}
        colour = (src.amax(1, keepdim=True) - src.amin(1, keepdim=True)).float()
        grey = (labels == BACKGROUND) & (weight > 0)
        assert colour[labels != BACKGROUND].mean() > 1.5 * colour[grey].mean()
    assert shapes == {(4, 3, 48, 48), (4, 3, 48, 32)}


def test_even_and_inverse_weights() -> None:
    even, inverse = (parts.weights(kind) for kind in ("even", "inverse"))
    assert even.tolist() == [1] * 9 + [0] * 247
    assert inverse[parts.UNKNOWN] == 0
    assert inverse.max() == 255
    shares = np.array(parts.AREAS) * inverse[:9]  # every class counts as much as any other
    np.testing.assert_allclose(shares / shares.mean(), 1, atol=0.15)
    with pytest.raises(ConfigError, match="no class weights"):
        parts.weights("odd")


def test_inverse_weights_reach_the_batch(
    batches: parts.PartsBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, labels, weight = parts.PartsBatches(
        Path("drawn.pack"), replace(SMALL, class_weights="inverse")
    )[3]
    known = weight > 0
    table = torch.from_numpy(parts.weights("inverse"))
    assert torch.equal(weight[known], table[labels[known].long()])
    assert len(weight[known].unique()) == 3


def test_areas_and_statistics_of_a_pack() -> None:
    drawn = Drawn()
    areas = parts.class_areas(drawn)
    assert areas.sum() == pytest.approx(100)
    assert {int(n) for n in np.flatnonzero(areas)} == {BACKGROUND, HAIR, TOP}
    colours = np.concatenate([each[:, :, :3].reshape(-1, 3) for each in drawn.pixels]) / 255
    mean, deviation = parts.statistics(drawn)
    np.testing.assert_allclose(mean, colours.mean(0))
    np.testing.assert_allclose(deviation, colours.std(0))


def test_a_pack_without_labels_is_refused() -> None:
    drawn = Drawn()
    drawn.sources = {}
    with pytest.raises(ConfigError, match="no label maps"):
        parts.class_areas(drawn)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures set aside, laid out as the real ones."""
    for name in ("parts/val", "stills/val/ccp/img", "stills/val/ccp/mask"):
        (tmp_path / name).mkdir(parents=True)
    for seed in range(3):
        pixels = painted(seed)
        bgr = cv2.cvtColor(pixels[:, :, :3].copy(), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(tmp_path / f"stills/val/ccp/img/{seed}.png"), bgr)
        cv2.imwrite(str(tmp_path / f"parts/val/{seed}.png"), pixels[:, :, 3])
        mask = np.uint8(pixels[:, :, 3] > BACKGROUND) * 255
        cv2.imwrite(str(tmp_path / f"stills/val/ccp/mask/{seed}.png"), mask)
    return tmp_path


def by_colour(bgr: np.ndarray) -> np.ndarray:
    labels = np.zeros(bgr.shape[:2], np.uint8)
    labels[bgr[:, :, 2] > 150] = HAIR
    labels[bgr[:, :, 0] > 150] = TOP
    return labels


def test_figures_of_a_perfect_and_of_a_blind_network(folder: Path) -> None:
    perfect = parts.evaluate_parts(by_colour, folder)
    assert perfect.pictures == 3
    assert perfect.figures == {
        "miou": 100,
        "iou background": 100,
        "iou hair": 100,
        "iou top": 100,
    }
    blind = parts.evaluate_parts(lambda bgr: np.zeros(bgr.shape[:2], np.uint8), folder)
    known = np.concatenate([painted(seed)[:, :, 3].ravel() for seed in range(3)])
    known = known[known != parts.UNKNOWN]
    background = 100 * float((known == BACKGROUND).mean())
    assert blind.figures["iou background"] == pytest.approx(background)
    assert blind.figures["iou hair"] == blind.figures["iou top"] == 0
    assert blind.figures["miou"] == pytest.approx(background / 3)


def test_the_worst_pictures_are_shown_in_the_colours_of_classes(
    folder: Path, tmp_path: Path
) -> None:
    def half_blind(bgr: np.ndarray) -> np.ndarray:
        labels = by_colour(bgr)
        return labels if (bgr == cv2.imread(str(first))).all() else np.zeros_like(labels)

    first = sorted((folder / "stills/val/ccp/img").iterdir())[0]
    score = parts.evaluate_parts(half_blind, folder)
    ious = [row[0] for row in score.worst]
    assert ious == sorted(ious) and ious[-1] == 100 and ious[-2] < 100
    *_, found, true = score.worst[-1]
    known = (true != parts.PALETTE[parts.UNKNOWN]).any(axis=2)
    assert (found == true)[known].all() and (true == parts.PALETTE[HAIR]).all(axis=2).any()
    sheet.worst([score], tmp_path / "worst.png")
    assert cv2.imread(str(tmp_path / "worst.png")).shape == (120, 4 * 3 * 120, 3)


def test_a_class_found_where_it_never_is_costs() -> None:
    true, out = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    out[0] = HAIR
    assert parts.ious(parts.confusion(out, true)) == {BACKGROUND: 75.0, HAIR: 0.0}


@pytest.mark.parametrize("out", [np.full((4, 4), 9, np.uint8), np.zeros((4, 5), np.uint8)])
def test_maps_that_do_not_fit_are_refused(out: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="does not fit"):
        parts.confusion(out, np.zeros((4, 4), np.uint8))


def test_what_is_missing_is_told_or_left_out(folder: Path) -> None:
    (folder / "stills/val/ccp/img/1.png").unlink()
    with pytest.raises(ConfigError, match=r"1\.png has no picture"):
        parts.evaluate_parts(by_colour, folder)
    assert parts.evaluate_parts(by_colour, folder, skip_bad=True).pictures == 2
    for path in (folder / "parts/val").iterdir():
        path.unlink()
    with pytest.raises(ConfigError, match="nothing set aside") as refusal:
        parts.evaluate_parts(by_colour, folder, skip_bad=True)
    assert "parts/val" in refusal.value.hint


class Colours(nn.Module):
    """Logits by colour: the network that `by_colour` would be."""

    def __init__(self) -> None:
        super().__init__()
        self.background = nn.Parameter(torch.tensor(0.55))

    def forward(self, src: torch.Tensor) -> torch.Tensor:
        logits = torch.full((len(src), len(parts.CLASSES), *src.shape[2:]), -9.0)
        logits[:, BACKGROUND] = self.background
        logits[:, HAIR], logits[:, TOP] = src[:, 0], src[:, 2]
        return logits


def test_labels_have_the_picture_s_size(folder: Path) -> None:
    bgr = cv2.imread(str(folder / "stills/val/ccp/img/0.png"))
    labels = parts.PartsNetwork(Colours(), [(128, 64), (64, 96)])(bgr)
    assert (labels.shape, labels.dtype) == (bgr.shape[:2], np.uint8)
    figures = parts.evaluate_parts(
        parts.PartsNetwork(Colours(), [(96, 64), (32, 48)]), folder
    ).figures
    assert 85 < figures["miou"] < 100  # half the size: only the edges suffer
