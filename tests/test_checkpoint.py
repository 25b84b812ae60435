"""Checkpoints: written whole or not at all, read back or refused in a line."""

from pathlib import Path

import pytest

from realtime.errors import ConfigError, ModelContract, ModelNotFound
from training import checkpoint, models, recipes

pytestmark = pytest.mark.usefixtures("one_thread")


def test_what_cannot_be_written_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run" / "last.pt"
    checkpoint.write(path, {"step": 1})
    before = path.read_bytes()

    def full(_content: dict, part: Path) -> None:
        part.write_bytes(b"half")
        raise RuntimeError("[enforce fail at inline_container.cc] . PytorchStreamWriter failed")

    monkeypatch.setattr(checkpoint.torch, "save", full)
    with pytest.raises(ConfigError, match=r"cannot write .*last\.pt"):
        checkpoint.write(path, {"step": 2})
    assert path.read_bytes() == before and [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"])
def test_a_file_that_is_no_checkpoint_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    with pytest.raises(ModelNotFound):
        models.load(path)
    path.write_bytes(content)
    with pytest.raises(ModelContract):
        models.load(path)


def test_weights_of_another_network_are_refused_in_a_line(tmp_path: Path) -> None:
    weights = models.build(recipes.find("munet-webcam")).state_dict()
    checkpoint.write(tmp_path / "x.pt", {"recipe": "sinet", "model": weights})
    with pytest.raises(ModelContract, match=r"does not fit the network .*sinet") as refusal:
        models.load(tmp_path / "x.pt")
    assert len(str(refusal.value)) < 300
