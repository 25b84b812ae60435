"""The door: the command line `scrim`. Floor 6."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from realtime import config as cfg
from realtime.errors import SourceError, enter
from realtime.stats import Stats

if TYPE_CHECKING:
    from realtime.matting.engine import MattingModel
    from realtime.runner import Outlet, Runner, Source
    from realtime.web.watch import WatchSink

app = typer.Typer(
    help="Replaces the room behind a person on a webcam, live.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

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
    str | None, typer.Option("--backdrop", help='"blur", "#rrggbb", a picture or a video.')
]


def load_config(path: Path | None, sets: list[str] | None, **shortcuts: object) -> cfg.Config:
    """Read the effective configuration; shortcuts such as `scene_backdrop` come last."""
    if path is None and Path("config.toml").is_file():
        path = Path("config.toml")
    changes: dict[str, dict[str, object]] = {}
    for name, value in shortcuts.items():
        if value is not None:
            table, _, key = name.partition("_")
            changes.setdefault(table, {})[key] = value
    return cfg.load(path, os.environ, sets or ()).with_values(changes)


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
    no_web: Annotated[bool, typer.Option("--no-web", help="No studio.")] = False,
    no_virtualcam: Annotated[bool, typer.Option("--no-virtualcam", help="No camera out.")] = False,
    passthrough: Annotated[
        bool, typer.Option("--passthrough", help="Show the ROOM, red border. For developers.")
    ] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Tell more.")] = False,
) -> None:
    """Run the line: the camera's picture, without the room, to meeting apps and browsers."""
    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, format="%(message)s")
    settings = load_config(
        config,
        sets,
        scene_backdrop=backdrop,
        matting_model=model,
        matting_device=device,
        web_host=host,
        web_port=port,
        web_enabled=False if no_web else None,
        virtualcam_enabled=False if no_virtualcam else None,
    )
    from realtime.build import load_model

    signal.signal(signal.SIGTERM, _interrupt)
    matting = load_model(settings.matting)
    if matting.fallback:
        console.print(matting.fallback)
    try:
        _run(settings, matting, source, passthrough)
    except KeyboardInterrupt:
        console.print("stopped")


def _interrupt(number: int, stack: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(settings: cfg.Config, matting: MattingModel, source: str | None, room: bool) -> None:
    from realtime.build import make_outlets, make_pipeline
    from realtime.runner import Outlet, Runner
    from realtime.web.watch import WatchSink

    stats = Stats()
    watch = WatchSink()
    line: Runner | None = None
    if source or settings.camera.device != "none":
        outlets: list[Outlet] = make_outlets(settings, console.print)
        if settings.web.enabled:
            outlets.append(Outlet("watchers", lambda: watch, settings.camera.fps))
        size = (settings.camera.width, settings.camera.height)
        pipeline = make_pipeline(settings, matting, stats, passthrough=room)
        line = Runner(lambda: _open_source(settings, source), pipeline, outlets, size, stats)
        line = _start(line, settings, source)
    try:
        if settings.web.enabled:
            asyncio.run(_serve(settings, matting, stats, line, watch))
        elif line:
            while not line.wait(1.0):
                _status(stats)
    finally:
        if line:
            line.stop()
    if line and line.error:
        raise line.error


def _start(line: Runner, settings: cfg.Config, source: str | None) -> Runner | None:
    """Start the line. Without any camera the studio still works with the browsers' own."""
    try:
        line.start()
    except SourceError as error:
        if source or settings.camera.device != "auto" or not settings.web.enabled:
            raise
        console.print(f"no camera here: {error}")
        console.print("the studio asks for the browser's camera instead")
        return None
    return line


def _open_source(settings: cfg.Config, source: str | None) -> Source:
    from realtime.build import open_camera, open_input

    if source:
        return open_input(source, settings.camera)
    return open_camera(settings.camera, console.print)


async def _serve(
    settings: cfg.Config,
    matting: MattingModel,
    stats: Stats,
    line: Runner | None,
    watch: WatchSink,
) -> None:
    from realtime.web.server import serve
    from realtime.web.studio import Studio

    studio = Studio(settings, matting, stats, line, watch)
    server = asyncio.ensure_future(serve(studio, settings.web.host, settings.web.port))
    try:
        while not server.done() and not (line and line.wait(0)):
            await asyncio.wait([server], timeout=1.0)
            if line:
                _status(stats)
    finally:  # the server says good-bye to its browsers before the loop ends
        server.cancel()
        await asyncio.wait([server])
    if not server.cancelled():
        server.result()


def _status(stats: Stats) -> None:
    """Rewrite the status line: every step's time, the age of what is shown, what was lost."""
    if not sys.stderr.isatty():
        return
    now = stats.snapshot()
    steps = "  ".join(f"{name} {ms:.1f}" for name, ms in now["steps_ms"].items())
    counts = "  ".join(f"{name} {n}" for name, n in now["counts"].items() if n)
    line = f"{now['state']}  {now['fps']:.0f} fps  age {now['age_ms']['p50']:.0f} ms  {steps}"
    console.print(f"\r{line}  {counts}"[: console.width - 1].ljust(console.width - 1), end="")


@app.command()
def render(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Picture, video or folder.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The same kind.")],
    alpha: Annotated[
        Path | None, typer.Option("--alpha", help="Write the matte: .png, lossless .mkv, folder.")
    ] = None,
    backdrop: Backdrop = None,
    model: Model = None,
    device: Device = None,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Render a picture, a video or a folder of pictures; every frame, none dropped."""
    settings = load_config(
        config, sets, scene_backdrop=backdrop, matting_model=model, matting_device=device
    )
    from realtime.build import load_model
    from realtime.render import Job
    from realtime.render import render as run_job

    matting = load_model(settings.matting)
    began = time.perf_counter()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(source.name, total=None)
        done = run_job(
            Job(source, output, alpha),
            settings,
            matting,
            lambda n, total: bar.update(task, completed=n, total=total or None),
        )
    console.print(f"{output}: {done} frames in {time.perf_counter() - began:.1f} s")


@app.command()
def models() -> None:
    """List the networks that come with Scrim."""
    from realtime.build import DEFAULT_MODEL, find_model, model_names
    from realtime.matting.engine import read_card

    out = Console(highlight=False, soft_wrap=True)
    for name in model_names():
        card = read_card(find_model(name))
        out.print(f"[bold]{name}[/]{' (default)' if name == DEFAULT_MODEL else ''}")
        out.print(f"  input    {' '.join(f'{width}x{height}' for width, height in card.sizes)}")
        scores = [f"{key} {card.figures[key]:g}" for key in card.figures if key.endswith(" iou")]
        out.print(f"  figures  {', '.join(scores)}")
        out.print(f"  licence  {card.licence}")
        out.print(f"  origin   {card.origin}")


@app.command()
def devices() -> None:
    """List cameras with their modes, virtual cameras and OpenVINO devices."""
    from realtime.matting.engine import available_devices
    from realtime.sinks.virtualcam import list_virtual_cameras
    from realtime.sources.camera import list_cameras

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
    print(cfg.to_toml(settings) if dump else "the configuration is valid", end="" if dump else None)


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

    from realtime.bench import SIZES, measure, table
    from realtime.build import find_model

    settings = load_config(config, sets, matting_model=model, matting_device=device).matting
    rows = measure(find_model(settings.model), settings.device, settings.threads, frames, SIZES)
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        Console().print(table(rows))


@app.command()
def doctor() -> None:
    """Say what works here, what is missing, and the exact command that mends it."""
    from realtime.doctor import checks
    from realtime.matting.engine import available_devices

    marks = {True: "[green]ok[/]", False: "[red]no[/]", None: "[yellow]--[/]"}
    out = Console(highlight=False, soft_wrap=True)
    found = checks(available_devices())
    for check in found:
        out.print(f"{marks[check.ok]}  {escape(f'{check.name}: {check.detail}')}")
        if check.mend:
            out.print(f"      {escape(check.mend)}")
    if any(check.ok is False for check in found):
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; an error is one line and the exit code of its kind."""
    enter(app)


if __name__ == "__main__":
    main()
