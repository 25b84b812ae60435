"""What can be asked of `scrim` on the command line. Floor 7."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated

import typer

from realtime.commands.line import ctl, install_service, run, uninstall_service
from realtime.commands.offline import bench, render
from realtime.commands.survey import devices, doctor, models, show_config

app = typer.Typer(
    help="Replaces the room behind a person on a webcam, live.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
ROWS: dict[str, Callable[..., None]] = {
    "run": run,
    "ctl": ctl,
    "render": render,
    "models": models,
    "devices": devices,
    "config": show_config,
    "bench": bench,
    "install-service": install_service,
    "uninstall-service": uninstall_service,
    "doctor": doctor,
}
for name, command in ROWS.items():
    app.command(name)(command)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(version("scrim"))
        raise typer.Exit


@app.callback()
def scrim(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_tell_version, help="Say it and stop."),
    ] = False,
) -> None:
    """Take what concerns no command."""
