"""manifest.csv of Scrim's own layout: what should be there, and the licence of each source.

The main one has columns split, source, name, licence; those of pseudo/ and negatives/ have "licence
stated". "*" stands for all names.
"""

import csv
from collections import Counter
from pathlib import Path

from realtime.errors import ConfigError

KINDS = {"background": "background", "sequences": "sequence", "parts": "parts"}  # split -> source
MOST = 4  # licences named of one source


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a manifest, none where there is none. Raises `ConfigError` for no CSV text."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} is no CSV file: {error}") from error


def stills(data: Path) -> set[tuple[str, str, str]]:
    """(split, source, name) of every still that the manifest names."""
    found = {(r.get("split"), r.get("source"), r.get("name")) for r in rows(data / "manifest.csv")}
    return {row for row in found if row[0] in ("train", "val") and all(row)}


def licences(data: Path) -> dict[str, str]:
    """The licences stated for each source, the commonest first."""
    counts: dict[str, Counter[str]] = {}
    for row in rows(data / "manifest.csv"):
        source = KINDS.get(row.get("split") or "", row.get("source") or "")
        counts.setdefault(source, Counter())[row.get("licence") or "none stated"] += 1
    for folder, source in (("pseudo", "pseudo"), ("negatives", "negative")):
        for row in rows(data / folder / "manifest.csv"):
            counts.setdefault(source, Counter())[row.get("licence stated") or "none stated"] += 1
    return {source: said(found) for source, found in counts.items()}


def said(found: Counter[str]) -> str:
    names = [name for name, _ in found.most_common(MOST)]
    return ", ".join([*names, f"and {len(found) - MOST} more"] if len(found) > MOST else names)
