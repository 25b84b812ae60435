"""The training loop: one recipe, one folder for the run, resumable from any stop.

`last.pt` holds everything a run is made of (weights, their moving average, optimiser, step, time
spent, random state); batches are functions of their number. So a run that is stopped and resumed
gives the weights of one that was not, when it is measured in steps.
"""

import random
import signal
import time
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from tensorboardX import SummaryWriter
from torch import Tensor, nn

from realtime.errors import ConfigError
from training import checkpoint, data, losses, models, norms, sheet
from training.evaluate import flat, measured
from training.pack import Pack
from training.rates import OPTIMISERS, groups, schedule
from training.recipe import Recipe
from training.soup import follow
from training.threads import Threads

SAVE_EVERY_S = 150.0
SETTLED = 12  # batches from which a started network's norms learn what they are given


@dataclass(frozen=True)
class Run:
    """Where a run reads and writes, and how long it goes."""

    recipe: Recipe
    pack: Path
    out: Path
    weights: Path | None  # to start from: an encoder's, or a network's, see models.start
    val: Path | None = None  # data folder to evaluate on
    steps: int | None = None  # length in steps; else in minutes
    minutes: float = 0.0
    evaluate_every_s: float = 600.0
    workers: int = 1
    threads: int = 0  # 0: find out which number is fastest
    changes: tuple[str, ...] = ()  # to the recipe, as given to recipes.find
    skip_bad: bool = False  # leave out bad pictures when measuring
    device: str = "cuda" if torch.cuda.is_available() else "cpu"


class Trainer:
    """A run in progress."""

    def __init__(self, run: Run):
        self.run, recipe = run, run.recipe
        seed(recipe.seed)
        self.model, self.started = models.build(recipe), ""
        self.last = run.out / "last.pt"
        if run.weights and recipe.pretrained and not self.last.is_file():
            self.started = models.start(self.model, run.weights)
        self.model = self.model.to(run.device, memory_format=torch.channels_last)
        if self.started:
            self.settle()
        self.ema = deepcopy(self.model).eval().requires_grad_(False)
        self.optimiser = OPTIMISERS[recipe.optimiser](groups(self.model, recipe))
        self.step, self.spent_s, self.best = 0, 0.0, 0.0
        self.stale = 0  # evaluations since the best one
        self.slowed = 1.0  # factor on the rate by the plateau schedule
        self.stopping = False
        if self.last.is_file():
            self.resume()

    def resume(self) -> None:
        """Go on from last.pt. Raises `ConfigError` when it is another network's."""
        found = models.read(self.last)
        try:
            for part in PARTS:
                getattr(self, part).load_state_dict(found[part])
        except (RuntimeError, ValueError, KeyError) as error:
            hint = "name another folder with --out, or remove it"
            raise ConfigError(f"{self.last} is a run of another network", hint) from error
        for counter in COUNTERS:
            setattr(self, counter, found.get(counter, getattr(self, counter)))
        self.started = found.get("started", "")
        torch.set_rng_state(found["rng"])

    def settle(self) -> None:
        """Let the norms of a network that learnt elsewhere see what they will learn from."""
        recipe, drawn = self.run.recipe, data.batches(self.run.pack, self.run.recipe)
        pairs = ((drawn[n][0], recipe.frames_of(n)) for n in range(SETTLED))
        seen = ((src.to(self.run.device).float() / 255, frames) for src, frames in pairs)
        norms.settle(self.model, partial(predicted, self.model), seen)

    def save(self) -> None:
        """Write last.pt."""
        state = {part: getattr(self, part).state_dict() for part in PARTS}
        state |= {counter: getattr(self, counter) for counter in COUNTERS}
        checkpoint.write(self.last, self.named() | state | {"rng": torch.get_rng_state()})

    def named(self) -> dict:
        """What a checkpoint says of its recipe and its data."""
        recipe = self.run.recipe
        words = {"recipe": recipe.name, "changes": list(self.run.changes)}
        parts = recipe.task == "parts"
        clothes = not parts and recipe.mix.garments > 0  # are cut from the pictures with parts
        licences = Pack(self.run.pack).licences.items()
        sources = {k: v for k, v in licences if clothes or (k == "parts") == parts}
        return words | {"sources": sources, "started": self.started}

    def progress(self) -> float:
        """Share of the run that is done, 0..1, by steps or by time."""
        if self.run.steps is not None:
            return min(1.0, self.step / max(1, self.run.steps))
        return min(1.0, self.spent_s / (60 * self.run.minutes))

    @property
    def stuck(self) -> bool:
        """Whether the run ends early: the recipe's patience has run out."""
        return 0 < self.run.recipe.patience <= self.stale

    def learn(self, batch: data.Batch) -> dict[str, float]:
        """One step; gives the loss terms."""
        recipe, progress = self.run.recipe, self.progress()
        stage = recipe.stage(progress)
        rate = schedule(recipe, progress) * self.slowed
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * rate
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(not name.startswith(stage.frozen))
        self.model.train()
        src, truth, weight = data.scaled(batch, stage.scale, recipe.task, self.run.device)
        with torch.autocast(self.run.device, torch.bfloat16, enabled=self.run.device == "cuda"):
            frames = recipe.frames_of(self.step)
            heads = predicted(self.model, src.contiguous(memory_format=torch.channels_last), frames)
        heads = {name: logits.float() for name, logits in heads.items()}
        twins = recipe.twins if frames == 1 else 0
        outcome = losses.Outcome(heads, truth, weight, twins, frames)
        found = losses.terms(stage.losses, outcome)
        loss = losses.total(found, stage.losses)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), recipe.clip)
        self.optimiser.step()
        self.step += 1
        follow(self.ema, self.model, min(recipe.ema, (1 + self.step) / (10 + self.step)))
        return {"rate": rate} | {k: v.item() for k, v in {"loss": loss, **found}.items()}

    def fit(self) -> None:
        """Train to the end of the run, saving and evaluating on the way."""
        self.save()  # where that cannot be done nothing is to be trained
        log = SummaryWriter(str(self.run.out / "log"))
        numbers = range(self.step, self.run.steps if self.run.steps is not None else 2**31)
        threads = Threads(self.run.threads)
        batches = data.loader(self.run.pack, self.run.recipe, numbers, self.run.workers)
        saved = checked = begin = time.monotonic()
        with caught(self), bar() as shown:
            task = shown.add_task(self.run.recipe.name, total=1.0, completed=self.progress())
            while self.progress() < 1 and not (self.stopping or self.stuck):
                batch = next(batches)
                figures = threads.run(partial(self.learn, batch))
                now = time.monotonic()
                self.spent_s, begin = self.spent_s + now - begin, now
                shown.update(task, completed=self.progress(), description=line(self, figures))
                for key, value in figures.items() if self.step % 20 == 0 else ():
                    log.add_scalar(f"train/{key}", value, self.step)
                if now - saved > SAVE_EVERY_S:
                    self.save()
                    saved = now
                    print(line(self, figures), f"{threads.best} threads", flush=True)
                if now - checked > self.run.evaluate_every_s and self.progress() < 0.98:
                    self.check(log)
                    checked = begin = time.monotonic()  # measuring is no training
        self.save()
        if not (self.stopping or self.stuck):
            self.check(log)
        log.close()

    def check(self, log: SummaryWriter) -> None:
        """Evaluate the moving average; keep it as best.pt when it is the best so far."""
        if self.run.val is None:
            checkpoint.write(self.run.out / "best.pt", self.result({}))
            return
        card = models.card(self.result({}))
        scores = measured(self.ema, card, self.run.val, quick=True, skip_bad=self.run.skip_bad)
        figures = flat(scores)
        for key, value in figures.items():
            log.add_scalar(f"val/{key}", value, self.step)
        sheet.worst(scores, self.run.out / "worst.jpg")
        print(self.step, {k: round(v, 2) for k, v in figures.items()}, flush=True)
        chosen = [v for k, v in figures.items() if k in CHOSEN_BY]
        ious = [v for k, v in figures.items() if k.endswith(" iou")]
        self.judge(float(np.mean(chosen or ious)), figures)

    def judge(self, overall: float, figures: dict[str, float]) -> None:
        """Keep the best, slow down when there is none to be had."""
        recipe = self.run.recipe
        if overall >= self.best:
            self.best, self.stale = overall, 0
            checkpoint.write(self.run.out / "best.pt", self.result(figures))
            return
        self.stale += 1
        if recipe.schedule == "plateau" and self.stale % PLATEAU == 0:
            self.slowed *= 0.1

    def result(self, figures: dict[str, float]) -> dict:
        """What others need of a run: see training.models.load."""
        counters = {"step": self.step, "spent_s": self.spent_s, "device": self.run.device}
        return self.named() | counters | {"model": self.ema.state_dict(), "figures": figures}


PARTS = ("model", "ema", "optimiser")
COUNTERS = ("step", "spent_s", "best", "stale", "slowed")
CHOSEN_BY = ("eg1800 iou", "clips iou", "vikram iou", "parts miou")
PLATEAU = 4  # evaluations without gain after which the plateau schedule slows down (source 004)


def predicted(model: nn.Module, src: Tensor, frames: int = 1) -> dict[str, Tensor]:
    """Logits by head; `frames` of each clip go through a network with memory in their order."""
    if hasattr(model, "memory"):
        return model.heads(src, frames)
    return model.heads(src) if hasattr(model, "heads") else {"mask": model(src)}


def seed(number: int) -> None:
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)


@contextmanager
def caught(trainer: Trainer):
    """While inside, the first Ctrl-C or TERM stops after the step; a second is not caught."""

    def stop(number: int, _frame: object) -> None:
        trainer.stopping = True
        signal.signal(number, before[number])

    before = {n: signal.signal(n, stop) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def bar() -> Progress:
    return Progress(
        BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), refresh_per_second=0.2
    )


def line(trainer: Trainer, figures: dict[str, float]) -> str:
    return f"{trainer.run.recipe.name} step {trainer.step} loss {figures['loss']:.4f}"
