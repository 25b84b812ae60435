"""What is wrong with a person's light before a backdrop: in numbers, and in a word."""

from __future__ import annotations

import math

from realtime.scene.light import GAMMA, Light

FLAT = 0.02
"""Contrast that is added to both sides of a comparison: of nothing there is no multiple."""

NOTABLE = {"level": 0.8, "warmth": 0.5, "contrast": 0.7}
"""Differences that are worth a word."""

WORDS = {
    "level": ("person bright", "person dark"),
    "warmth": ("person warm", "person cool"),
    "contrast": ("harsh", "flat"),
}
"""What is wrong with the person's light when the backdrop has less of it, and when it has more."""

Numbers = dict[str, float | str]


def compare(here: Light, there: Light) -> Numbers:
    """Return the `verdict` and what the light here lacks of the light there.

    `level` is in stops, `warmth` in the units of `scene.light`, `contrast`, when the level is made
    up, in log2. `key` and `backdrop key` are the sides that the lights come from.
    """
    level = there.level - here.level
    spread = here.contrast * 2 ** (level / GAMMA)
    contrast = math.log2((there.contrast + FLAT) / (spread + FLAT))
    lacks = {"level": level, "warmth": there.warmth - here.warmth, "contrast": contrast}
    worst = max(lacks, key=lambda key: abs(lacks[key]) / NOTABLE[key])
    notable = abs(lacks[worst]) >= NOTABLE[worst]
    return {
        "verdict": WORDS[worst][lacks[worst] > 0] if notable else "ok",
        **{key: round(value, 2) for key, value in lacks.items()},
        "key": round(here.side, 2),
        "backdrop key": round(there.side, 2),
    }
