"""Every network side by side: ours in models_ir/ and the peers whose files are at hand.

`python -m benchmarks.networks --data DIR [--peers DIR] [--more DIR]` writes the table into
models_ir/README.md. Peers are converted by their cards first, into runs/peers; those that are there
are measured without --peers too. Quality is that of
the raw network (no smoothing, no refinement) at the picture's size; a file measured once is not
measured again (its figures are kept by its digest). Times are medians of interleaved rounds in
this one run.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from subprocess import run
from time import perf_counter
from typing import Annotated

import cv2
import numpy as np
import openvino as ov
import typer
from rich.progress import track

from benchmarks.machine import describe
from conversion import cards, readme
from realtime.config import Config
from realtime.contract import Card, Size
from realtime.door import enter
from realtime.matting.engine import MattingModel, sized
from training import evaluate

KEPT = Path("runs/networks.json")
"""Figures of files measured before, by digest; not committed."""

SHIPPED = Path("models_ir")
CONVERTED = Path("runs/peers")

ROUNDS, REPEATS = 12, 4

app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class Entry:
    """An IR to measure at a share of its usual sides; `group` is "ours" or "peer"."""

    path: Path
    group: str
    scale: float = 1.0

    @property
    def digest(self) -> str:
        parts = (self.path, self.path.with_suffix(".bin"))
        digest = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:16]
        return digest if self.scale == 1 else f"{digest} x {self.scale}"

    @property
    def size(self) -> Size:
        """The input for a camera's picture."""
        return card_of(self).sizes_at(self.scale)[0]


class Raw:
    """A network as the evaluation wants it: BGR (H, W, 3) -> alpha (H, W), on one thread."""

    def __init__(self, path: Path, scale: float = 1.0) -> None:
        self._session = MattingModel(path, threads=1).session(scale)

    def reset(self) -> None:
        self._session.reset()

    def __call__(self, bgr: evaluate.Pixels) -> evaluate.Matte:
        height, width = bgr.shape[:2]
        small = cv2.resize(bgr, self._session.size_for(width, height), interpolation=cv2.INTER_AREA)
        alpha = self._session.infer(small)
        return np.asarray(cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR))


def quality(entry: Entry, data: Path) -> dict[str, float]:
    """Return {"eg1800 iou": ..., "clips mad": ..., "negatives false": ...}."""
    scores = evaluate.evaluate(Raw(entry.path, entry.scale), data)
    return {f"{s.name} {key}": round(v, 3) for s in scores for key, v in s.figures.items()}


def measured(entries: Sequence[Entry], data: Path) -> list[dict[str, float]]:
    """Return every entry's quality, from the figures kept where its file is known."""
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for entry in track(entries, "quality"):
        if entry.digest not in kept:
            kept[entry.digest] = quality(entry, data)
            KEPT.parent.mkdir(exist_ok=True)
            KEPT.write_text(json.dumps(kept))
    return [kept[entry.digest] for entry in entries]


def size_of(graph: ov.Model) -> tuple[float, float]:
    """Return millions of parameters and GFLOP (two a multiply-add) at the graph's own size."""
    values = macs = 0
    for node in graph.get_ops():
        kind = node.get_type_name()
        if kind == "Constant" and node.get_element_type().get_type_name() in WEIGHTS:
            values += node.data.size
        elif kind.startswith(("Convolution", "GroupConvolution")):
            macs += _macs(node, "Backprop" in kind, kind.startswith("Group"))
    return values / 1e6, 2 * macs / 1e9


WEIGHTS = {"f32", "f16", "i8", "u8"}


def _macs(node: ov.Node, transposed: bool, grouped: bool) -> int:
    """Multiply-adds of a convolution: each value of the larger side times the kernel's reach."""
    kernel = list(node.input(1).get_shape())
    groups = kernel.pop(0) if grouped else 1
    pixels = np.prod(node.input(0).get_shape()[2:] if transposed else node.output(0).shape[2:])
    return int(pixels * groups * np.prod(kernel))


def times_ms(entries: Sequence[Entry], threads: int) -> list[float]:
    """Return each entry's median time of an inference, rounds interleaved."""
    runs = []
    for entry in entries:
        model = MattingModel(entry.path, threads=threads)
        width, height = entry.size
        picture = np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)
        runs.append((model.session(entry.scale), picture, []))
    for _ in track(range(ROUNDS), f"{threads} thread(s)"):
        for session, picture, spent in runs:
            session.infer(picture)
            for _ in range(REPEATS):
                begin = perf_counter()
                session.infer(picture)
                spent.append(1e3 * (perf_counter() - begin))
    return [median(spent) for *_, spent in runs]


COLUMNS = {
    "EG1800 IoU / boundary": ("eg1800 iou", "eg1800 biou"),
    "CelebAMask": ("celebamask iou",),
    "vikram": ("vikram iou",),
    "CCP": ("ccp iou",),
    "clips IoU / MAD": ("clips iou", "clips mad"),
    "dtSSD / flicker": ("clips dtssd", "clips flicker"),
    "lamp / warm / mains": ("clips, gain lost", "clips, warm lost", "clips, flicker lost"),
    "rooms": ("negatives false",),
}

ABOUT = """\
Foreground IoU and boundary IoU (2 % of the diagonal) in %, MAD and flicker x 1000, dtSSD x 100,
of the raw network, on pictures that are set aside: the stills of each source; the clips; points of
IoU that the same clips lose under a light event (a lamp, a warmer colour, the mains); rooms without
people that look as if there were one (share of pixels called person, in %). M: million parameters.
GFLOP: two a multiply-add, of convolutions. Milliseconds: medians on one and on two threads, all
networks in turns. Ours are bold.
"""


def page(entries: Sequence[Entry], data: Path, more: bool = False) -> str:
    """Return the tables as Markdown; `more`: of networks that are not shipped too."""
    figures = measured(entries, data)
    one, two = (times_ms(entries, threads) for threads in (1, 2))
    head = ["network", "input", "M", "GFLOP", "ms 1", "ms 2", *COLUMNS]
    rows = []
    for entry, found, ms1, ms2 in zip(entries, figures, one, two, strict=True):
        card, (width, height) = card_of(entry), entry.size
        millions, gflop = size_of(sized(ov.Core().read_model(entry.path), card, entry.size))
        name = card.name if entry.group == "peer" else f"**{card.name}**"
        cost = [f"{millions:.3f}", f"{gflop:.3f}", f"{ms1:.2f}", f"{ms2:.2f}"]
        cells = [
            " / ".join(f"{found[k]:.2f}" for k in keys if k in found) for keys in COLUMNS.values()
        ]
        rows.append([name, f"{width}x{height}", *cost, *cells])
    machine = "; ".join(f"{what} {value}" for what, value in describe())
    peers = any(entry.group == "peer" for entry in entries)
    words = " --data DIR" + " --peers DIR" * peers + " --more DIR" * more
    said = f"Measured by `python -m benchmarks.networks{words}`: {machine}."
    return "\n".join([ABOUT, markdown(head, rows), *classes(entries), said, ""])


def classes(entries: Sequence[Entry]) -> list[str]:
    """Return the table of the networks of many classes, if there are any."""
    cards = [card for card in map(card_of, entries) if card.classes]
    if not cards:
        return []
    rows = [
        [f"**{card.name}**", *(_figure(card, key) for key in ("miou", *_ious(card)))]
        for card in cards
    ]
    return ["IoU of each class, in %:\n", markdown(["network", "mean", *cards[0].classes], rows)]


def _ious(card: Card) -> list[str]:
    return [f"iou {name}" for name in card.classes]


def _figure(card: Card, key: str) -> str:
    return f"{card.figures[f'parts {key}']:.1f}" if f"parts {key}" in card.figures else "-"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def card_of(entry: Entry) -> Card:
    """Return the card inside an IR."""
    return Card.of(ov.Core().read_model(entry.path), entry.path.name)


def convert(files: Path, labelled: Path) -> None:
    """Convert every file that a card of conversion/cards.toml knows, in FP16 and INT8."""
    for key, card in cards.load().items():
        for source in (path for name in card.files for path in sorted(files.glob(name))):
            words = [str(source), "--card", key, "--out", str(CONVERTED)]
            words += ["--int8", "--labelled", str(labelled)]
            if not (CONVERTED / f"{key}.xml").exists():
                run([sys.executable, "-m", "conversion", *words], check=False)


def _scales(path: Path) -> list[Entry]:
    """Return an IR of ours at its usual size and, where it has one, at that for files."""
    usual, larger = (Entry(path, "ours", scale) for scale in (1.0, Config().render.scale))
    return [usual] if usual.size == larger.size else [usual, larger]


@app.command()
def main(
    data: Annotated[Path, typer.Option(help="data folder: stills/val, clips, negatives")],
    peers: Annotated[Path | None, typer.Option(help="folder of peers' model files")] = None,
    models: Annotated[Path, typer.Option(help="our IR files; README.md is here")] = SHIPPED,
    more: Annotated[Path | None, typer.Option(help="IR files of ours that are not shipped")] = None,
) -> None:
    """Measure all networks and write the table into the models' README."""
    ours = {p.name: p for folder in (more, models) if folder for p in folder.glob("*.xml")}
    entries = [entry for name in sorted(ours) for entry in _scales(ours[name])]
    if peers:
        convert(peers, data / "stills" / "train" / "eg1800")
    entries += [Entry(path, "peer") for path in sorted(CONVERTED.glob("*.xml"))]
    readme.write(models, page(entries, data, bool(more)))


if __name__ == "__main__":
    enter(app)
