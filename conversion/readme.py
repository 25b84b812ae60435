"""models_ir/README.md: every model's card in words, written from the cards inside the IR files.

Only what people know and figures do not say, the known failures, is written by hand: between the
markers of a model, where it survives every rewriting. The table that compares all networks is
`benchmarks.networks`'s.
"""

from __future__ import annotations

import re
from pathlib import Path

import openvino as ov

from realtime.contract import Card

TITLE = """# Models

Written by `scrim-convert` from the cards inside the IR files: change a card by converting again.
Only the known failures, between their markers, are written by hand and kept.
Every IR takes BGR `uint8` (1, height, width, 3) and gives `alpha`, `float32` (1, 1, height, width);
one of many classes also gives `classes`, `uint8` (1, height, width).
"""
HEADINGS = "| model | input | file | licence |\n|---|---|---|---|\n"
NOTES = re.compile(r"<!-- failures of (\S+) -->\n(.*?)<!-- end -->", re.DOTALL)
NO_NOTES = "None written down yet.\n"
FIGURES = re.compile(r"<!-- figures -->\n(.*?)<!-- end -->", re.DOTALL)
NO_FIGURES = "Not measured yet.\n"


def write(folder: Path, figures: str = "") -> None:
    """Write README.md from all IRs of the folder. Raises `ModelContract` for one without card.

    figures: what stands under "Figures" from now on; without it, what stood there before.
    """
    page = folder / "README.md"
    before = page.read_text("utf-8") if page.exists() else ""
    notes = dict(NOTES.findall(before))
    kept = FIGURES.search(before)
    figures = figures or (kept[1] if kept else NO_FIGURES)
    core = ov.Core()
    cards = {path: Card.of(core.read_model(path), str(path)) for path in folder.glob("*.xml")}
    order = sorted(cards.items(), key=lambda item: item[0].stem)
    rows = [_row(path, card) for path, card in order]
    names = {card.name for card in cards.values()}
    told = [card for _, card in order if not (card.name != _base(card) and _base(card) in names)]
    parts = [_part(card, notes.get(_base(card), NO_NOTES)) for card in told]
    compared = f"## Figures\n\n<!-- figures -->\n{figures}<!-- end -->\n"
    page.write_text("\n".join([TITLE, HEADINGS + "".join(rows), compared, *parts]), "utf-8")


def _row(path: Path, card: Card) -> str:
    kilobytes = sum(part.stat().st_size for part in (path, path.with_suffix(".bin"))) / 1000
    return f"| `{card.name}` | {_sizes(card)} | {kilobytes:.0f} kB | {card.licence} |\n"


def _part(card: Card, notes: str) -> str:
    return (
        f"## {card.name}\n\n"
        f"- Origin: {card.origin}\n"
        f"- Licence: {card.licence}\n"
        f"- Input: {_sizes(card)} pixels\n"
        + (f"- Classes: {', '.join(card.classes)}\n" if card.classes else "")
        + (f"- Memory: {', '.join(name for name, _ in card.memory)}\n" if card.memory else "")
        + f"\nKnown failures:\n\n<!-- failures of {_base(card)} -->\n{notes}<!-- end -->\n"
    )


def _base(card: Card) -> str:
    """The network's name: one in INT8 fails where its original does."""
    return card.name.removesuffix("-int8")


def _sizes(card: Card) -> str:
    return ", ".join(f"{width}x{height}" for width, height in card.sizes)
