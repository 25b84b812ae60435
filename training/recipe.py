"""Recipes: every number of a training run, once, read from top to bottom."""

from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Mix:
    """Shares of the kinds of view (the rest is real pictures) and of the sources of people."""

    composite: float = 0.58
    negative: float = 0.10
    people: tuple[tuple[str, float], ...] = PEOPLE


@dataclass(frozen=True)
class Shape:
    """A batch's shape: views are composed at `view` and then squeezed to the network's `size`."""

    view: Size
    size: Size
    share: float


@dataclass(frozen=True)
class Recipe:
    """One training run. Sizes are (width, height), shares add up to 1, rates are AdamW's."""

    name: str
    shapes: tuple[Shape, ...]  # one a batch; the first size is the network's usual one
    minutes: float  # how long to train when no number of steps is given
    camera: str = "webcam"  # preset of training.augment applied last
    mix: Mix = field(default_factory=Mix)
    batch: int = 16
    twins: int = 3  # samples of a batch that come a second time under another light
    encoder_rate: float = 6e-4
    decoder_rate: float = 2.5e-3
    weight_decay: float = 1e-2
    warm_up: float = 0.02  # share of the run
    clip: float = 2.0  # norm of the gradient
    coarse: float = 0.3  # share of the run on pictures of 0.7 times the size, at half the cost
    thaw: float = 0.75  # share of the run after which the encoder's first stages learn too
    ema: float = 0.998
    seed: int = 20
    losses: dict[str, float] = field(
        default_factory=lambda: {"bce": 1.0, "edge": 1.0, "gradient": 0.5, "twin": 0.3}
    )

    @property
    def sizes(self) -> tuple[Size, ...]:
        """The network's input sizes without repetition."""
        return tuple(dict.fromkeys(shape.size for shape in self.shapes))


# About the picture's own aspect ratio at about equal cost; a camera frame is 16:9 most of the time.
# Sides of whole steps of the encoder's stride: at 168x224 the same weights lose a point of IoU.
WEBCAM = (
    Shape((256, 144), (256, 144), 0.55),
    Shape((224, 160), (224, 160), 0.17),
    Shape((192, 192), (192, 192), 0.08),
    Shape((160, 224), (160, 224), 0.20),
)

# One square input for all: pictures of other shapes arrive squeezed.
SQUARE = (
    Shape((224, 126), (128, 128), 0.35),
    Shape((196, 147), (128, 128), 0.15),
    Shape((160, 160), (128, 128), 0.2),
    Shape((147, 196), (128, 128), 0.3),
)

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("munet-webcam", WEBCAM, minutes=97),
        Recipe(
            "munet-128",
            SQUARE,
            minutes=38,
            camera="source-000",
            twins=0,  # that preset moves the picture too: no two views of one matte
            decoder_rate=1e-3,  # source 000, 4.2.6
            losses={"bce": 1.0, "edge": 1.0, "gradient": 0.5},
        ),
    )
}


def find(name: str) -> Recipe:
    """The recipe of that name."""
    if name not in RECIPES:
        raise ConfigError(f"no recipe {name!r}", f"there are {', '.join(RECIPES)}")
    return RECIPES[name]
