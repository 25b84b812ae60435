"""What is rendered and where it goes: paths that go together, or an error before any work. Floor 4.

The suffixes say what is a picture and what is a video; a folder is one of pictures.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from realtime.build import PICTURES
from realtime.build import VIDEOS as CLIPS
from realtime.errors import ConfigError, SourceUnavailable
from realtime.sinks.picture import CLEAR, SUFFIXES

Kind = Literal["picture", "video", "folder"]


@dataclass(frozen=True)
class Job:
    """What goes in, where the picture goes, and where matte and classes go if they are wanted.

    With `grabcut`, step 4 is GrabCut's vote on the outline of a still; with `compare`, the picture
    without steadying, light and edges stands left of it; `transparent` is the person alone.
    """

    source: Path
    output: Path
    alpha: Path | None = None
    classes: Path | None = None
    grabcut: bool = False
    compare: bool = False
    transparent: bool = False

    @property
    def targets(self) -> list[Path]:
        """All that is written."""
        return [path for path in (self.output, self.alpha, self.classes) if path]

    @property
    def stills(self) -> tuple[str, ...]:
        """Suffixes under which a picture is written."""
        return CLEAR if self.transparent else SUFFIXES

    def kind(self) -> Kind:
        """Say which of the three jobs it is.

        Raises `SourceUnavailable` when there is nothing to render, `ConfigError` when the paths do
        not go together.
        """
        if self.transparent and self.compare:
            raise ConfigError(
                "--compare needs a backdrop, and transparent is none", "leave out one of the two"
            )
        try:
            self.source.stat()
        except OSError as error:
            reason = (error.strerror or "unreadable").lower()
            raise SourceUnavailable(f"{self.source}: {reason}", "is the path right?") from error
        self._expect_apart()
        if self.source.is_dir():
            self._expect_folders()
            return "folder"
        suffix = self.source.suffix.lower()
        if suffix in PICTURES:
            self._expect_pictures()
            return "picture"
        if suffix in CLIPS:
            self._expect_videos()
            return "video"
        raise ConfigError(
            f"{self.source}: neither picture nor video", f"known: {' '.join(PICTURES + CLIPS)}"
        )

    def _expect_apart(self) -> None:
        taken = {os.path.realpath(self.source): "what is rendered"}
        for path in self.targets:
            place = os.path.realpath(path)
            if place in taken:
                raise ConfigError(f"{path} would overwrite {taken[place]}", "give another name")
            taken[place] = "what else is written"

    def _expect_folders(self) -> None:
        for path in self.targets:
            one = os.path.lexists(path) or path.suffix.lower() in PICTURES + CLIPS
            if one and not os.path.isdir(path):
                raise ConfigError(
                    f"{path}: a folder of pictures is rendered into a folder", "name a folder"
                )

    def _expect_pictures(self) -> None:
        _expect(self.output, self.stills, "transparent picture" if self.transparent else "picture")
        _expect(self.alpha, (".png",), "matte of a picture")
        _expect(self.classes, (".png",), "map of classes")

    def _expect_videos(self) -> None:
        if self.grabcut:
            raise ConfigError(
                f"{self.source}: GrabCut refines pictures, not videos",
                "it takes a fifth of a second a picture and has no sense of time: --refine guided",
            )
        if self.classes:
            raise ConfigError(
                f"{self.source}: a map of classes is drawn of pictures, not videos",
                "give a picture or a folder of pictures",
            )
        from realtime.sinks.container import CUT_OUTS, MATTES, VIDEOS

        if self.transparent:
            _expect(self.output, CUT_OUTS, "transparent video")
        _expect(self.output, VIDEOS, "video")
        _expect(self.alpha, MATTES, "matte of a video")


def _expect(path: Path | None, suffixes: Collection[str], what: str) -> None:
    if path and path.suffix.lower() not in suffixes:
        raise ConfigError(f"{path}: a {what} is written as {' '.join(suffixes)}")
