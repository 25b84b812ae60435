"""A network with memory over a long stream, as the benchmark plays it."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
import torch
from numpy.random import default_rng

from benchmarks import endurance
from conversion.read import from_torch
from conversion.stamp import save, stamp
from realtime.contract import Card
from realtime.errors import ConfigError
from training.models.scrim import MEMORY, Scrim

pytestmark = pytest.mark.usefixtures("one_thread")


def test_memory_stays_bounded_and_the_page_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Scrim().eval()
    for gru in network.decoder.grus:
        torch.nn.init.normal_(gru.share)
    card = Card(name="test", licence="none", origin="test", sizes=((96, 64),), memory=MEMORY)
    save(stamp(from_torch(network, card).graph, card), tmp_path / "test.xml")
    monkeypatch.setattr(endurance, "find_model", lambda _name: tmp_path / "test.xml")
    with pytest.raises(ConfigError, match="no clips"):
        endurance.main(tmp_path, 1, tmp_path / "README.md")
    (tmp_path / "clips").mkdir()
    for name in ("a", "a.gain", "b"):
        code = cv2.VideoWriter.fourcc(*"mp4v")
        film = cv2.VideoWriter(str(tmp_path / f"clips/{name}.mp4"), code, 10, (96, 64))
        for _ in range(3):
            film.write(default_rng(1).integers(0, 255, (64, 96, 3), "uint8"))
        film.release()
    endurance.main(tmp_path, 45, tmp_path / "README.md")
    page = (tmp_path / "README.md").read_text()
    assert "50 frames" in page  # five rounds of six frames there and back
    assert page.count("| met |") == 2 and "<= 1.05" in page
