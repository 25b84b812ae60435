"""The mean of several checkpoints."""

from pathlib import Path

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from realtime.errors import ModelContract
from training import models, soup
from training.commands import app
from training.models.sinet import SINet


def checkpoint(path: Path, level: float, **changes: object) -> Path:
    weights = {name: torch.full_like(one, level) for name, one in SINet().state_dict().items()}
    content = {"recipe": "sinet", "model": weights, "step": 100, "spent_s": 60.0}
    torch.save(content | changes, path)
    return path


def test_the_mean_of_two_runs_is_a_checkpoint(tmp_path: Path) -> None:
    started = "Its encoder started from x.npz"
    one, other = (checkpoint(tmp_path / f"{x}.pt", x, started=started) for x in (1.0, 4.0))
    out = tmp_path / "new" / "mean.pt"
    ran = CliRunner().invoke(app, ["mean", str(one), str(other), "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    network, card = models.load(out)
    state = network.state_dict()
    assert all((one == 2.5).all() for one in state.values() if one.is_floating_point())
    assert card.origin.endswith(f"{started}. Its weights are the mean of 2 runs'.")
    assert "2 minutes" in card.origin
    assert soup.mean([checkpoint(tmp_path / "c.pt", 1.0)])["started"].startswith("Its weights")


def test_an_average_follows_weights_and_copies_counters() -> None:
    ema, model = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    nn.init.constant_(model.weight, 5.0)
    model.num_batches_tracked += 7
    soup.follow(ema, model, keep=0.75)
    assert ema.weight.tolist() == [2.0] * 3 and int(ema.num_batches_tracked) == 7
    assert model.weight.tolist() == [5.0] * 3


def test_runs_of_other_networks_have_no_mean(tmp_path: Path) -> None:
    one = checkpoint(tmp_path / "a.pt", 1.0)
    for other in (
        checkpoint(tmp_path / "b.pt", 1.0, recipe="munet-webcam"),
        checkpoint(tmp_path / "c.pt", 1.0, model={"weight": torch.zeros(3)}),
    ):
        with pytest.raises(ModelContract, match="not of one network"):
            soup.mean([one, other])
