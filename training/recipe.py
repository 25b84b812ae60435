"""What a recipe is: a network with its options, the data it sees, how it learns, for how long.

What differs for one try is set on the command line: `scrim-train fit --recipe unet --set batch=20
--set options.skips=false`; the checkpoint remembers it.
"""

import dataclasses
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from realtime.contract import Size
from realtime.errors import ConfigError

# Shares of the sources a person is drawn from: by framing, not by count. Teacher-made mattes
# (pseudo) stay well under 40 %.
PEOPLE = (
    ("eg1800", 0.26),  # the truest webcam framing
    ("celebamask", 0.14),
    ("vikram", 0.10),
    ("ccp", 0.06),  # whole bodies, cut at the waist
    ("pseudo", 0.28),
    ("sequence", 0.16),
)

CLASSES = (  # of the task "parts"
    *("background", "hair", "skin", "top", "outerwear", "lower", "dress", "footwear"),
    "accessories",
)


@dataclass(frozen=True)
class Mix:
    """Shares of the kinds of view (the rest is real pictures) and of the sources of people."""

    composite: float = 0.58
    negative: float = 0.10
    hard: float = 0.5  # of the empty views: pictures that look as if there were somebody
    garments: float = 0.0  # of the empty views: clothes cut from people, where the pack has parts
    soft: bool = False  # people with soft mattes alone: for the last minutes, when hair is learnt
    people: tuple[tuple[str, float], ...] = PEOPLE


@dataclass(frozen=True)
class Shape:
    """A batch's shape: views are composed at `view` and then squeezed to the network's `size`."""

    view: Size
    size: Size
    share: float  # of the batches; 0: on the card alone


@dataclass(frozen=True)
class Stage:
    """A part of a run: which terms count, what stands still, how large the pictures are."""

    share: float  # of the run
    losses: dict[str, float]  # terms of training.losses and their weights
    frozen: tuple[str, ...] = ()  # beginnings of the names of parameters that do not learn
    scale: float = 1.0  # of the pictures' sides: 0.7 is half the cost


WORDS = {  # that a recipe may hold
    "task": ("matte", "parts"),
    "class_weights": ("even", "inverse"),
    "camera": ("light", "webcam", *(f"source-00{number}" for number in range(5))),
    "optimiser": ("adamw", "adam"),
    "schedule": ("cosine", "polynomial", "plateau"),
}

CLIPS_EVERY = 3  # batches: a clip teaches steadiness, sixteen stills teach more of what people are


@dataclass(frozen=True)
class Recipe:
    """One training run. Sizes are (width, height), shares add up to 1."""

    name: str
    network: str  # in training.models.NETWORKS
    shapes: tuple[Shape, ...]  # one a batch; the first size is the network's usual one
    minutes: float  # how long to train when no number of steps is given; two CPU cores
    stages: tuple[Stage, ...]
    options: dict[str, Any] = field(default_factory=dict)  # of the network
    pretrained: bool = True  # the encoder starts from weights
    task: str = "matte"  # or "parts": nine classes
    class_weights: str = "even"  # of nine classes; "inverse": by 1 / area
    camera: str = "webcam"  # preset of training.augment
    mix: Mix = field(default_factory=Mix)
    batch: int = 16
    frames: int = 1  # of a clip; where there are more, every third batch is of clips
    clips: int = 3  # in such a batch
    twins: int = 3  # samples of a batch that come a second time under another light
    optimiser: str = "adamw"  # or "adam": with the L2 penalty of the older sources
    encoder_rate: float = 6e-4
    decoder_rate: float = 2.5e-3
    weight_decay: float = 1e-2
    schedule: str = "cosine"  # "polynomial": (1 - progress) ** 0.9; "plateau": a tenth when stuck
    warm_up: float = 0.02  # share of the run
    patience: int = 0  # evaluations without gain before it stops early (0: never)
    clip: float = 2.0  # norm of the gradient
    ema: float = 0.998
    seed: int = 20

    @property
    def sizes(self) -> tuple[Size, ...]:
        """The network's input sizes without repetition."""
        return tuple(dict.fromkeys(shape.size for shape in self.shapes))

    def frames_of(self, number: int) -> int:
        """How many frames each clip of a batch has; 1 for stills."""
        return self.frames if number % CLIPS_EVERY == 1 else 1

    def seen(self, steps: int) -> int:
        """How many pictures so many batches hold, frames of clips counted one by one."""
        clips = (steps + 1) // CLIPS_EVERY if self.frames > 1 else 0
        return (steps - clips) * self.batch + clips * self.clips * self.frames

    def stage(self, progress: float) -> Stage:
        """The stage at this share of the run."""
        for stage in self.stages:
            progress -= stage.share
            if progress < -1e-9:
                return stage
        return self.stages[-1]


Row = TypeVar("Row", Mix, Recipe)


def changed(found: Recipe, change: str) -> Recipe:
    """The recipe with a change such as "batch=24" or "options.alpha=0.5".

    It is one number or word: the recipe's own, an option of the network, a share of the mix, or the
    weight of a loss in every stage that has it. Raises `ConfigError`.
    """
    name, equals, text = change.partition("=")
    if not equals:
        raise ConfigError(f"--set {change}: no value", "write --set key=value")
    new, (first, *rest) = value(text.strip()), name.strip().split(".")
    if first == "options" and len(rest) == 1:
        return dataclasses.replace(found, options=found.options | {rest[0]: new})
    if first == "mix" and len(rest) == 1:
        return dataclasses.replace(found, mix=with_value(found.mix, rest[0], new, "mix."))
    if first == "losses" and len(rest) == 1:
        terms = {term: share for stage in found.stages for term, share in stage.losses.items()}
        checked(terms, rest[0], new, "losses.")
        stages = tuple(weighed(stage, rest[0], float(new)) for stage in found.stages)
        return dataclasses.replace(found, stages=stages)
    return with_value(found, name.strip(), new)


def value(text: str) -> Any:
    """A TOML value, or the text itself where it is none."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def weighed(stage: Stage, term: str, new: float) -> Stage:
    """The stage with another weight for one of its losses, where it has that one."""
    changes = {term: new} if term in stage.losses else {}
    return dataclasses.replace(stage, losses=stage.losses | changes)


def with_value(row: Row, key: str, new: Any, within: str = "") -> Row:
    """The row with one number or word set."""
    simple = {
        f.name: getattr(row, f.name)
        for f in dataclasses.fields(row)
        if isinstance(getattr(row, f.name), (int, float, str)) and f.name != "name"
    }
    checked(simple, key, new, within)
    return dataclasses.replace(row, **{key: type(simple[key])(new)})


def checked(simple: dict[str, Any], key: str, new: Any, within: str) -> None:
    """Refuse a key that is not there, a value of another kind, and a word that says nothing."""
    if key not in simple:
        near = get_close_matches(key, simple) or simple
        raise ConfigError(f"--set {within}{key}: no such key", f"try {', '.join(near)}")
    kind = type(simple[key])
    if type(new) is not kind and not (kind is float and type(new) is int):
        raise ConfigError(f"--set {within}{key}={new}: not a {kind.__name__}")
    if new not in (words := WORDS.get(key, (new,))):
        raise ConfigError(f"--set {within}{key}={new}: no such word", f"try {', '.join(words)}")
