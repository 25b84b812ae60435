"""From a folder of pictures to a pack: shrink, check, and fit into so many megabytes."""

import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import ConfigError
from training.layouts import KINDS, Item
from training.manifest import licences
from training.pack import HEADER, Pack, Quality, Row, add, close, encoded
from training.pictures import Pixels, photo, same_size, video
from training.readers import listing, refuse, trouble

EVERY_FRAME = 2  # every second frame of a clip
SAMPLE = 16  # every 16th picture tells how large the file would be

Watched = Callable[[Sequence[Item]], Iterable[Item]]  # shows progress

# From good to small: colours first, then what there is most of, size and detail last.
LADDER = (
    Quality(),
    Quality(400, ".jpg", 85),
    Quality(400, ".webp", 88),
    Quality(360, ".webp", 85),
    Quality(320, ".webp", 85),
    Quality(320, ".webp", 85, every=2),
    Quality(320, ".webp", 80, every=2),
    Quality(320, ".webp", 75, every=3),
    Quality(288, ".webp", 75, every=3),
    Quality(256, ".webp", 70, every=4),
    Quality(192, ".webp", 65, every=4),
)


def plain(items: Sequence[Item]) -> Sequence[Item]:
    return items


def build(
    data: Path,
    out: Path,
    quality: Quality = LADDER[0],
    kinds: Sequence[str] = KINDS,
    skip_bad: bool = False,
    watched: Watched = plain,
) -> Pack:
    """Pack the folder `data` into the file `out`, written whole or not at all.

    Raises one `ConfigError` that lists every file that cannot be used, also of those set aside for
    measuring; with `skip_bad` they are counted in the pack's index as "left_out". Raises another
    where `out` cannot be written.
    """
    found = listing(data)
    chosen = [item for item in found.items if item.kind in kinds]
    problems = found.problems + [
        bad for i in chosen if i.held_out and i.mask and (bad := trouble(i))
    ]
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(b" " * HEADER)
            rows = []
            for item in watched(thinned(chosen, quality.every)):
                try:
                    rows += [add(file, *each, quality) for each in list(rows_of(item, quality))]
                except ConfigError as error:
                    problems.append(error.message)
            if not skip_bad:
                refuse(problems)
            about = {"digest": found.digest(), "quality": str(quality), "left_out": len(problems)}
            close(file, about | {"licences": licences(data), "rows": rows})
        os.replace(part, out)
    except OSError as error:
        raise ConfigError(f"cannot write {out}: {error.strerror}", "name another place") from error
    finally:
        with suppress(OSError):  # no such file, or no such folder
            part.unlink()
    return Pack(out)


def kept(data: Path, out: Path, skip_bad: bool = False, watched: Watched = plain) -> Pack:
    """The pack of a folder, built anew where it is missing, old, or the folder has changed."""
    try:
        pack = Pack(out)
    except ConfigError:
        return build(data, out, skip_bad=skip_bad, watched=watched)
    if pack.index["digest"] == listing(data).digest():
        return pack
    return build(data, out, skip_bad=skip_bad, watched=watched)


def build_within(
    megabytes: float,
    data: Path,
    out: Path,
    quality: Quality = LADDER[0],
    kinds: Sequence[str] = KINDS,
    skip_bad: bool = False,
    watched: Watched = plain,
) -> Pack:
    """`build` with the best quality of `LADDER` that gives at most `megabytes` (10^6 bytes).

    Where a sample of the pictures misjudged it, the next one is tried.
    """
    sample = [item for item in listing(data).items if item.kind in kinds]
    ladder = [replace(step, long_side=min(quality.long_side, step.long_side)) for step in LADDER]
    first = bisect_left(ladder, -1e6 * megabytes, key=lambda step: -estimate(sample, step, watched))
    for step in ladder[first:]:
        pack = build(data, out, step, kinds, skip_bad, watched)
        if pack.bytes.size <= 1e6 * megabytes:
            return pack
    raise ConfigError(f"not even {ladder[-1]} fits into {megabytes:g} MB", "take fewer with --kind")


def estimate(items: Sequence[Item], quality: Quality, watched: Watched) -> float:
    """Bytes the pack would have, from a sample of each kind."""
    total = 0.0
    for kind in KINDS:
        whole = thinned([item for item in items if item.kind == kind], quality.every)
        sample = whole[:: max(1, min(SAMPLE, len(whole) // 4))]
        sizes = [size for item in watched(sample) for size in lengths(item, quality)]
        total += sum(sizes) * len(whole) / max(1, len(sample))
    return total


def lengths(item: Item, quality: Quality) -> list[int]:
    """Bytes of each row of an item, with its part of the index; none of a bad one."""
    try:
        return [60 + sum(map(len, encoded(p, quality))) for _, p in rows_of(item, quality)]
    except ConfigError:
        return []


def thinned(items: Sequence[Item], every: int) -> list[Item]:
    """Training pictures alone, backgrounds thinned out."""
    found = [item for item in items if not item.held_out]
    rooms = [item for item in found if item.kind == "background"]
    dropped = set(rooms) - set(rooms[::every])
    return [item for item in found if item not in dropped]


def rows_of(item: Item, quality: Quality) -> Iterator[tuple[Row, Pixels]]:
    """The pictures of an item, shrunk, each with its row."""
    if item.kind == "sequence":
        yield from frames(item, quality)
    elif item.mask is None:
        bgr = shrunk(photo(item.picture), quality.long_side)
        yield Row(item.source, item.name, *bgr.shape), bgr
    elif item.kind == "parts":
        yield joined(item, item.name, *item.load(), round(1.28 * quality.long_side))
    else:
        yield joined(item, item.name, *item.load(), quality.long_side)


def frames(item: Item, quality: Quality) -> Iterator[tuple[Row, Pixels]]:
    """Every n-th frame of a clip and its matte."""
    step, whole = EVERY_FRAME * quality.every, item.mask or item.picture
    films = zip(video(item.picture), video(whole), strict=True)
    try:
        for number, (bgr, pha) in enumerate(films):
            if number % step == 0:
                same_size(item.picture, bgr, whole, pha[:, :, 0])
                name = f"{item.name}:{number}"
                yield joined(item, name, bgr, pha[:, :, 0], quality.long_side)
    except ValueError as error:
        raise ConfigError(f"{item.picture} and {whole.name} differ in length") from error


def joined(item: Item, name: str, bgr: Pixels, pha: Pixels, long_side: int) -> tuple[Row, Pixels]:
    """A row and its pixels, BGR and alpha (or label)."""
    labels = item.kind == "parts"
    alpha = shrunk(pha, long_side, cv2.INTER_NEAREST if labels else cv2.INTER_AREA)
    person = (alpha > 0) & (alpha < 255) if labels else alpha > 127
    x, y, w, h = (int(v) for v in cv2.boundingRect(person.astype(np.uint8)))
    pixels = np.dstack([shrunk(bgr, long_side), alpha])
    row = Row(item.source, name, *pixels.shape)
    return replace(row, box=(x, y, x + w, y + h), soft=item.soft), pixels


def shrunk(image: Pixels, long_side: int, mode: int = cv2.INTER_AREA) -> Pixels:
    """Downscaled to a long side of at most `long_side`."""
    height, width = image.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=mode), np.uint8)
