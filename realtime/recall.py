"""The look that was chosen last in the studio, brought back at the start. Floor 6."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from realtime.build import find_model, make_backdrop
from realtime.config import Config
from realtime.errors import ScrimError
from realtime.journal import Journal
from realtime.web.look import tables_of
from realtime.web.store import Store


def recall_look(load: Callable[..., Config], file: Path | None, journal: Journal) -> Config:
    """Return the configuration with the look that was chosen last in the studio.

    `load` takes that look as tables. One that cannot be had any more is left out, and said.
    Raises `ConfigError` for a configuration that is wrong without it.
    """
    settings = load()
    if not settings.web.enabled:
        return settings
    store = Store(settings.web.folder)
    try:
        store.prepare()
    except ScrimError as error:
        journal.print(f"presets, uploads and the last look cannot be kept: {error}")
        return settings
    look = store.last_look(file)
    if not look:
        return settings
    try:
        last = load(last=tables_of(look))
        make_backdrop(last.scene)
        find_model(last.matting.model)
    except ScrimError as error:
        journal.print(f"the studio's last look is left out: {error}")
        return settings
    return last
