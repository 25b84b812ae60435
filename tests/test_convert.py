"""`scrim-convert` of a checkpoint: an IR and a line of the page, or an error with what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import openvino as ov
import pytest
import torch

import conversion.__main__ as command
from conversion.read import read
from realtime.contract import Card
from realtime.errors import ConfigError, ModelError, ModelNotFound
from tests.graphs import kinds
from training import recipes
from training.models import build


def test_a_missing_checkpoint_says_where_they_come_from(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="scrim-train"):
        read(tmp_path / "best.pt")


def test_without_pytorch_the_hint_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "best.pt"
    checkpoint.write_bytes(b"")
    monkeypatch.setitem(sys.modules, "training.models", None)
    with pytest.raises(ModelError, match=r"scrim\[conversion\]"):
        read(checkpoint)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["scrim-convert", *map(str, arguments)])
    command.main()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What scrim-train writes, before it has learnt anything."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("run") / "best.pt"
    weights = build(recipes.find("munet-webcam")).state_dict()
    content = {"recipe": "munet-webcam", "model": weights, "figures": {"iou": 0.25}, "step": 0}
    torch.save(content, path)
    return path


def test_a_checkpoint_becomes_an_ir_and_a_line_of_the_readme(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit) as stop:
        run(monkeypatch, checkpoint, "--name", "mine", "--out", tmp_path / "ir")
    assert stop.value.code == 0
    found = {file.name for file in (tmp_path / "ir").iterdir()}
    assert found == {"mine.xml", "mine.bin", "README.md"}
    assert "## mine" in (tmp_path / "ir" / "README.md").read_text()
    saved = ov.Core().read_model(tmp_path / "ir" / "mine.xml")
    assert Card.of(saved, "mine").figures == {"iou": 0.25}
    assert "BatchNormInference" not in kinds(saved)


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, 3), (b"no checkpoint", 3), (b"junk", 3), ({"recipe": "munet-webcam", "model": {}}, 3)],
)
def test_the_command_ends_with_what_to_do_and_an_exit_code(
    content: object,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    checkpoint = tmp_path / "best.pt"
    if isinstance(content, bytes):
        checkpoint.write_bytes(content)
    elif content:
        torch.save(content, checkpoint)
    with pytest.raises(SystemExit) as stop:
        run(monkeypatch, checkpoint, "--out", tmp_path / "ir")
    assert stop.value.code == code
    error = capfd.readouterr().err
    assert error.startswith("error: ")
    assert str(checkpoint) in error
    assert "Traceback" not in error
    assert not (tmp_path / "ir").exists()


@pytest.mark.parametrize("name", ["../elsewhere", "With Capitals"])
def test_a_name_that_would_be_no_file_is_refused(checkpoint: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="no model's name"):
        read(checkpoint, name)
