"""Recipes: every number of a training run, once, read from top to bottom."""

from collections.abc import Iterable
from dataclasses import replace

from realtime.errors import ConfigError
from training.recipe import Mix, Recipe, Shape, Stage, changed

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

# Both on the card: trained at the larger too it lost at the smaller, and gained nothing on clips.
BOTH = (*WEBCAM, *(replace(shape, share=0.0) for shape in FINE))

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


# Heads and shoulders before all, for networks that have no room for more.
PORTRAITS = (
    ("eg1800", 0.36),
    ("celebamask", 0.2),
    ("vikram", 0.1),
    ("ccp", 0.03),
    ("pseudo", 0.23),
    ("sequence", 0.08),
)

MATTE = {"bce": 1.0, "edge": 1.0, "gradient": 0.5, "twin": 0.3}
STEADY = tuple(f"encoder.{part}." for part in ("stem", *(f"blocks.{i}" for i in range(4))))

MUNET = (  # the encoder's first stages, a third of the cost of a step, learn last
    Stage(0.30, MATTE, frozen=STEADY, scale=0.7),
    Stage(0.45, MATTE, frozen=STEADY),
    Stage(0.25, MATTE),
)

SCRIM = {"bce": 1.0, "edge": 1.0, "laplacian": 1.0, "temporal": 4.0, "twin": 0.3}
RECURRENT = (Stage(0.75, SCRIM, frozen=STEADY), Stage(0.25, SCRIM))

# Two terms of ours beside a paper's own: without them mattes stay soft for long.
SHARP = {"edge": 1.0, "gradient": 0.5}

SINET_ENCODER = {"coarse": 1.0}
SINET = {"bce": 1.0, "boundary_bce": 0.9, "coarse": 0.4, **SHARP}
PORTRAIT = {"bce": 1.0, "boundary_focal": 0.1, "consistency": 2.0, **SHARP}
PARTS = {"cross_entropy": 1.0}
# With the mean of IoU in it: small classes count as much as large ones.
EVEN = {"cross_entropy": 1.0, "overlap": 1.0}

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(  # starts from an earlier one, that from munet-webcam: --weights runs/before/best.pt
            "scrim-r",
            "scrim",
            BOTH,
            75,
            RECURRENT,
            {"deep": 3},
            mix=Mix(composite=0.38, negative=0.2, hard=0.6, garments=0.35),
            frames=8,
            encoder_rate=2e-4,
            decoder_rate=1e-3,
        ),
        Recipe("munet-webcam", "munet", WEBCAM, 97, MUNET, {"decoder": "light"}),
        Recipe(  # source 000, chapter 4, but for edges, AdamW and the cosine: it learns sooner
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
            mix=Mix(composite=0.45, negative=0.06, people=PORTRAITS),
            batch=24,
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
            (Stage(0.6, EVEN, STEADY), Stage(0.4, EVEN)),
            {"decoder": "light", "outputs": 9, "deep": 3},
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
        found = changed(found, change)
    return found
