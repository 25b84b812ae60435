"""Step 3 and light in time, on clips: what the raw network gives, and what the line makes of it.

Figures are those of `training.metrics`, at the frames' size: IoU in %, MAD and flicker x 1000,
dtSSD x 100. "Fast" is the IoU of each clip's tenth of frames in which the true alpha changes
most. A light event is compared with the same clip without it.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean

from benchmarks import smoothers
from benchmarks.gallery import EACH, OFF, Gallery, Scores, lamp, mains
from benchmarks.page import Target, table
from realtime.config import Config
from realtime.pipeline import Smoother

FIGURES = ("iou", "mad", "dtssd", "flicker", "fast")

TRIED: dict[str, Callable[[], Smoother]] = {
    "disagreement-weighted average": smoothers.DisagreementAverage,
    "one-euro, per pixel": smoothers.OneEuro,
    "flow-warped average, no gate": smoothers.FlowAverage,
}


def measure(gallery: Gallery) -> tuple[list[Target], list[str]]:
    """Return the targets, and what stands on the page besides them."""
    raw, (ours, _) = gallery.raw(), gallery.timed(Config())
    return targets(gallery, raw, ours), [
        (__doc__ or "").partition("\n\n")[2].strip(),
        "Each clip, raw network / line:",
        by_clip(raw, ours),
        "Smoothers on the clips, all with the same refining, and the time of step 3; an exact "
        "matte of the network's size is the best that any smoother can do:",
        compared(gallery, raw),
        "Mean change of alpha x 1000 on footage, calm to lit, under events drawn over it:",
        by_event(gallery),
    ]


def targets(gallery: Gallery, raw: Scores, ours: Scores) -> list[Target]:
    """Return the targets of steadiness and of light in time."""
    names = [clip.name for clip in gallery.plain]
    before, after = averages(raw, names), averages(ours, names)
    calm = {name: ours[name] for name in names}
    strain_before, strain = strains(raw), strains(ours)
    return [
        Target("clips: dtSSD", before["dtssd"], after["dtssd"], 1.2),
        Target("clips: flicker", before["flicker"], after["flicker"], 0.2),
        Target("clips: IoU lost, worst clip", None, worst(raw, calm, "iou"), 0.1),
        Target("clips: MAD gained, worst clip", None, worst(calm, raw, "mad"), 0.2),
        Target("fast motion: IoU lost, worst clip", None, worst(raw, calm, "fast"), 0.2),
        Target(
            "light events: factor on dtSSD, worst clip",
            max(factor for factor, _ in strain_before.values()),
            max(factor for factor, _ in strain.values()),
            1.1,
        ),
        Target(
            "light events: IoU lost, worst clip",
            max(lost for _, lost in strain_before.values()),
            max(lost for _, lost in strain.values()),
            0.1,
        ),
    ]


def by_clip(raw: Scores, ours: Scores) -> str:
    """Return the figures of every clip, raw and with our steps."""
    lines = [
        (name, *(f"{raw[name][key]:.2f} / {ours[name][key]:.2f}" for key in FIGURES))
        for name in ours
    ]
    return table(("clip", "IoU", "MAD", "dtSSD", "flicker", "IoU, fast"), lines)


def compared(gallery: Gallery, raw: Scores) -> str:
    """Return the smoothers side by side, those that are kept and those that were tried."""
    rows = [("raw network", raw, None), ("exact matte of its size", gallery.floor(), None)]
    for method in ("off", "gated", "flow"):
        config = Config().with_values(EACH | {"temporal": {"method": method}})
        rows.append((f"`{method}`", *gallery.timed(config)))
    rows.append(("`flow`, a look at every second frame", *gallery.timed(Config())))
    rows.append(("`flow`, as files are rendered", *gallery.timed(Config().unhurried())))
    rows += [(name, *gallery.timed(Config(), make)) for name, make in TRIED.items()]
    names = [clip.name for clip in gallery.plain]
    return table(
        ("smoother", "IoU", "MAD", "dtSSD", "flicker", "IoU, fast", "dtSSD under events", "ms"),
        (
            (
                name,
                *(f"{averages(found, names)[key]:.2f}" for key in FIGURES),
                f"x {max(f for f, _ in strains(found).values()):.2f}" if strains(found) else "-",
                "-" if spent is None else f"{spent:.2f}",
            )
            for name, found, spent in rows
        ),
    )


def by_event(gallery: Gallery) -> str:
    """Return how much more a matte of footage changes under drawn events of the light."""
    off, ours = Config().with_values(OFF), Config()
    lines = []
    for name, gains in (("a lamp, and exposure", lamp), ("mains", mains)):
        pairs = gallery.lit(gains)
        cells = []
        for config in (off, ours):
            calm = sum(gallery.unrest(clip, config) for clip, _ in pairs) / len(pairs)
            lit = sum(gallery.unrest(clip, config) for _, clip in pairs) / len(pairs)
            cells.append(f"{calm:.2f} to {lit:.2f}, x {lit / calm:.2f}")
        lines.append((name, *cells))
    return table(("event over footage", "without", "with"), lines)


def averages(found: Scores, names: list[str] | None = None) -> dict[str, float]:
    """Return the mean over clips of every figure."""
    rows = [at for name, at in found.items() if names is None or name in names]
    return {key: mean(row[key] for row in rows) for key in rows[0]}


def worst(found: Scores, than: Scores, key: str) -> float:
    """Return the largest rise of a figure over another line's, over all clips in both."""
    return max(found[name][key] - than[name][key] for name in found.keys() & than.keys())


def strains(found: Scores) -> dict[str, tuple[float, float]]:
    """Return each event's factor on dtSSD and the points of IoU that it costs."""
    pairs = {name: (at, found[name.split(".")[0]]) for name, at in found.items() if "." in name}
    return {
        name: (at["dtssd"] / calm["dtssd"], calm["iou"] - at["iou"])
        for name, (at, calm) in pairs.items()
    }
