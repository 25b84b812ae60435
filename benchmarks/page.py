"""README.md beside this file: a page that several commands write, each its own part of it.

A part stands between two comments that name it; who writes one leaves the others as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).with_name("README.md")

PARTS = re.compile(r"<!-- part (\S+) -->\n.*?<!-- end \1 -->\n", re.DOTALL)


def put(name: str, text: str, page: Path = PAGE) -> None:
    """Write a part in its place, or at the end of the page."""
    whole = page.read_text("utf-8") if page.exists() else ""
    part = f"<!-- part {name} -->\n{text.strip()}\n<!-- end {name} -->\n"
    for found in PARTS.finditer(whole):
        if found[1] == name:
            page.write_text(whole.replace(found[0], part), "utf-8")
            return
    page.write_text(f"{whole}\n{part}", "utf-8")


def rewrite(text: str, page: Path = PAGE) -> None:
    """Write the page anew; the parts that stood on it follow."""
    parts = PARTS.finditer(page.read_text("utf-8") if page.exists() else "")
    page.write_text("\n".join([text, *(part[0] for part in parts)]), "utf-8")


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table whose columns but the first are figures."""
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *lines))


@dataclass(frozen=True)
class Target:
    """A figure to reach: at most `limit`, or at least. `without` is what there is without us."""

    what: str
    without: float | None
    found: float
    limit: float
    at_least: bool = False

    def line(self) -> tuple[str, str, str, str, str]:
        """Return the target as a table's line."""
        without = "-" if self.without is None else f"{self.without:.2f}"
        reached = self.found >= self.limit if self.at_least else self.found <= self.limit
        wanted = f"{'>=' if self.at_least else '<='} {self.limit:g}"
        return self.what, without, f"{self.found:.2f}", wanted, "met" if reached else "**missed**"


def targets(found: Iterable[Target], without: str = "without", ours: str = "with") -> str:
    """Return the table of targets; two columns may have other names."""
    return table(("target", without, ours, "wanted", ""), (each.line() for each in found))
