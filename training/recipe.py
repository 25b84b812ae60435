"""Recipes: every number of a training run, once, read from top to bottom.

A recipe is a network with its options, the data it sees, how it learns, and for how long. What
differs for one try is set on the command line: `scrim-train fit --recipe sinet --set batch=24
--set options.skips=false`; the checkpoint remembers it.
"""

import dataclasses
import tomllib
from collections.abc import Iterable
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
    share: float


@dataclass(frozen=True)
class Stage:
    """A part of a run: which terms count, what stands still, how large the pictures are."""

    share: float  # of the run
    losses: dict[str, float]  # terms of training.losses and their weights
    frozen: tuple[str, ...] = ()  # beginnings of the names of parameters that do not learn
    scale: float = 1.0  # of the pictures' sides: 0.7 is half the cost


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

# About the picture's own aspect ratio at about equal cost; a camera frame is 16:9 most of the time.
# Sides of whole steps of the encoder's stride: at 168x224 the same weights lose a point of IoU.
WEBCAM = (
    Shape((256, 144), (256, 144), 0.55),
    Shape((224, 160), (224, 160), 0.17),
    Shape((192, 192), (192, 192), 0.08),
    Shape((160, 224), (160, 224), 0.20),
)

# The same at 1.5 times the sides: for photos, recordings and processors with time to spare.
FINE = (
    Shape((384, 224), (384, 224), 0.55),
    Shape((320, 224), (320, 224), 0.15),
    Shape((288, 288), (288, 288), 0.08),
    Shape((224, 320), (224, 320), 0.22),
)

# Whole bodies, for the nine classes: crops of 256 as the source has them, and pictures of 2:3.
WHOLE_BODY = (
    Shape((256, 384), (256, 384), 0.5),
    Shape((256, 256), (256, 256), 0.5),
)


def square(side: int) -> tuple[Shape, ...]:
    """One square input for all: pictures of other shapes arrive squeezed."""
    views = ((1.33, 0.75, 0.35), (1.15, 0.87, 0.15), (1.0, 1.0, 0.2), (0.87, 1.15, 0.3))
    return tuple(
        Shape((round(side * w), round(side * h)), (side, side), share) for w, h, share in views
    )


MATTE = {"bce": 1.0, "edge": 1.0, "gradient": 0.5, "twin": 0.3}
STEADY = tuple(f"encoder.{part}." for part in ("stem", *(f"blocks.{i}" for i in range(4))))

MUNET = (  # the encoder's first stages, a third of the cost of a step, learn last
    Stage(0.30, MATTE, frozen=STEADY, scale=0.7),
    Stage(0.45, MATTE, frozen=STEADY),
    Stage(0.25, MATTE),
)

SCRIM = {"bce": 1.0, "edge": 1.0, "laplacian": 1.0, "temporal": 4.0, "twin": 0.3}
REST = ("encoder.", *(f"decoder.{part}." for part in ("context", "top", "fuses", "grus")))
RECURRENT = (  # the last stage alone, then all but the encoder's first stages, then all
    Stage(0.04, SCRIM, frozen=REST),
    Stage(0.71, SCRIM, frozen=STEADY),
    Stage(0.25, SCRIM),
)

SINET_ENCODER = {"coarse": 1.0}
SINET = {"bce": 1.0, "boundary_bce": 0.9, "coarse": 0.4}
# The paper's three terms, and two of ours: without them mattes stay soft for long.
PORTRAIT = {"bce": 1.0, "boundary_focal": 0.1, "consistency": 2.0, "edge": 1.0, "gradient": 0.5}
PARTS = {"cross_entropy": 1.0}

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(  # starts from an earlier one, that from munet-webcam: --weights runs/before/best.pt
            "scrim-r",
            "scrim",
            WEBCAM,
            65,
            RECURRENT,
            mix=Mix(composite=0.38, negative=0.2, hard=0.6, garments=0.35),
            frames=8,
            twins=2,
            encoder_rate=3e-4,
            decoder_rate=1.5e-3,
        ),
        Recipe(  # starts from scrim-r: --weights runs/scrim-r/best.pt
            "scrim-r-fine",
            "scrim",
            FINE,
            26,
            (Stage(0.75, SCRIM, frozen=STEADY), Stage(0.25, SCRIM)),
            mix=Mix(composite=0.38, negative=0.2, hard=0.6, garments=0.35),
            batch=12,
            frames=8,
            clips=2,
            twins=2,
            encoder_rate=2e-4,
            decoder_rate=1e-3,
        ),
        Recipe("munet-webcam", "munet", WEBCAM, 97, MUNET, {"decoder": "light"}),
        Recipe(  # source 000, chapter 4
            "munet-128",
            "munet",
            square(128),
            75,
            (
                Stage(0.3, {"bce": 1.0, "edge": 1.0, "gradient": 0.5}, STEADY, 0.7),
                Stage(0.7, {"bce": 1.0, "edge": 1.0, "gradient": 0.5}),
            ),
            {"decoder": "transposed"},
            camera="source-000",
            twins=0,
            decoder_rate=1e-3,  # source 000, 4.2.6
        ),
        Recipe(  # source 000, chapter 5; source 001
            "sinet",
            "sinet",
            square(224),
            60,
            (Stage(0.3, SINET_ENCODER, frozen=("decoder",)), Stage(0.7, SINET)),
            pretrained=False,
            twins=0,
            encoder_rate=7.5e-3,
            decoder_rate=7.5e-3,
            weight_decay=2e-4,
            optimiser="adam",
            schedule="polynomial",
        ),
        Recipe(  # source 002
            "portraitnet",
            "portraitnet",
            square(224),
            60,
            (Stage(0.3, PORTRAIT, STEADY, 0.7), Stage(0.5, PORTRAIT, STEADY), Stage(0.2, PORTRAIT)),
            {"alpha": 1.0},
        ),
        Recipe(
            "portraitnet-050",
            "portraitnet",
            square(224),
            40,
            (Stage(0.3, PORTRAIT, STEADY, 0.7), Stage(0.5, PORTRAIT, STEADY), Stage(0.2, PORTRAIT)),
            {"alpha": 0.5},
        ),
        Recipe(  # source 003: the encoder never learns
            "transfer",
            "transfer",
            square(128),
            20,
            (Stage(1.0, {"bce": 1.0}, frozen=("encoder.",)),),
            camera="source-003",
            twins=0,
            decoder_rate=1e-3,
        ),
        Recipe(  # source 004, phase 7.4, a quarter as wide: for a GPU --set options.width=1.0
            "unet",
            "unet",
            WHOLE_BODY,
            60,
            (Stage(1.0, PARTS),),
            {"width": 0.25},
            pretrained=False,
            task="parts",
            camera="source-004",
            batch=40,
            twins=0,
            optimiser="adam",
            decoder_rate=1e-3,
            weight_decay=0.0,
        ),
        Recipe(
            "munet-parts",
            "munet",
            WHOLE_BODY,
            60,
            (Stage(0.6, PARTS, STEADY), Stage(0.4, PARTS)),
            {"decoder": "light", "outputs": 9},
            task="parts",
            camera="source-004",
            twins=0,
        ),
    )
}


def find(name: str, changes: Iterable[str] = ()) -> Recipe:
    """The recipe of that name, with changes such as "batch=24" or "options.alpha=0.5"."""
    if name not in RECIPES:
        raise ConfigError(f"no recipe {name!r}", f"there are {', '.join(RECIPES)}")
    found = RECIPES[name]
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals:
            raise ConfigError(f"--set {change}: no value", "write --set key=value")
        found = changed(found, key.strip().split("."), value(text.strip()))
    return found


def value(text: str) -> Any:
    """A TOML value, or the text itself where it is none."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def changed(found: Recipe, keys: list[str], new: Any) -> Recipe:
    """The recipe with one number or word set: its own, an option of the network, a share of the
    mix, or the weight of a loss in every stage. Raises `ConfigError`.
    """
    first, *rest = keys
    if first == "options" and len(rest) == 1:
        return dataclasses.replace(found, options=found.options | {rest[0]: new})
    if first == "mix" and len(rest) == 1:
        return dataclasses.replace(found, mix=with_value(found.mix, rest[0], new, "mix."))
    if first == "losses" and len(rest) == 1:
        stages = tuple(weighed(stage, rest[0], new) for stage in found.stages)
        return dataclasses.replace(found, stages=stages)
    return with_value(found, ".".join(keys), new)


def weighed(stage: Stage, term: str, new: Any) -> Stage:
    """The stage with another weight for one of its losses."""
    checked(dict(stage.losses), term, new, "losses.")
    return dataclasses.replace(stage, losses=stage.losses | {term: float(new)})


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
    """Refuse a key that is not there, and a value of another kind."""
    if key not in simple:
        near = get_close_matches(key, simple) or simple
        raise ConfigError(f"--set {within}{key}: no such key", f"try {', '.join(near)}")
    kind = type(simple[key])
    if type(new) is not kind and not (kind is float and type(new) is int):
        raise ConfigError(f"--set {within}{key}={new}: not a {kind.__name__}")
