"""`scrim-train`: fit a recipe, evaluate checkpoints, pack data, show what a recipe trains on."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from realtime.errors import ConfigError
from training import recipes
from training.layouts import KINDS, Item
from training.pack import Pack
from training.packing import LADDER, build, build_within, kept
from training.recipe import CLASSES

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

FOLDER = typer.Option(
    "--data",
    help="Folder of pictures, in a layout of training/README.md.",
    exists=True,
    file_okay=False,
)
DataNeeded = Annotated[Path, FOLDER]
DataOption = Annotated[Path | None, FOLDER]
ChangesOption = Annotated[
    list[str], typer.Option("--set", help='Change the recipe: "batch=24", "options.alpha=0.5".')
]
PackOption = Annotated[
    Path | None, typer.Option(help="Packed pictures.", show_default="packs/<folder>.pack")
]
START = "scrim-convert models_ir/munet-webcam.xml --checkpoint start.pt"

SkipOption = Annotated[bool, typer.Option("--skip-bad", help="Leave out files that are bad.")]


@app.command()
def pack(
    data: DataNeeded,
    out: PackOption = None,
    megabytes: Annotated[
        float | None, typer.Option(help="Make it this small: the quality follows.", min=0.01)
    ] = None,
    long_side: Annotated[int, typer.Option(help="Largest side of a picture.", min=32)] = 400,
    kind: Annotated[
        list[str], typer.Option(help="Pack these alone; may be given more than once.")
    ] = KINDS,
    skip_bad: SkipOption = False,
) -> None:
    """Pack the training pictures into one file."""
    unknown = set(kind) - set(KINDS)
    if unknown:
        raise ConfigError(f"no kind {min(unknown)!r}", f"there are {', '.join(KINDS)}")
    path, quality = out or packed(data), replace(LADDER[0], long_side=long_side)
    if megabytes is None:
        found = build(data, path, quality, kind, skip_bad, watched)
    else:
        found = build_within(megabytes, data, path, quality, kind, skip_bad, watched)
    tell(path, found)


def packed(data: Path) -> Path:
    """Where the pack of a folder is kept."""
    return Path("packs") / f"{data.resolve().name}.pack"


def watched(items: Sequence[Item]) -> Iterable[Item]:
    """The same items under a progress bar."""
    return track(items, "pictures", transient=True)


def tell(path: Path, found: Pack) -> None:
    """What a pack holds, and how."""
    counts = ", ".join(f"{len(rows)} {source}" for source, rows in found.sources.items())
    size, quality = found.bytes.size / 1e6, found.index["quality"]
    typer.echo(f"{path}: {size:.1f} MB, {quality}; {counts}")
    if found.index["left_out"]:
        typer.echo(f"{found.index['left_out']} bad files left out")
    if "background" not in found.sources:
        typer.echo("no empty rooms to paste people into: put some into its folder backgrounds")


@app.command()
def fit(
    recipe: Annotated[str, typer.Option(help="Name of a recipe.")] = "munet-webcam",
    data: DataOption = None,
    pack: PackOption = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="Start from an encoder's .npz or a best.pt, its decoder if it fits."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run.")] = None,
    steps: Annotated[int | None, typer.Option(help="Length in steps.", min=1)] = None,
    minutes: Annotated[float | None, typer.Option(help="Length in minutes.", min=0.01)] = None,
    workers: Annotated[int, typer.Option(help="Processes that draw batches.", min=0)] = 1,
    changes: ChangesOption = (),
    skip_bad: SkipOption = False,
) -> None:
    """Train; goes on where the run in --out stopped.

    Without --pack the pictures of --data are packed first, and again when any of them changes;
    with a pack that exists, --data is for measuring alone and may be left out.
    """
    from training.evaluate import aside
    from training.train import Run, Trainer

    chosen = recipes.find(recipe, changes)
    out = out or Path("runs") / (f"{recipe}-{data.resolve().name}" if data else recipe)
    if chosen.pretrained and not weights and not (out / "last.pt").is_file():
        raise ConfigError(
            f"{recipe} starts from an encoder that was trained before",
            f"{START}, then add --weights start.pt; or start from nothing: --set pretrained=false",
        )
    if weights and not chosen.pretrained:
        hint = "leave --weights out, or add --set pretrained=true"
        raise ConfigError(f"{recipe} starts from nothing", hint)
    packed = prepared(data, pack, skip_bad)
    if data:
        aside(data, "parts" if chosen.task == "parts" else "person", skip_bad)
    run = Run(
        chosen,
        packed,
        out,
        weights,
        data,
        steps,
        minutes or chosen.minutes,
        workers=workers,
        changes=tuple(changes),
        skip_bad=skip_bad,
    )
    trainer = Trainer(run)
    trainer.fit()
    said = "stopped; the same command goes on" if trainer.progress() < 1 else "done"
    if trainer.stuck and trainer.progress() < 1:
        said = f"ended: no gain in {trainer.stale} evaluations; --set patience=0 goes on"
    typer.echo(f"{out}: step {trainer.step}, {said}")


def prepared(data: Path | None, pack: Path | None, skip_bad: bool) -> Path:
    """The pack to train from, made if need be."""
    if pack and pack.is_file():
        path, found = pack, Pack(pack)
    elif data:
        path = pack or packed(data)
        found = kept(data, path, skip_bad, watched)
    else:
        missing = f"no pack {pack}" if pack else "no pictures to train from"
        raise ConfigError(missing, "name their folder: --data FOLDER")
    tell(path, found)
    if not data:
        typer.echo("without --data nothing is measured on the way")
    return path


@app.command()
def evaluate(
    checkpoints: Annotated[list[Path], typer.Argument(help="best.pt of runs.")],
    data: DataNeeded,
    quick: Annotated[bool, typer.Option(help="A few frames of each clip.")] = False,
    sheet: Annotated[Path | None, typer.Option(help="Write the worst pictures here.")] = None,
    scale: Annotated[float, typer.Option(help="Share of the network's usual sides.")] = 1.0,
    skip_bad: SkipOption = False,
) -> None:
    """Measure checkpoints on the pictures set aside; their cards then tell it, unless it was
    --quick or at another --scale."""
    from training import sheet as sheets
    from training.checkpoint import note
    from training.evaluate import flat, measured
    from training.models import load

    if sheet and len(checkpoints) > 1:
        raise ConfigError("--sheet is of one checkpoint", "evaluate them one by one")
    for path in checkpoints:
        model, card = load(path)
        scores = measured(model, card, data, quick, skip_bad, scale)
        parameters = sum(p.numel() for p in model.parameters())
        Console(width=110).print(table(f"{path}: {parameters / 1e6:.3f} M parameters", scores))
        if sheet:
            sheets.worst(scores, sheet)
        if not quick and scale == 1:
            note(path, flat(scores))


@app.command()
def mean(
    checkpoints: Annotated[list[Path], typer.Argument(help="best.pt of runs of one network.")],
    out: Annotated[Path, typer.Option(help="Checkpoint to write.")],
) -> None:
    """Write a checkpoint whose weights are the mean of several; evaluate tells whether it pays."""
    from training import soup
    from training.checkpoint import write

    write(out, soup.mean(checkpoints))


@app.command()
def show(
    out: Annotated[Path, typer.Argument(help="Picture to write.")],
    recipe: Annotated[str, typer.Option(help="Name of a recipe.")] = "munet-webcam",
    pack: PackOption = None,
    data: DataOption = None,
    first: Annotated[int, typer.Option(help="Number of the first batch.", min=0)] = 0,
    number: Annotated[int, typer.Option(help="How many batches.", min=1)] = 3,
    changes: ChangesOption = (),
    skip_bad: SkipOption = False,
) -> None:
    """Write a contact sheet of what a recipe trains on."""
    from training import sheet
    from training.data import batches

    drawn = batches(prepared(data, pack, skip_bad), recipes.find(recipe, changes))
    sheet.batches([drawn[i] for i in range(first, first + number)], out)


@app.command()
def statistics(
    pack: PackOption = None, data: DataOption = None, skip_bad: SkipOption = False
) -> None:
    """Print colour mean and deviation and class areas of the labelled pictures (nine classes)."""
    from training import parts

    found = Pack(prepared(data, pack, skip_bad))
    mean, deviation = parts.statistics(found)
    typer.echo(f"mean {np.round(mean, 3)}, deviation {np.round(deviation, 3)}, RGB in 0..1")
    for name, area in zip(CLASSES, parts.class_areas(found), strict=True):
        typer.echo(f"{name}: {area:.2f} %")


COLUMNS = {
    "iou": "IoU %",
    "miou": "mIoU %",
    "biou": "boundary %",
    "mad": "MAD",
    "mse": "MSE",
    "dtssd": "dtSSD",
    "flicker": "flicker",
}


def table(title: str, scores: list) -> Table:
    """One row a set."""
    shown = Table("set", "pictures", *COLUMNS.values(), title=title)
    for score in scores:
        cells = (f"{score.figures[key]:.2f}" if key in score.figures else "-" for key in COLUMNS)
        shown.add_row(score.name, str(score.pictures), *cells)
        for key, value in score.figures.items():
            if key.startswith("iou "):  # of one class
                shown.add_row(f"  {key[4:]}", "", f"{value:.2f}")
    return shown
