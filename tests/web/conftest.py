"""A studio to ask: its settings, and ICE that stays on this machine."""

from __future__ import annotations

from pathlib import Path

import aioice.ice
import pytest

from realtime.config import Config
from tests.web.serving import SIZE, settings_of


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ICE use 127.0.0.1, which aioice leaves out, and nothing else."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **kinds: ["127.0.0.1"])


@pytest.fixture
def config(toy_ir: Path, tmp_path: Path) -> Config:
    return settings_of(toy_ir, tmp_path, SIZE)
