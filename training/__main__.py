"""`scrim-train`: fit a recipe, evaluate checkpoints, pack data, show what a recipe trains on."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from realtime.errors import enter
from training import recipe as recipes

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

DATA = Path("../shared/data")
PACK = Path("packs/people.pack")
WEIGHTS = Path("../shared/weights/mobilenetv2_050_folded.npz")
DataOption = Annotated[Path, typer.Option(help="Folder of pictures.")]
ChangesOption = Annotated[
    list[str], typer.Option("--set", help='Change the recipe: "batch=24", "options.alpha=0.5".')
]
PackOption = Annotated[Path, typer.Option(help="Packed pictures.")]


@app.command()
def pack(data: DataOption = DATA, out: PackOption = PACK) -> None:
    """Pack the training pictures into one file."""
    from training.pack import build

    found = build(data, out)
    for source, rows in found.sources.items():
        Console().print(f"{source}: {len(rows)}")


@app.command()
def fit(
    recipe: Annotated[str, typer.Option(help="Name of a recipe.")] = "munet-webcam",
    data: DataOption = DATA,
    pack: PackOption = PACK,
    weights: Annotated[Path, typer.Option(help="Encoder weights to start from.")] = WEIGHTS,
    out: Annotated[Path | None, typer.Option(help="Folder of the run.")] = None,
    steps: Annotated[int | None, typer.Option(help="Length in steps.", min=0)] = None,
    minutes: Annotated[float | None, typer.Option(help="Length in minutes.", min=0.01)] = None,
    workers: Annotated[int, typer.Option(help="Processes that draw batches.", min=0)] = 1,
    changes: ChangesOption = (),
) -> None:
    """Train; goes on where the run in --out stopped."""
    from training.pack import build
    from training.train import Run, Trainer

    chosen = recipes.find(recipe, changes)
    if not pack.is_file():
        build(data, pack)
    run = Run(
        chosen,
        pack,
        out or Path("runs") / recipe,
        weights,
        data,
        steps,
        minutes or chosen.minutes,
        workers=workers,
        changes=tuple(changes),
    )
    Trainer(run).fit()


@app.command()
def evaluate(
    checkpoints: Annotated[list[Path], typer.Argument(help="best.pt of runs.")],
    data: DataOption = DATA,
    quick: Annotated[bool, typer.Option(help="A few frames of each clip.")] = False,
    sheet: Annotated[Path | None, typer.Option(help="Write the worst pictures here.")] = None,
) -> None:
    """Measure checkpoints on the pictures set aside; unless --quick, their cards then tell it."""
    from training import evaluate as measure
    from training import sheet as sheets
    from training.models import load
    from training.train import flat, note

    for path in checkpoints:
        model, card = load(path)
        network = measure.Network(model, card.sizes)
        scores = measure.evaluate(network, data, quick)
        parameters = sum(p.numel() for p in model.parameters())
        title = (
            f"{path}: {parameters / 1e6:.2f} M parameters, {network.milliseconds:.1f} ms a picture"
        )
        Console(width=110).print(table(title, scores))
        if sheet:
            sheets.worst(scores, sheet)
        if not quick:
            note(path, flat(scores))


@app.command()
def show(
    out: Annotated[Path, typer.Argument(help="Picture to write.")],
    recipe: Annotated[str, typer.Option(help="Name of a recipe.")] = "munet-webcam",
    pack: PackOption = PACK,
    first: Annotated[int, typer.Option(help="Number of the first batch.", min=0)] = 0,
    number: Annotated[int, typer.Option(help="How many batches.", min=1)] = 3,
) -> None:
    """Write a contact sheet of what a recipe trains on."""
    from training import sheet
    from training.data import Batches

    drawn = Batches(pack, recipes.find(recipe))
    sheet.batches([drawn[i] for i in range(first, first + number)], out)


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
    return shown


def main() -> None:
    """Run the command line; a ScrimError becomes its exit code."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # waiting threads leave the core to others
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    enter(app)


if __name__ == "__main__":
    main()
