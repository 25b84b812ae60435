"""Nine classes instead of person and room: the labels of a pack's source "parts" (source 004).

A label map is H x W uint8: the number of a class in `CLASSES`, or `UNKNOWN` on the border between
two classes, which neither teaches nor counts.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import Dataset

from realtime.contract import Size, nearest_size
from realtime.errors import ConfigError
from training import augment
from training.compose import View
from training.data import Batch, stacked
from training.evaluate import Score, aside, source
from training.pack import Pack, Row
from training.pictures import Pixels
from training.placement import largest
from training.recipe import CLASSES, Recipe

UNKNOWN = 255

# BGR by label, to look at: classes are far apart, what is unknown has the last colour.
PALETTE = cv2.applyColorMap(
    np.minimum(28 * np.arange(256), 255).astype(np.uint8), cv2.COLORMAP_TURBO
).reshape(256, 3)

# Share of each class in the known pixels of parts/train, in %, by `class_areas`.
AREAS = (78.71, 1.03, 2.46, 3.25, 4.32, 4.71, 2.92, 0.93, 1.68)

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Infer = Callable[[Pixels], Pixels]  # BGR H x W x 3 -> labels H x W


class PartsBatches(Dataset[Batch]):
    """Batch number -> batch, a function of the recipe's seed and the number alone.

    A batch is one of training.data with class numbers for alpha; its weights are 0 on unknown
    pixels and elsewhere 1 ("even") or in proportion to 1 / area of the class ("inverse").
    """

    def __init__(self, path: Path, recipe: Recipe):
        self.path, self.recipe = path, recipe
        self.weights = weights(recipe.class_weights)
        self.pack: Pack | None = None
        self.shares = np.array([shape.share for shape in recipe.shapes])

    def __getitem__(self, number: int) -> Batch:
        if self.pack is None:  # opened in the worker that reads
            cv2.setNumThreads(0)
            self.pack = Pack(self.path)
        rng = default_rng((self.recipe.seed, number))
        shape = self.recipe.shapes[rng.choice(len(self.shares), p=self.shares / self.shares.sum())]
        found = labelled(self.pack)
        views = []
        for _ in range(self.recipe.batch):
            pixels = self.pack.read(found[rng.integers(len(found))])
            src, labels = drawn(pixels, shape.size, self.recipe.camera, rng)
            weight = self.weights[labels]
            views.append(View(src, np.where(weight > 0, labels, 0), weight))
        return stacked(views)


def weights(kind: str) -> Pixels:
    """Weight of a pixel by its label, 256 x uint8; only their proportions matter."""
    if kind not in ("even", "inverse"):
        raise ConfigError(f"no class weights {kind!r}", "there are even, inverse")
    table = np.zeros(256, np.uint8)
    table[: len(CLASSES)] = 1
    if kind == "inverse":
        table[: len(CLASSES)] = np.rint(255 * min(AREAS) / np.array(AREAS))
    return table


def labelled(pack: Pack) -> list[Row]:
    """The pack's labelled pictures. Raises `ConfigError` when there is none."""
    if "parts" not in pack.sources:
        raise ConfigError("no label maps in the pack", "build it from a folder with parts/train")
    return pack.sources["parts"]


def drawn(pixels: Pixels, size: Size, camera: str, rng: Generator) -> tuple[Pixels, Pixels]:
    """A part of a picture H x W x 4 as the network's input: RGB and labels."""
    cut = pixels[window(pixels.shape[:2], size, rng)]
    src = cv2.resize(cut[:, :, :3].copy(), size, interpolation=cv2.INTER_AREA)
    labels = cv2.resize(cut[:, :, 3].copy(), size, interpolation=cv2.INTER_NEAREST)
    src, (labels,) = augment.moved(camera, np.asarray(src), [np.asarray(labels)], rng)
    return augment.relit(camera, src, rng), labels


def window(sides: tuple[int, ...], size: Size, rng: Generator) -> tuple[slice, slice]:
    """A cut of about the shape of `size`, 0.65 to 1 of the largest; `sides` are height, width."""
    height, width = sides
    zoom = rng.uniform(0.65, 1.0)
    fit = largest((width, height), size, rng.uniform(0.9, 1.1))
    columns, rows = (max(1, int(side * zoom)) for side in fit)
    left = int(rng.integers(width - columns + 1))
    top = int(rng.integers(height - rows + 1))
    return slice(top, top + rows), slice(left, left + columns)


class PartsNetwork:
    """A network in evaluation mode, from a BGR picture to labels of the picture's size.

    The whole picture goes in at the size nearest in shape; the logits are enlarged, then the
    likeliest class is taken.
    """

    def __init__(self, model: nn.Module, sizes: Sequence[Size]):
        self.model, self.sizes = model.eval(), sizes
        self.device = next(model.parameters()).device

    @torch.inference_mode()
    def __call__(self, bgr: Pixels) -> Pixels:
        height, width = bgr.shape[:2]
        size = nearest_size(self.sizes, width, height)
        small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)[:, :, ::-1]
        logits = self.model(source(np.asarray(small), self.device))
        large = F.interpolate(logits, (height, width), mode="bilinear", align_corners=False)
        return np.asarray(large[0].argmax(0).cpu().numpy().astype(np.uint8))


def evaluate_parts(infer: Infer, data: Path, skip_bad: bool = False) -> Score:
    """IoU of each class over all known pixels of the pictures set aside, and their mean, in %."""
    counts, worst = np.zeros((len(CLASSES), len(CLASSES)), np.int64), []
    items = aside(data, "parts", skip_bad)["parts"]
    for item in items:
        bgr, labels = item.load()
        out = infer(bgr)
        here = confusion(out, labels)
        counts += here
        iou = float(np.mean([*ious(here).values()] or [100.0]))  # where nothing is known
        worst.append((iou, f"parts/{item.name}", bgr, PALETTE[out], PALETTE[labels]))
    worst.sort(key=lambda row: row[0])
    figures = {f"iou {CLASSES[number]}": value for number, value in ious(counts).items()}
    mean = {"miou": float(np.mean([*figures.values()]))}
    return Score("parts", mean | figures, len(items), worst[:24])


def confusion(out: Pixels, true: Pixels) -> Counts:
    """Known pixels by true class (row) and found class (column).

    Raises `ConfigError` for maps that do not fit each other or hold other numbers than classes.
    """
    known = true != UNKNOWN
    if out.shape != true.shape or max(out.max(), true[known].max(initial=0)) >= len(CLASSES):
        hint = f"wanted the numbers 0 to {len(CLASSES) - 1} in maps of {true.shape}"
        raise ConfigError(f"a label map of {out.shape} does not fit", hint)
    pairs = true[known].astype(np.int64) * len(CLASSES) + out[known]
    return np.bincount(pairs, minlength=len(CLASSES) ** 2).reshape(len(CLASSES), -1)


def ious(counts: Counts) -> dict[int, float]:
    """Intersection over union in % of every class that occurs, in truth or in error."""
    both = np.diag(counts)
    union = counts.sum(0) + counts.sum(1) - both
    return {int(n): 100 * float(both[n] / union[n]) for n in np.flatnonzero(union)}


def class_areas(pack: Pack) -> Floats:
    """Share of each class in the known pixels, in %."""
    counts = np.zeros(256, np.int64)
    for row in labelled(pack):
        counts += np.bincount(pack.read(row)[:, :, 3].ravel(), minlength=256)
    known = counts[: len(CLASSES)]
    return np.asarray(100 * known / known.sum())


def statistics(pack: Pack) -> tuple[Floats, Floats]:
    """Mean and standard deviation of R, G and B, in 0..1, over all pixels of labelled pictures."""
    sums, count = np.zeros((2, 3)), 0
    for row in labelled(pack):
        rgb = pack.read(row)[:, :, :3].reshape(-1, 3) / 255
        sums += rgb.sum(0), np.square(rgb).sum(0)
        count += len(rgb)
    mean, square = sums / count
    return mean, np.sqrt(square - mean**2)
