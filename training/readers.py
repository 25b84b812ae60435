"""What a folder of pictures holds, for training and for measuring, in any of `training.layouts`."""

from pathlib import Path

from realtime.errors import ConfigError
from training.house import house
from training.layouts import (
    LAYOUTS,
    UNREAD,
    Item,
    Listing,
    aisegment,
    empties,
    folders,
    side_by_side,
    sources,
)
from training.pictures import picture

READERS = (house, aisegment, folders, side_by_side, sources)


def listing(data: Path) -> Listing:
    """Everything in the folder `data`. Raises `ConfigError` where the layout is none we know."""
    if not data.is_dir():
        raise ConfigError(f"no folder {data}", "name the folder of training pictures with --data")
    found = Listing(data)
    if not any(read(found) for read in READERS) or not (found.items or found.problems):
        raise ConfigError(f"no training pictures under {data}: the layout is not known", LAYOUTS)
    empties(found)
    for folder in {item.picture.parent for item in found.items}:
        unread = sorted(path for path in folder.iterdir() if path.suffix.lower() in UNREAD)
        found.problems += [f"{path} cannot be read: save it as JPEG or PNG" for path in unread]
    return found


def held_out(data: Path, kind: str = "person", skip_bad: bool = False) -> dict[str, list[Item]]:
    """What to measure on, by source. Bad pictures are refused, or left out with `skip_bad`."""
    found = listing(data)
    items = [item for item in found.items if item.held_out and item.kind == kind]
    if skip_bad:
        items = [item for item in items if not trouble(item)]
    else:
        refuse(found.problems)
    by_source: dict[str, list[Item]] = {}
    for item in items:
        by_source.setdefault(item.source, []).append(item)
    return by_source


def trouble(item: Item) -> str:
    """Why a still with its mask, or an empty one without, cannot be used; or nothing."""
    try:
        item.load() if item.mask else picture(item.picture)
    except ConfigError as error:
        return error.message
    return ""


MEND = "mend or remove them"


def refuse(problems: list[str], hint: str = f"{MEND}, or leave them out with --skip-bad") -> None:
    """Raise all problems as one error."""
    if not problems:
        return
    lines = "\n  ".join(problems)
    raise ConfigError(f"{len(problems)} of the files cannot be used:\n  {lines}", hint)
