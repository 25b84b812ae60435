"""What there is: networks, devices, settings, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import shorten
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from realtime import layers
from realtime.commands.options import ConfigFile, Sets, load_config


def models() -> None:
    """List the networks that come with Scrim."""
    from realtime.build import DEFAULT_MODEL, MODELS, find_model, model_names
    from realtime.matting.engine import read_card

    out = Console(highlight=False, soft_wrap=True)
    for name in model_names():
        card = read_card(find_model(name))
        out.print(f"[bold]{name}[/]{' (default)' if name == DEFAULT_MODEL else ''}")
        out.print(f"  input    {' '.join(f'{width}x{height}' for width, height in card.sizes)}")
        out.print(f"  figures  {_scores(card.figures)}")
        out.print(f"  licence  {escape(card.licence)}")
        out.print(f"  origin   {escape(shorten(card.origin, 100, placeholder=' ...'))}")
    out.print(f"their whole cards: {escape(str(MODELS / 'README.md'))}")


def _scores(figures: Mapping[str, float]) -> str:
    """Return a card's means; those of an INT8 network were measured before it became one."""
    means = [key for key in figures if key.endswith((" iou", " miou")) and "," not in key]
    scores = ", ".join(f"{key} {figures[key]:g}" for key in means)
    lost = figures.get("int8 iou lost")
    return scores if lost is None else f"{scores}; all before INT8, which lost {lost:g} iou"


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


def show_config(
    config: ConfigFile = None,
    sets: Sets = None,
    dump: Annotated[bool, typer.Option("--dump", help="Print the effective one.")] = False,
) -> None:
    """Check the configuration; --dump prints it as TOML, every key with its meaning."""
    settings = load_config(config, sets)
    print(layers.to_toml(settings).rstrip() if dump else "the configuration is valid")


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
