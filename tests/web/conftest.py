"""A studio to ask: its settings, and ICE that stays on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aioice.ice
import pytest

from realtime.config import Config
from realtime.web import broadcast
from realtime.web.encoder import PictureEncoder
from tests.web.serving import SIZE, settings_of


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ICE use 127.0.0.1, which aioice leaves out, and nothing else."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **kinds: ["127.0.0.1"])


@pytest.fixture
def config(toy_ir: Path, tmp_path: Path) -> Config:
    return settings_of(toy_ir, tmp_path, SIZE)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[PictureEncoder]:
    """All encoders that are made."""
    found: list[PictureEncoder] = []

    def make(*arguments: Any) -> PictureEncoder:
        found.append(PictureEncoder(*arguments))
        return found[-1]

    monkeypatch.setattr(broadcast, "PictureEncoder", make)
    return found
