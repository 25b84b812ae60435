"""Fixtures that every room's tests use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.toy import save_toy


@pytest.fixture(scope="session")
def toy_ir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of a real, tiny IR with its card (see `tests/toy.py`)."""
    return save_toy(tmp_path_factory.mktemp("ir") / "toy.xml")
