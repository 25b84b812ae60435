"""`scrim-convert`: a trained checkpoint becomes a stamped, checked IR in models_ir/."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from conversion import check, readme
from conversion.pictures import draw, read_folder
from conversion.read import read
from conversion.stamp import beside, save, stamp
from realtime.errors import enter

app = typer.Typer(add_completion=False)


@app.command()
def convert(
    checkpoint: Annotated[Path, typer.Argument(help="written by scrim-train, e.g. best.pt")],
    name: Annotated[str, typer.Option(help="another name than the checkpoint's own")] = "",
    out: Annotated[Path, typer.Option(help="folder of the IR files")] = Path("models_ir"),
    pictures: Annotated[
        Path | None, typer.Option(help="folder of pictures to compare with; default: drawn ones")
    ] = None,
) -> None:
    """Convert a trained checkpoint to an OpenVINO IR, unless it drifts from the original."""
    seen = read_folder(pictures) if pictures else draw()
    original = read(checkpoint, name)
    stamped = stamp(original.graph, original.card)
    with beside(out, original.card.name) as ir:
        save(stamped, ir)
        drifts = check.compare(original, ir, seen)
        Console().print(check.table(drifts))
        check.refuse(drifts, check.LIMIT_FP16)
    readme.write(out)
    typer.echo(f"wrote {out / original.card.name}.xml")


def main() -> None:
    """Run the command; what goes wrong is told on stderr, by the error's message and exit code."""
    enter(app)


if __name__ == "__main__":
    main()
