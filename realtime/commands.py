"""What can be asked of `scrim` on the command line. Floor 7."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from enum import StrEnum
from functools import partial
from pathlib import Path
from textwrap import shorten
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from realtime import layers
from realtime.config import Config
from realtime.journal import Journal, LogFormat

app = typer.Typer(
    help="Replaces the room behind a person on a webcam, live.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

Tables = dict[str, dict[str, Any]]

ConfigFile = Annotated[
    Path | None,
    typer.Option("-c", "--config", help="Configuration file; ./config.toml if there is one."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one key, e.g. scene.blur=0.8."),
]
Model = Annotated[
    str | None, typer.Option("-m", "--model", help="A name of `scrim models` or a path.")
]
Device = Annotated[str | None, typer.Option("-d", "--device", help="CPU, GPU, NPU or AUTO.")]
Backdrop = Annotated[
    str | None, typer.Option("--backdrop", help='"blur", "#rrggbb", a picture, video or folder.')
]


class Refine(StrEnum):
    """How `render` finds the outline: `refine.method`, and what is too slow to be one."""

    guided = "guided"
    off = "off"
    grabcut = "grabcut"


def load_config(
    path: Path | None, sets: list[str] | None, last: Tables | None = None, **shortcuts: object
) -> Config:
    """Read the effective configuration; shortcuts such as `scene_backdrop` come last."""
    changes: dict[str, dict[str, object]] = {}
    for name, value in shortcuts.items():
        if value is not None:
            table, _, key = name.partition("_")
            changes.setdefault(table, {})[key] = value
    return layers.load(config_file(path), os.environ, sets or (), last).with_values(changes)


def config_file(path: Path | None) -> Path | None:
    """Return the file that is read: the one that is named, or ./config.toml if there is one."""
    here = Path("config.toml")
    return path or (here if here.is_file() else None)


@app.command()
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

    read = recall_look(load, config_file(config), journal)
    settings = read()
    start = Start(read, config_file(config), source, passthrough, preview)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        matting = load_model(settings.matting)
        if matting.fallback:
            journal.print(matting.fallback)
        run_line(settings, matting, start, journal)
    except KeyboardInterrupt:
        journal.print("stopped")


def _interrupt(number: int, stack: FrameType | None) -> None:
    raise KeyboardInterrupt


@app.command()
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


@app.command()
def render(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Picture, video or folder.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The same kind.")],
    alpha: Annotated[
        Path | None, typer.Option("--alpha", help="Write the matte: .png, lossless .mkv, folder.")
    ] = None,
    classes: Annotated[
        Path | None,
        typer.Option("--classes", help="Write what is what, an indexed .png or a folder of them."),
    ] = None,
    refine: Annotated[
        Refine | None, typer.Option("--refine", help="grabcut is slow, and for pictures only.")
    ] = None,
    compare: Annotated[
        bool,
        typer.Option("--compare", help="Left of it, without steadying, light and edges."),
    ] = False,
    backdrop: Backdrop = None,
    model: Model = None,
    device: Device = None,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Render a picture, a video or a folder of pictures; every frame, none dropped."""
    signal.signal(signal.SIGTERM, lambda number, stack: sys.exit(128 + number))  # and clear up
    grabcut = refine is Refine.grabcut
    settings = load_config(
        config,
        sets,
        scene_backdrop=backdrop,
        matting_model=model,
        matting_device=device,
        refine_method=refine.value if refine and not grabcut else None,
    )
    from realtime.build import load_model
    from realtime.job import Job
    from realtime.render import render as run_job

    matting = load_model(settings.matting)
    if matting.fallback:
        console.print(matting.fallback)
    began = time.perf_counter()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    in_log = not console.is_terminal
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=in_log
    ) as bar:
        task = bar.add_task(source.name, total=None)
        done = run_job(
            Job(source, output, alpha, classes, grabcut, compare),
            settings,
            matting,
            lambda n, total: bar.update(task, completed=n, total=total or None),
        )
    frames = "frame" if done == 1 else "frames"
    console.print(f"{output}: {done} {frames} in {time.perf_counter() - began:.1f} s")
    if classes:
        named = ", ".join(f"{number} {name}" for number, name in enumerate(matting.card.classes))
        console.print(f"{classes}: {named}")


@app.command()
def models() -> None:
    """List the networks that come with Scrim."""
    from realtime.build import DEFAULT_MODEL, MODELS, find_model, model_names
    from realtime.matting.engine import read_card

    out = Console(highlight=False, soft_wrap=True)
    for name in model_names():
        card = read_card(find_model(name))
        out.print(f"[bold]{name}[/]{' (default)' if name == DEFAULT_MODEL else ''}")
        out.print(f"  input    {' '.join(f'{width}x{height}' for width, height in card.sizes)}")
        means = [k for k in card.figures if k.endswith((" iou", " miou")) and "," not in k]
        scores = [f"{key} {card.figures[key]:g}" for key in means]
        out.print(f"  figures  {', '.join(scores)}")
        out.print(f"  licence  {card.licence}")
        out.print(f"  origin   {shorten(card.origin, 100, placeholder=' ...')}")
    out.print(f"their whole cards: {MODELS / 'README.md'}")


@app.command()
def devices() -> None:
    """List cameras with their modes, virtual cameras and OpenVINO devices."""
    from realtime.matting.engine import available_devices
    from realtime.sinks.virtualcam import list_virtual_cameras
    from realtime.sources.nodes import list_cameras

    out = Console(highlight=False, markup=False, soft_wrap=True)
    cameras = list_cameras()
    out.print("cameras:" if cameras else "cameras: none")
    for camera in cameras:
        out.print(f"  {camera.path}  {camera.name}  {', '.join(camera.modes)}")
    virtual = list_virtual_cameras()
    out.print("virtual cameras:" if virtual else "virtual cameras: none")
    for device in virtual:
        out.print(f"  {device}")
    out.print(f"openvino: {', '.join(available_devices())}")


@app.command("config")
def show_config(
    config: ConfigFile = None,
    sets: Sets = None,
    dump: Annotated[bool, typer.Option("--dump", help="Print the effective one.")] = False,
) -> None:
    """Check the configuration; --dump prints it as TOML, every key with its meaning."""
    settings = load_config(config, sets)
    print(layers.to_toml(settings).rstrip() if dump else "the configuration is valid")


@app.command()
def bench(
    model: Model = None,
    device: Device = None,
    frames: Annotated[int, typer.Option("--frames", min=10, help="Frames a size.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Measure each step at 640x360, 1280x720 and 1920x1080 on this machine."""
    from dataclasses import asdict

    from realtime.bench import measure, table
    from realtime.build import load_model

    settings = load_config(config, sets, matting_model=model, matting_device=device)
    matting = load_model(settings.matting)
    if matting.fallback:
        console.print(matting.fallback)
    rows = measure(settings, matting, frames)
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        Console().print(table(rows))


@app.command("install-service")
def install_service(config: ConfigFile = None, sets: Sets = None) -> None:
    """Run Scrim whenever you are logged in, as a systemd user service; and now."""
    from realtime.service import install

    settings = load_config(config, sets)
    if not settings.camera.on_demand:
        console.print("the camera will be on all day; better: --set camera.on_demand=true")
    words = [word for given in sets or [] for word in ("--set", given)]
    file = config_file(config)
    words += ["--config", str(file.absolute())] if file else []
    command = [sys.executable, "-m", "realtime", "run", "--log", "json", *words]
    print(install(command, Path.cwd(), os.environ))
    console.print("journalctl --user -u scrim shows what it tells")


@app.command()
def uninstall() -> None:
    """Stop the service and remove it."""
    from realtime.service import uninstall as remove

    console.print(f"removed {remove(os.environ)}")


@app.command()
def doctor() -> None:
    """Say what works here, what is missing, and the exact command that mends it.

    The exit code is 1 where something is broken, not where only a camera is missing.
    """
    from realtime.build import MODELS
    from realtime.doctor import checks
    from realtime.matting.engine import available_devices

    marks = {True: "[green]ok[/]", False: "[red]no[/]", None: "[yellow]--[/]"}
    out = Console(highlight=False, soft_wrap=True)
    found = checks(available_devices(), MODELS)
    for check in found:
        out.print(f"{marks[check.ok]}  {escape(f'{check.name}: {check.detail}')}")
        if check.mend:
            out.print(f"      {escape(check.mend)}")
    if any(check.ok is False for check in found):
        raise typer.Exit(1)
