"""Scrim's own layout of pictures:

    stills/{train,val}/<source>/{img,mask,matte}    all that manifest.csv names
    pseudo/{img,mask}                               mattes of a teacher
    sequences/<name>.{mp4,alpha.mkv}                clips to train on
    parts/{train,val}                               label maps, for stills/{train,val}/ccp
    clips/<name>[.<event>].mp4, <name>.alpha.mkv    clips to measure by, see training.evaluate
    footage/*.mkv                                   webcams, no matte, see benchmarks.gallery

Any of these may be missing; the last two are not read here.
"""

from training import manifest
from training.layouts import Item, Listing, named, set_aside
from training.pictures import listed


def house(found: Listing) -> bool:
    """Scrim's own layout."""
    data = found.data
    if not any((data / name).is_dir() for name in ("stills", "pseudo", "sequences", "parts")):
        return False
    for split in ("train", "val"):
        for folder in sorted((data / "stills" / split).glob("*")):
            masks = named(folder / "mask") | named(folder / "matte")
            found.pair(folder.name, listed(folder / "img"), masks, held_out=split == "val")
        parts(found, split)
    found.pair(
        "pseudo", listed(data / "pseudo" / "img"), named(data / "pseudo" / "mask"), soft=True
    )
    for path in sorted((data / "sequences").glob("*.alpha.mkv")):
        name = path.name.removesuffix(".alpha.mkv")
        film = path.with_name(f"{name}.mp4")
        if not film.is_file():
            found.problems.append(f"{path} is a matte without a clip")
            continue
        found.items.append(Item("sequence", "sequence", name, film, path, soft=True))
    here = {("val" if i.held_out else "train", i.source, i.name) for i in found.items}
    for split, source, name in sorted(manifest.stills(data) - here):
        found.problems.append(
            f"{data}/stills/{split}/{source}/img/{name}: missing, manifest names it"
        )
    if not any(item.held_out for item in found.items):
        set_aside(found)
    return True


def parts(found: Listing, split: str) -> None:
    """Label maps, for pictures that lie in stills/<split>/ccp."""
    pictures = named(found.data / "stills" / split / "ccp" / "img")
    for name, path in named(found.data / "parts" / split).items():
        if name not in pictures:
            found.problems.append(f"{path} has no picture in stills/{split}/ccp/img")
            continue
        item = Item("parts", "parts", name, pictures[name], path, held_out=split == "val")
        found.items.append(item)
