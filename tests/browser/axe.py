"""Accessibility: what axe-core finds on a page (the rules of WCAG 2.2)."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def assert_accessible(page: Page) -> None:
    """Fail for anything serious, and tell where it is."""
    found = Axe().run(page).response["violations"]
    serious = [
        f"{each['id']}: {[node['target'] for node in each['nodes']]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert not serious, "\n".join(serious)
