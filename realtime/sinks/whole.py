"""Files that are whole as soon as they have their name: written beside it, then renamed."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from itertools import chain, count
from pathlib import Path

from realtime.errors import SinkUnavailable

LONGEST = 255
"""Bytes of a file's name on all common file systems."""

HINTS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room on the disk"),
    errno.EISDIR: "name a file in it",
    errno.ENOENT: "make the folder first",
}


def write_whole(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file, or leave what was there. Raises `SinkUnavailable`."""
    write_together({path: data}, mode)


def write_together(files: Mapping[Path, bytes], mode: int = 0o666) -> None:
    """Write files that belong together, or leave what was there. Raises `SinkUnavailable`.

    `mode` are their permissions, of which the process's umask takes.
    """
    hidden = {path: beside(path) for path in files}
    try:
        for path, data in files.items():
            hidden[path].touch(mode)
            hidden[path].write_bytes(data)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        for path, temporary in hidden.items():
            os.replace(temporary, path)
    except OSError as error:
        for temporary in hidden.values():
            with suppress(OSError):  # a name that is too long cannot even be missing
                temporary.unlink()
        raise unwritable(path, error) from error


def beside(path: Path) -> Path:
    """Return a hidden name of its own in the same folder, with the same suffix.

    It is not too long where the path's own name is not.
    """
    end, stem = f"-{uuid.uuid4().hex[:8]}{path.suffix}", os.fsencode(path.stem)
    if len(os.fsencode(path.name)) <= LONGEST:
        stem = stem[: LONGEST - 1 - len(os.fsencode(end))]
    return path.with_name(f".{stem.decode(errors='ignore')}{end}")


def unused(path: Path) -> Path:
    """Return a path where nothing is: this one, or one with a number, "talk-2.mp4"."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return next(place for place in chain([path], numbered) if not os.path.lexists(place))


def unwritable(path: Path, error: OSError) -> SinkUnavailable:
    """Say why a place cannot be written, and what would help."""
    reason = (error.strerror or str(error)).lower()
    hint = HINTS.get(error.errno or 0, "choose a folder you can write to")
    return SinkUnavailable(f"{path}: {reason}", hint)
