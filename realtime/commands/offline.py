"""Work without a camera: pictures and clips rendered, steps measured."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from realtime.commands.options import ConfigFile, Device, Model, Sets, load_config

console = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


class Refine(StrEnum):
    """How `render` finds the outline: `refine.method`, and what is too slow to be one."""

    guided = "guided"
    off = "off"
    grabcut = "grabcut"


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
        typer.Option("--compare", help="On the left, the same without steadying, light and edges."),
    ] = False,
    backdrop: Annotated[
        str | None, typer.Option("--backdrop", help='As for `scrim run`, or "transparent".')
    ] = None,
    model: Model = None,
    device: Device = None,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Render a picture, a video or a folder of pictures; every frame, none dropped."""
    end = _heard_end()
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

        def progress(done: int, total: int) -> None:
            end()
            bar.update(task, completed=done, total=total or None)

        done = run_job(
            Job(source, output, alpha, classes, grabcut, compare),
            settings,
            matting,
            progress,
        )
    frames = "frame" if done == 1 else "frames"
    console.print(f"{output}: {done} {frames} in {time.perf_counter() - began:.1f} s")
    if classes:
        named = ", ".join(f"{number} {name}" for number, name in enumerate(matting.card.classes))
        console.print(f"{classes}: {named}")


def _heard_end() -> Callable[[], None]:
    """Note what would end the process, a closed terminal too but under `nohup`; what is returned
    ends it then, between two frames: OpenCV 5 crashes where a handler raises during its calls.

    A second signal ends it at once.
    """
    heard: list[int] = []

    def note(number: int, stack: object) -> None:
        heard.append(number)
        if len(heard) > 1:
            sys.exit(128 + number)

    def end() -> None:
        if heard:
            sys.exit(128 + heard[0])

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, signal.SIGTERM)  # Windows has no SIGHUP
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, note)
    return end


def bench(
    model: Model = None,
    device: Device = None,
    frames: Annotated[
        int, typer.Option("--frames", min=10, max=100_000, help="Frames a size.")
    ] = 200,
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
