"""Batches: each a function of the seed and its number alone, so that a run can resume anywhere."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator, default_rng
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from training import augment
from training.clips import Director
from training.compose import Composer, View
from training.pack import Pack, Pixels
from training.recipe import Recipe

Batch = tuple[Tensor, Tensor, Tensor]  # src B3HW, pha B1HW, weight B1HW; all uint8, RGB


class Batches(Dataset[Batch]):
    """Batch number -> batch. The last `twins` samples repeat the first under another light.

    A batch of clips holds them one after the other, each frame by frame.
    """

    def __init__(self, path: Path, recipe: Recipe):
        self.path, self.recipe = path, recipe
        self.composer: Composer | None = None
        self.shares = np.array([shape.share for shape in recipe.shapes])

    def __getitem__(self, number: int) -> Batch:
        if self.composer is None:  # opened in the worker that reads
            cv2.setNumThreads(0)
            self.composer = Composer(Pack(self.path), self.recipe.mix)
        rng = default_rng((self.recipe.seed, number))
        shape = self.recipe.shapes[rng.choice(len(self.shares), p=self.shares / self.shares.sum())]
        frames = self.recipe.frames_of(number)
        if frames > 1:
            director = Director(self.composer, self.recipe.camera)
            drawn = [director.draw(shape.view, frames, rng) for _ in range(self.recipe.clips)]
            return stacked([squeezed(view, shape.size) for clip in drawn for view in clip])
        unique = self.recipe.batch - self.recipe.twins
        views = [self.composer.draw(shape.view, rng) for _ in range(unique)]
        views = [moved(view, self.recipe.camera, rng) for view in views]
        views = [filmed(v, self.recipe.camera, rng) for v in views + views[: self.recipe.twins]]
        return stacked([squeezed(view, shape.size) for view in views])


def moved(view: View, camera: str, rng: Generator) -> View:
    """The view as the preset moves it."""
    src, (pha, weight) = augment.moved(camera, view.src, [view.pha, view.weight], rng)
    return View(src, pha, weight)


def filmed(view: View, camera: str, rng: Generator) -> View:
    """The view as a camera delivers it."""
    return View(augment.relit(camera, view.src, rng), view.pha, view.weight)


def squeezed(view: View, size: tuple[int, int]) -> View:
    """Area-downscaled to the network's input."""
    if view.pha.shape == size[::-1]:
        return view
    src, pha = (cv2.resize(a, size, interpolation=cv2.INTER_AREA) for a in (view.src, view.pha))
    weight = cv2.resize(view.weight, size, interpolation=cv2.INTER_NEAREST)
    return View(np.asarray(src), np.asarray(pha), np.asarray(weight))


def stacked(views: list[View]) -> Batch:
    def planes(images: list[Pixels]) -> Tensor:
        return torch.from_numpy(np.stack(images))

    src = planes([view.src for view in views]).permute(0, 3, 1, 2)
    pha = planes([view.pha for view in views])[:, None]
    return src, pha, planes([view.weight for view in views])[:, None]


def scaled(batch: Batch, scale: float, task: str, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """src in 0..1, alpha in 0..1 or class numbers, weight 0 or 1; sides times `scale`."""
    src, truth, weight = (part.to(device, non_blocking=True).float() for part in batch)
    if task == "matte":
        truth = truth / 255
    if scale == 1:
        return src / 255, truth, weight
    mode = "area" if task == "matte" else "nearest"
    truth = F.interpolate(truth, scale_factor=scale, mode=mode)
    src, weight = (F.interpolate(x, scale_factor=scale, mode="area") for x in (src, weight))
    return src / 255, truth, weight.floor()


def batches(path: Path, recipe: Recipe) -> Dataset:
    """The batches of a recipe's task."""
    if recipe.task == "parts":
        from training.parts import PartsBatches

        return PartsBatches(path, recipe)
    return Batches(path, recipe)


def loader(path: Path, recipe: Recipe, numbers: range, workers: int = 1) -> Iterator[Batch]:
    """Batches of these numbers, in order."""
    return iter(
        DataLoader(
            batches(path, recipe),
            batch_size=None,
            sampler=numbers,
            num_workers=workers,
            prefetch_factor=6 if workers else None,
            multiprocessing_context="forkserver" if workers else None,
        )
    )
