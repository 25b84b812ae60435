"""`scrim-convert`: a trained or foreign model becomes a stamped, checked IR in models_ir/."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from conversion import check, foreign, quantise, readme
from conversion.cards import choose, load
from conversion.pictures import Labelled, draw, read_folder, read_labelled
from conversion.read import Original, read
from conversion.restore import restore
from conversion.stamp import beside, save, stamp
from realtime.errors import ConfigError
from realtime.frame import Bytes

app = typer.Typer(add_completion=False)


@app.command()
def convert(
    source: Annotated[
        Path, typer.Argument(help="best.pt of scrim-train, or a model of others; see --card")
    ],
    name: Annotated[str, typer.Option(help="another name than the checkpoint's or card's")] = "",
    card: Annotated[str, typer.Option(help="table of a foreign model; default: by file name")] = "",
    cards: Annotated[
        Path | None, typer.Option(help="a TOML file with tables of your own; see conversion/README")
    ] = None,
    out: Annotated[Path, typer.Option(help="folder of the IR files")] = Path("models_ir"),
    pictures: Annotated[
        Path | None, typer.Option(help="folder of pictures to compare with; default: drawn ones")
    ] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="write NAME-int8 too, if it keeps the accuracy budget")
    ] = False,
    labelled: Annotated[
        Path | None,
        typer.Option(help="pictures with masks: every other one calibrates, the rest judge"),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="the other way: from an IR of ours (.xml), write this file to train on"),
    ] = None,
) -> None:
    """Convert a model to an OpenVINO IR, unless it drifts from the original."""
    if checkpoint:
        restore(source, checkpoint)
        typer.echo(f"wrote {checkpoint}")
        return
    if int8 and not labelled:
        raise ConfigError("--int8 needs pictures with masks", "--labelled FOLDER of img and mask")
    truths = read_labelled(labelled) if int8 and labelled else []
    seen = read_folder(pictures) if pictures else draw()
    original = _read(source, name, card, cards)
    stamped = stamp(original.graph, original.card, original.signature)
    with beside(out, original.card.name) as ir:
        save(stamped, ir)
        drifts = check.compare(original, ir, seen)
        Console().print(check.table(drifts), f"the original ran in {original.runtime}")
        check.refuse(drifts, original.budget or check.LIMIT_FP16)
    readme.write(out)
    typer.echo(f"wrote {out / original.card.name}.xml")
    if truths:
        _quantise(out, original.card.name, seen if pictures else [], truths)


def _quantise(out: Path, name: str, pictures: list[Bytes], truths: list[Labelled]) -> None:
    """Write NAME-int8 beside NAME; calibrated with half of the labelled pictures and all others."""
    calibration = [*pictures, *(truth.bgr for truth in truths[::2])]
    with beside(out, f"{name}-int8") as into:
        report = quantise.quantise(out / f"{name}.xml", into, calibration, truths[1::2])
        Console().print(quantise.table(report))
    readme.write(out)
    typer.echo(f"wrote {out / name}-int8.xml")


def _read(source: Path, name: str, card: str, cards: Path | None) -> Original:
    if source.suffix == ".pt":
        return read(source, name)
    key, table = choose(source, card, load() | (load(cards) if cards else {}))
    return foreign.read(source, table, table.card(name or key))
