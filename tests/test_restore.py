"""From an IR back to a checkpoint, to train on from what is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks.folding import unsettled
from conversion.__main__ import main
from conversion.commands import convert
from conversion.read import from_torch
from conversion.restore import restore
from conversion.stamp import save, stamp
from realtime.build import MODELS
from realtime.errors import ConfigError, ModelContract, ModelNotFound
from tests.toy import save_toy, toy_card
from training import models, recipes
from training.commands import START

pytestmark = pytest.mark.usefixtures("one_thread")

LEARNT = "Learnt from: ccp (Apache-2.0). Its encoder started from nothing."


def trained(recipe: str, folder: Path) -> tuple[nn.Module, Path]:
    """A network in which everything counts, norms and memories too, and its IR."""
    network = unsettled(models.build(recipes.find(recipe))).eval()
    for module in network.modules():
        if hasattr(module, "share"):
            nn.init.normal_(module.share)
    card = models.card({"recipe": recipe, "learnt": LEARNT, "figures": {"clips iou": 97.0}})
    save(stamp(from_torch(network, card).graph, card), folder / f"{recipe}.xml")
    return network, folder / f"{recipe}.xml"


@pytest.mark.parametrize("recipe", ["munet-webcam", "munet-128", "scrim-r", "portraitnet-050"])
def test_a_restored_network_says_what_the_trained_one_did(recipe: str, tmp_path: Path) -> None:
    network, ir = trained(recipe, tmp_path)
    restore(ir, tmp_path / "best.pt")
    again, card = models.load(tmp_path / "best.pt")
    src = torch.rand(1, 3, *card.sizes[0][::-1])
    with torch.inference_mode():
        truth, found = (n(src)[0] if card.memory else n(src) for n in (network, again))
    assert (truth - found).abs().max() < 0.01 * truth.std()
    assert card.origin.endswith(LEARNT)
    assert card.figures == {"clips iou": 97.0}


def test_what_fit_advises_makes_weights_to_start_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models_ir").symlink_to(MODELS)
    monkeypatch.setattr("sys.argv", START.split())
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    network = models.build(recipes.find("munet-webcam"))
    assert models.start(network, Path("start.pt")).startswith("Its decoder")


def test_training_goes_on_from_it(tmp_path: Path) -> None:
    network, ir = trained("munet-webcam", tmp_path)
    convert(ir, checkpoint=tmp_path / "best.pt")
    other = models.build(recipes.find("munet-webcam")).eval()
    assert models.start(other, tmp_path / "best.pt") == (
        f"Its decoder started from that of munet-webcam: {LEARNT}"
    )
    src = torch.rand(1, 3, 96, 96)
    with torch.inference_mode():
        assert (other(src).sigmoid() - network(src).sigmoid()).abs().max() < 0.01


def test_what_cannot_be_restored_is_said(tmp_path: Path) -> None:
    toy = save_toy(tmp_path / "toy.xml")
    with pytest.raises(ModelContract, match="no recipe"):
        restore(toy, tmp_path / "best.pt")
    with pytest.raises(ModelNotFound, match=r"none\.xml"):
        restore(tmp_path / "none.xml", tmp_path / "best.pt")
    with pytest.raises(ConfigError, match="there already"):
        restore(toy, toy)
    int8 = save_toy(tmp_path / "toy-int8.xml", toy_card(name="toy-int8"))
    with pytest.raises(ModelContract, match=r"toy-int8\.xml is INT8.*take .*toy\.xml"):
        restore(int8, tmp_path / "best.pt")
    toy.unlink()
    with pytest.raises(ModelContract, match="take what it was made from"):
        restore(int8, tmp_path / "best.pt")
    assert not (tmp_path / "best.pt").exists()


def test_a_graph_of_another_shape_is_refused(tmp_path: Path) -> None:
    wider = models.build(recipes.find("munet-webcam", ["options.alpha=0.75"])).eval()
    card = models.card({"recipe": "munet-webcam"})
    save(stamp(from_torch(wider, card).graph, card), tmp_path / "wider.xml")
    with pytest.raises(ModelContract, match="another graph"):
        restore(tmp_path / "wider.xml", tmp_path / "best.pt")


def test_a_start_that_is_told_twice_is_told_once() -> None:
    told = "Its decoder started from that of scrim-r, which learnt from the same."
    assert models.once(f"Learnt from: x. {told} {told} End.") == f"Learnt from: x. {told} End."
