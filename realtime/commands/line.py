"""Scrim at work: started, given orders, installed for good."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from realtime.commands.options import (
    Backdrop,
    ConfigFile,
    Device,
    Model,
    Sets,
    config_file,
    load_config,
)
from realtime.errors import ScrimError
from realtime.journal import Journal, LogFormat
from realtime.layers import to_environment


def run(
    config: ConfigFile = None,
    sets: Sets = None,
    source: Annotated[
        str | None,
        typer.Option("-i", "--input", help='A video file or "pattern" instead of the camera.'),
    ] = None,
    backdrop: Backdrop = None,
    model: Model = None,
    device: Device = None,
    host: Annotated[str | None, typer.Option("--host", help="Address of the studio.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port of the studio.")] = None,
    publish: Annotated[
        str | None,
        typer.Option("--publish", metavar="URL", help="A WHIP endpoint, or rtp://host:port."),
    ] = None,
    token: Annotated[
        str | None, typer.Option("--token", help="Secret that the WHIP endpoint asks for.")
    ] = None,
    no_web: Annotated[bool, typer.Option("--no-web", help="No studio.")] = False,
    no_virtualcam: Annotated[bool, typer.Option("--no-virtualcam", help="No camera out.")] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="A window on this screen, with hot keys.")
    ] = False,
    passthrough: Annotated[
        bool, typer.Option("--passthrough", help="Show the ROOM, red border. For developers.")
    ] = False,
    log: Annotated[
        LogFormat, typer.Option("--log", help="json: one object a line, figures once a minute.")
    ] = "text",
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Tell more.")] = False,
) -> None:
    """Run the line: the camera's picture, without the room, to meeting apps and browsers."""
    journal = Journal(log, logging.INFO if verbose or log == "json" else logging.ERROR)
    load = partial(
        load_config,
        config,
        sets,
        scene_backdrop=backdrop,
        matting_model=model,
        matting_device=device,
        web_host=host,
        web_port=port,
        web_enabled=False if no_web else None,
        publish_url=publish,
        publish_token=token,
        virtualcam_enabled=False if no_virtualcam else None,
    )
    from realtime.build import load_model
    from realtime.live import Start, run_line
    from realtime.recall import recall_look

    signal.signal(signal.SIGTERM, _interrupt)
    try:
        file, loaded = config_file(config), load()
        settings = recall_look(load, file, journal)
        start = Start(load, loaded, file, source, passthrough, preview)
        matting = load_model(settings.matting)
        if matting.fallback:
            journal.print(matting.fallback)
        run_line(settings, matting, start, journal)
    except KeyboardInterrupt:
        journal.print("stopped")
    except ScrimError as error:
        if log == "text":
            raise
        logging.getLogger(__name__).error("%s", error)
        raise typer.Exit(error.exit_code) from error


def _interrupt(number: int, stack: FrameType | None) -> None:
    raise KeyboardInterrupt


def ctl(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE | preset=NAME | save=NAME | privacy[=on|off] | reload | stop]..."
        ),
    ] = None,
) -> None:
    """Change the running Scrim, e.g. scene.backdrop=beach.jpg; without words, print its state."""
    from realtime.ctl import send, socket_path

    if answer := send(socket_path(os.environ), words or []):
        print(json.dumps(answer, indent=2))


def install_service(config: ConfigFile = None, sets: Sets = None) -> None:
    """Run Scrim whenever you are logged in, as a systemd user service; and now."""
    from realtime.service import install

    settings = load_config(config, sets)
    if not settings.camera.on_demand:
        _say("the camera will be on all day; better: --set camera.on_demand=true")
    file = config_file(config)
    words = ["--config", str(file.absolute())] if file else []
    command = [sys.executable, "-m", "realtime", "run", "--log", "json", *words]
    print(install(command, to_environment(sets or []), Path.cwd(), os.environ))
    _say("journalctl --user -u scrim shows what it tells")


def uninstall_service() -> None:
    """Stop the service and remove it; Scrim itself stays."""
    from realtime.service import uninstall

    _say(f"removed {uninstall(os.environ)}")


def _say(text: str) -> None:
    print(text, file=sys.stderr)
