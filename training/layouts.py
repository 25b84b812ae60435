"""The layouts of folders of pictures, each recognised by looking:

    stills/{train,val}/<source>/{img,mask,matte}                          see training.house
    clip_img/<group>/clip_<n>/NAME.jpg + matting/<group>/matting_<n>/NAME.png      AISegment
    Images/NAME.png + Labels/NAME.png, eg1800_train.txt, eg1800_test.txt           EG1800
    img|images/NAME.jpg + mask|masks|matte|mattes|alpha/NAME.png, or several such folders in one
    NAME.jpg + NAME.png, NAME_mask.png or NAME_matte.png, side by side

Each may have negatives/img (no person, though it looks like one) and backgrounds (empty rooms).
A reader adds what it finds to a `Listing` and tells whether the layout is its own. Where nothing
says which pictures to measure by, a tenth is set aside by a hash of the name.
"""

import hashlib
import os
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from realtime.errors import ConfigError
from training.pictures import Pixels, labels, listed, mask, photo, same_size

HELD_OUT = 10  # every tenth picture is set aside for measuring where nothing else says which
NEGATIVES = 3  # and every third of what looks like a person but is none
ASIDE = {"val", "valid", "validation", "test"}  # names that say so
KINDS = ("person", "sequence", "negative", "background", "parts")
LAYOUTS = (
    "known are img + mask (or matte) folders; NAME.jpg + NAME.png, NAME_mask.png or NAME_matte.png "
    "side by side; Images + Labels (EG1800); clip_img + matting (AISegment); "
    "stills/train/<source>/{img,mask}"
)
PICTURE_FOLDERS = {"img", "imgs", "image", "images"}
MASK_FOLDERS = ("mask", "masks", "label", "labels", "matte", "mattes", "alpha")  # the last win
ENDING = re.compile(r"[_-](mask|matte|alpha)$", re.IGNORECASE)
SOFT = re.compile(r"(?:^|[_-])(?:mattes?|alpha)$", re.IGNORECASE)  # of a folder or a file
UNREAD = {".heic", ".heif", ".avif", ".gif", ".jp2", ".jxl", ".dng", ".cr2", ".nef"}


@dataclass(frozen=True)
class Item:
    """One picture (of kind "sequence": one clip) and what tells the person in it."""

    kind: str  # one of KINDS
    source: str
    name: str
    picture: Path
    mask: Path | None = None  # of kind "parts": the label map
    soft: bool = False  # a soft matte rather than a hand mask
    held_out: bool = False  # for measuring, not for training

    def load(self) -> tuple[Pixels, Pixels]:
        """A still (BGR) and its matte (0..255) or label map, of one size."""
        if self.mask is None:
            raise ConfigError(f"{self.picture} has no mask")
        found = labels(self.mask) if self.kind == "parts" else mask(self.mask)
        bgr = photo(self.picture)
        same_size(self.picture, bgr, self.mask, found)
        return bgr, found


@dataclass
class Listing:
    """What a folder holds, and what is wrong with it."""

    data: Path
    items: list[Item] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def pair(
        self,
        source: str,
        pictures: Iterable[Path],
        masks: dict[str, Path],
        *,
        soft: bool = False,
        held_out: bool = False,
    ) -> None:
        """Join pictures and masks by name; what is left over on either side is a problem."""
        masks, seen = dict(masks), set()
        for path in pictures:
            if path.stem in seen:
                self.problems.append(f"{path}: there is another picture of this name")
                continue
            seen.add(path.stem)
            found = masks.pop(path.stem, None)
            if found is None:
                self.problems.append(f"{path} has no mask")
                continue
            is_soft = soft or bool(SOFT.search(found.parent.name) or SOFT.search(found.stem))
            self.items.append(Item("person", source, path.stem, path, found, is_soft, held_out))
        self.problems += [f"{path} is a mask without a picture" for path in masks.values()]

    def digest(self) -> str:
        """Changes with the name, size or time of any file, and with any problem."""
        found = hashlib.sha256(os.fsencode("\n".join(self.problems)))
        for item in self.items:
            for path in (item.picture, item.mask) if item.mask else (item.picture,):
                if not path.exists():  # a link to nothing
                    continue
                stat, name = path.stat(), path.relative_to(self.data)
                told = f"{name} {stat.st_size} {stat.st_mtime_ns} {item.held_out}\n"
                found.update(os.fsencode(told))
        return found.hexdigest()


def aisegment(found: Listing) -> bool:
    """AISegment's release: 34,427 half-length portraits, the matte in the fourth channel."""
    pictures, mattes = found.data / "clip_img", found.data / "matting"
    if not (pictures.is_dir() and mattes.is_dir()):
        return False
    masks = {path.stem: path for folder in mattes.glob("*/matting_*") for path in listed(folder)}
    films = sorted(path for folder in pictures.glob("*/clip_*") for path in listed(folder))
    found.pair("aisegment", films, masks, soft=True)
    set_aside(found)
    return True


def folders(found: Listing) -> bool:
    """A folder of pictures beside folders of masks; EG1800's lists where they are."""
    pictures, beside = halves(found.data)
    if not (pictures and beside):
        return False
    masks = {name: path for folder in beside for name, path in named(folder).items()}
    chosen = [path for folder in pictures for path in listed(folder)]
    splits = lists(found.data)
    if splits:  # only what they name; the original release has labels without pictures
        chosen = [path for path in chosen if path.stem in splits]
        absent = splits.keys() - {path.stem for path in chosen}
        found.problems += [
            f"{pictures[0] / name}.* is missing, a list names it" for name in sorted(absent)
        ]
        masks = {name: path for name, path in masks.items() if name in splits}
        masks = {name: path for name, path in masks.items() if name not in absent}
    found.pair(called(found.data), chosen, masks)
    found.items = [replace(item, held_out=splits.get(item.name, False)) for item in found.items]
    if not any(splits.values()):
        set_aside(found)
    return True


def halves(data: Path) -> tuple[list[Path], list[Path]]:
    """The folders of pictures in a folder, and those of masks."""
    inside = {path.name.lower(): path for path in data.iterdir() if path.is_dir()}
    pictures = [inside[name] for name in inside if name in PICTURE_FOLDERS]
    return pictures, [inside[name] for name in MASK_FOLDERS if name in inside]


def sources(found: Listing) -> bool:
    """Several folders of pictures beside masks: each a source, or train, val and test."""
    inside = sorted(path for path in found.data.iterdir() if path.is_dir())
    for folder in inside:
        one = Listing(folder)
        if all(halves(folder)) and folders(one):
            found.items += one.items
            found.problems += one.problems
    if any(item.source in ASIDE for item in found.items):
        found.items = [replace(item, held_out=item.source in ASIDE) for item in found.items]
    return bool(found.items or found.problems)


def side_by_side(found: Listing) -> bool:
    """Pictures and masks in one folder."""
    paths = listed(found.data)
    films = {path.stem for path in paths if path.suffix.lower() != ".png"}
    masks = {
        ENDING.sub("", path.stem): path
        for path in paths
        if ENDING.search(path.stem) or (path.suffix.lower() == ".png" and path.stem in films)
    }
    if not masks:
        return False
    pictures = [
        path for path in paths if path not in masks.values() and not ENDING.search(path.stem)
    ]
    found.pair(called(found.data), pictures, masks)
    set_aside(found)
    return True


def empties(found: Listing) -> None:
    """Pictures without people."""
    for number, path in enumerate(listed(found.data / "negatives" / "img")):
        aside = number % NEGATIVES == 0
        found.items.append(Item("negative", "negative", path.stem, path, held_out=aside))
    for path in listed(found.data / "backgrounds"):
        found.items.append(Item("background", "background", path.stem, path))


def named(folder: Path) -> dict[str, Path]:
    """The masks of a folder by the name of their picture; NAME_matte wins over NAME_mask."""
    return {ENDING.sub("", path.stem): path for path in listed(folder)}


def lists(data: Path) -> dict[str, bool]:
    """What *_train.txt and *_test.txt (or *_val.txt) name -> is it for measuring."""
    found: dict[str, bool] = {}
    for path in sorted(data.glob("*.txt")):
        split = path.stem.lower().rpartition("_")[2]
        if split in {"train", "test", "val"}:
            names = path.read_text(errors="replace").split()
            found |= {Path(name).stem: split != "train" for name in names}
    return found


def called(data: Path) -> str:
    """The folder's name as the name of a source."""
    name = data.resolve().name.lower()
    return "people" if not name or name in KINDS else name


def set_aside(found: Listing) -> None:
    """Keep a tenth for measuring, at least one where there are two."""
    people = [item for item in found.items if item.kind == "person"]
    number = {item: zlib.crc32(os.fsencode(item.name)) for item in people}
    order = sorted(people, key=number.__getitem__)
    chosen = [item for item in order if number[item] % HELD_OUT == 0] or order[:1]
    aside = set(chosen if len(order) > 1 else [])
    found.items = [replace(item, held_out=item in aside) for item in found.items]
