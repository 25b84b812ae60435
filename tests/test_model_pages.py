"""The page of models: it follows the cards and keeps what people wrote."""

from __future__ import annotations

from pathlib import Path

from conversion import readme
from tests.toy import save_toy, toy_card


def test_the_readme_follows_the_cards_and_keeps_what_people_wrote(tmp_path: Path) -> None:
    save_toy(tmp_path / "toy.xml", toy_card())
    readme.write(tmp_path)
    page = tmp_path / "README.md"
    assert readme.NO_FIGURES in page.read_text()
    readme.write(tmp_path, "| boundary IoU | 81 |\n")
    page.write_text(page.read_text().replace(readme.NO_NOTES, "Loses green hats.\n"))
    save_toy(tmp_path / "toy.xml", toy_card(licence="MIT"))
    save_toy(tmp_path / "second.xml", toy_card(name="second"))
    readme.write(tmp_path)
    text = page.read_text()
    assert "Loses green hats." in text.split("## toy")[1]
    assert "| boundary IoU | 81 |" in text and readme.NO_FIGURES not in text
    assert "- Licence: MIT" in text
    assert text.index("## second") < text.index("## toy")
    assert "Classes" not in text and "Memory" not in text
    readme.write(tmp_path)
    assert page.read_text() == text


def test_a_network_in_int8_shares_what_is_said_of_its_original(tmp_path: Path) -> None:
    save_toy(tmp_path / "toy.xml", toy_card())
    save_toy(tmp_path / "toy-int8.xml", toy_card(name="toy-int8"))
    readme.write(tmp_path)
    page = tmp_path / "README.md"
    assert "| `toy-int8` |" in page.read_text() and "## toy-int8" not in page.read_text()
    page.write_text(page.read_text().replace(readme.NO_NOTES, "Loses green hats.\n"))
    (tmp_path / "toy.xml").unlink()
    readme.write(tmp_path)
    assert "Loses green hats." in page.read_text().split("## toy-int8")[1]


def test_the_readme_names_classes_and_memory(tmp_path: Path) -> None:
    save_toy(tmp_path / "toy.xml", toy_card(classes=("background", "hair"), memory=(("a", "b"),)))
    readme.write(tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "- Classes: background, hair\n- Memory: a\n\n" in text
