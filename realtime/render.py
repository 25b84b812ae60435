"""Offline work: pictures, videos and folders of pictures through the line. Floor 4.

No threads: every frame in order, none dropped, time taken from the clip and not from the clock.
A picture is one frame: nothing of another picture leaks into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from realtime import pixels
from realtime.build import PICTURES, VIDEOS, make_pipeline
from realtime.config import Config
from realtime.errors import ConfigError, EndOfStream, ScrimError, SourceUnavailable
from realtime.frame import Bytes, Frame
from realtime.matting.engine import MattingModel
from realtime.pipeline import Pipeline
from realtime.runner import Source
from realtime.sinks.picture import write_picture
from realtime.stats import Stats

Progress = Callable[[int, int], None]
"""Called with the frames done and the frames in all (0 = not known)."""


@dataclass(frozen=True)
class Job:
    """What goes in, where the picture goes, and where the matte goes if it is wanted."""

    source: Path
    output: Path
    alpha: Path | None = None


def render(job: Job, config: Config, model: MattingModel, progress: Progress) -> int:
    """Render a job and return the number of frames.

    Raises `ConfigError` when the three paths do not go together, and what the parts raise.
    Nothing half-written is left behind.
    """
    kind = _kind(job)
    still = config.with_values({"temporal": {"method": "off"}})
    if kind == "video":
        return _video(job, make_pipeline(config, model, Stats(), live=False), progress)
    pipeline = make_pipeline(still, model, Stats(), live=False)
    if kind == "picture":
        _picture(job, pipeline)
        progress(1, 1)
        return 1
    return _folder(job, pipeline, progress)


def _kind(job: Job) -> str:
    """Say which of the three jobs it is: a picture, a video or a folder of pictures."""
    if not job.source.exists():
        raise SourceUnavailable(f"{job.source}: no such file or folder")
    for path in filter(None, (job.output, job.alpha)):
        if path.resolve() == job.source.resolve():
            raise ConfigError(f"{path} would overwrite what is rendered", "give another name")
    if job.source.is_dir():
        for path in filter(None, (job.output, job.alpha)):
            if path.suffix or path.is_file():
                raise ConfigError(f"{path}: a folder of pictures is rendered into a folder")
        return "folder"
    for kind, suffixes, alpha in (("picture", PICTURES, ".png"), ("video", VIDEOS, ".mkv")):
        if job.source.suffix.lower() in suffixes:
            _expect(job.output, suffixes, kind)
            if job.alpha:
                _expect(job.alpha, (alpha,), f"matte of a {kind}")
            return kind
    raise ConfigError(
        f"{job.source}: neither picture nor video", f"known: {' '.join(PICTURES + VIDEOS)}"
    )


def _expect(path: Path, suffixes: tuple[str, ...], what: str) -> None:
    if path.suffix.lower() not in suffixes:
        raise ConfigError(f"{path}: a {what} is written as {' '.join(suffixes)}")


def _picture(job: Job, pipeline: Pipeline) -> None:
    from realtime.sources.picture import PictureSource

    source = PictureSource(job.source)
    width, height = source.shape
    frame = replace(source.read(), captured_at=0.0)
    pipeline.reset()
    matte = pipeline.matte(frame)
    picture = pixels.to_bgr(pipeline.finish(frame, matte))
    if job.alpha:
        write_picture(job.alpha, _crop(matte.alpha, width, height))
    write_picture(job.output, _crop(picture, width, height))


def _crop(array: Bytes, width: int, height: int) -> Bytes:
    """Take away the row or column that made an odd picture even."""
    return array[:height, :width]


def _folder(job: Job, pipeline: Pipeline, progress: Progress) -> int:
    paths = sorted(p for p in job.source.iterdir() if p.suffix.lower() in PICTURES)
    if not paths:
        raise ConfigError(
            f"{job.source}: no picture in this folder", f"known: {' '.join(PICTURES)}"
        )
    for folder in filter(None, (job.output, job.alpha)):
        _make_folder(folder)
    failures: list[ScrimError] = []
    for done, path in enumerate(paths, 1):
        alpha = job.alpha / _matte_name(path, paths) if job.alpha else None
        try:
            _picture(Job(path, job.output / path.name, alpha), pipeline)
        except ScrimError as error:
            failures.append(error)
        progress(done, len(paths))
    if failures:
        listed = "; ".join(error.message for error in failures[:5])
        raise type(failures[0])(f"{len(failures)} of {len(paths)} pictures failed: {listed}")
    return len(paths)


def _matte_name(path: Path, paths: list[Path]) -> str:
    """Name a matte after its picture, with the suffix where two pictures share a stem."""
    alone = sum(path.stem == other.stem for other in paths) == 1
    return f"{path.stem if alone else path.name}.png"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make the folder {folder}: {error.strerror}") from error


def _video(job: Job, pipeline: Pipeline, progress: Progress) -> int:
    from realtime.sinks.recording import MatteSink, RecordingSink
    from realtime.sources.video import VideoSource

    with ExitStack() as undo:
        source = VideoSource(job.source)
        undo.callback(source.close)
        output = RecordingSink(job.output, source.fps)
        undo.callback(output.discard)
        mattes = MatteSink(job.alpha, source.fps) if job.alpha else None
        if mattes:
            undo.callback(mattes.discard)
        done = 0
        for frame in _frames(source):
            matte = pipeline.matte(frame)
            output.write(pipeline.finish(frame, matte))
            if mattes:
                mattes.write_alpha(matte.alpha)
            done += 1
            progress(done, source.frames)
        output.close()
        if mattes:
            mattes.close()
    return done


def _frames(source: Source) -> Iterator[Frame]:
    """Give all frames of a clip."""
    while True:
        try:
            yield source.read()
        except EndOfStream:
            return
