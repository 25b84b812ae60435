"""Measure everything and write README.md beside this file: `make bench`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import machine, page, report
from benchmarks.process import run
from realtime.build import find_model
from realtime.door import enter
from realtime.matting.engine import read_card

BACKDROPS = ("blur", "#336699")


def main(
    model: Annotated[str, typer.Option(help="a name of `scrim models` or a path")] = "default",
    output: Annotated[Path, typer.Option(help="the page to write")] = page.PAGE,
) -> None:
    """Measure steps, line, memory and peers, one after the other, and write the page."""
    path = find_model(model)
    card = read_card(path)
    sizes = " ".join(f"{width}x{height}" for width, height in card.sizes_at())
    told, here = machine.describe(), ("--model", os.path.abspath(path))
    console = Console(stderr=True)
    with console.status("steps") as status:
        found = {"steps": run("realtime", "bench", "--json", *here)}
        status.update("a local line")
        found["line"] = {at: run("benchmarks.line", *here, "--backdrop", at) for at in BACKDROPS}
        status.update("memory: 10,000 frames")
        found["memory"] = run("benchmarks.memory", *here)
        status.update("peers")
        found["peers"] = run("benchmarks.peers", *here)
    page.rewrite(report.page(told, f"{card.name} ({sizes})", found), output)
    console.print(f"wrote {output}")


if __name__ == "__main__":
    enter(lambda: typer.run(main))
