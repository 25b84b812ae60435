"""A studio to ask: its settings, and ICE that stays on this machine."""

from __future__ import annotations

from pathlib import Path

import aioice.ice
import cv2
import numpy as np
import pytest

from realtime.config import Config
from tests.web.serving import FPS, SIZE, YELLOW


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ICE use 127.0.0.1, which aioice leaves out, and nothing else."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **kinds: ["127.0.0.1"])


@pytest.fixture
def config(toy_ir: Path, tmp_path: Path) -> Config:
    """A studio with a blue backdrop and a folder of one yellow picture."""
    folder = tmp_path / "backdrops"
    folder.mkdir()
    cv2.imwrite(str(folder / "yellow.png"), np.full((90, 160, 3), YELLOW, np.uint8))
    return Config().with_values(
        {
            "camera": {"width": SIZE[0], "height": SIZE[1], "fps": FPS},
            "matting": {"model": str(toy_ir)},
            "scene": {"backdrop": "#0000c8", "folder": str(folder)},
            "web": {"folder": str(tmp_path / "state")},
        }
    )
