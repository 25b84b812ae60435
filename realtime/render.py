"""Offline work: pictures, videos and folders of pictures through the line. Floor 4.

No threads: every frame in order, none dropped, time taken from the clip and not from the clock.
A picture is one frame: nothing of another picture leaks into it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from realtime import pixels
from realtime.build import find_model, make_grabcut, make_pipeline, model_names, pictures_of
from realtime.config import Config
from realtime.errors import ConfigError, ModelContract, ScrimError
from realtime.frame import Bytes, Frame, Matte
from realtime.job import Job
from realtime.matting.classes import enlarge_classes
from realtime.matting.engine import MattingModel, read_card
from realtime.matting.session import MattingSession
from realtime.pipeline import Pipeline
from realtime.sinks.indexed import encode_indexed
from realtime.sinks.picture import encode_for
from realtime.sinks.whole import write_together
from realtime.stats import Stats
from realtime.still import before_nothing, finish_still, matte_still, still_pipeline

TRANSPARENT = "transparent"
"""A backdrop of files that can hold it: nothing."""

BEFORE: dict[str, dict[str, str | float]] = {
    "temporal": {"method": "off"},
    "light": {"time": False, "scene": 0.0},
    "edges": {"despill": 0.0, "wrap": 0.0},
}
"""What `--compare` shows on the left."""

Progress = Callable[[int, int], None]
"""Called with the frames done and the frames in all (0 = not known)."""


def render(job: Job, config: Config, model: MattingModel, progress: Progress) -> int:
    """Render a job and return the number of frames.

    Raises `ConfigError` when the paths do not go together, `ModelContract` when classes are wanted
    of a network that knows none, and what the parts raise. Nothing half-written is left behind,
    but by a full disk: `SinkLost` then names the hidden file.
    """
    job = replace(job, transparent=config.scene.backdrop == TRANSPARENT)
    kind = job.kind()
    if kind == "video":
        config = config.unhurried()
    if job.classes:
        _expect_classes(model)
    if job.transparent:
        config = before_nothing(config)
    if job.alpha and config.scene.framing:
        raise ConfigError("the matte is of the whole picture", "--set scene.framing=false")
    before = None
    if job.compare:
        before = make_pipeline(config.with_values(BEFORE), model, Stats(), live=False)
    if kind == "video":
        after = make_pipeline(config, model, Stats(), live=False)
        return _video(job, after, before, progress)
    refiner = make_grabcut(config.refine) if job.grabcut else None
    line = Line(still_pipeline(config, model, refiner), before, model.session())
    if kind == "picture":
        _picture(job, line)
        progress(1, 1)
        return 1
    return _folder(job, line, progress)


def _expect_classes(model: MattingModel) -> None:
    if not model.card.classes:
        known = [name for name in model_names() if read_card(find_model(name)).classes]
        raise ModelContract(
            f"{model.card.name} tells person from room and knows no classes",
            f"choose --model {' or '.join(known)}" if known else "no shipped model knows classes",
        )


@dataclass(frozen=True)
class Line:
    """What stills go through: the pipeline, one to compare with, and a session for classes."""

    pipeline: Pipeline
    before: Pipeline | None
    session: MattingSession

    def classes(self, frame: Frame, matte: Matte) -> Bytes:
        """Return the class of each pixel, uint8, at the frame's size: the network looks again."""
        self.session.reset()
        thumbnail = pixels.thumbnail(frame, self.session.size_for(*frame.size))
        return enlarge_classes(self.session.classes(thumbnail), matte.alpha)


def _picture(job: Job, line: Line) -> None:
    still = matte_still(job.source, line.pipeline)
    picture = finish_still(still, line.pipeline, clear=job.transparent)
    if line.before:
        line.before.reset()
        plain = still.crop(pixels.to_bgr(line.before.step(still.frame)))
        picture = np.hstack([plain, picture])
    files = {job.output: encode_for(job.output, picture)}
    if job.alpha:
        files[job.alpha] = encode_for(job.alpha, still.crop(still.matte.alpha))
    if job.classes:
        classes = line.classes(still.frame, still.matte)
        files[job.classes] = encode_indexed(still.crop(classes))
    write_together(files)


def _folder(job: Job, line: Line, progress: Progress) -> int:
    paths = pictures_of(job.source)
    for folder in job.targets:
        _make_folder(folder)
    failures: list[ScrimError] = []
    for done, path in enumerate(paths, 1):
        name = _png_name(path, paths)
        alpha, classes = (at / name if at else None for at in (job.alpha, job.classes))
        try:
            output = job.output / (path.name if path.suffix.lower() in job.stills else name)
            _picture(replace(job, source=path, output=output, alpha=alpha, classes=classes), line)
        except ScrimError as error:
            failures.append(error)
        progress(done, len(paths))
    if failures:
        listed = "; ".join(error.message for error in failures[:5])
        raise type(failures[0])(f"{len(failures)} of {len(paths)} pictures failed: {listed}")
    return len(paths)


def _png_name(path: Path, paths: list[Path]) -> str:
    """Name a PNG after a picture, with the picture's suffix where two share a stem."""
    alone = sum(path.stem == other.stem for other in paths) == 1
    return f"{path.stem if alone else path.name}.png"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make the folder {folder}: {error.strerror}") from error


def _video(job: Job, pipeline: Pipeline, before: Pipeline | None, progress: Progress) -> int:
    from realtime.sinks.recording import MatteSink, RecordingSink
    from realtime.sources.video import VideoSource

    with ExitStack() as undo:
        source = VideoSource(job.source)
        undo.callback(source.close)
        output = RecordingSink(
            job.output, source.fps, transparent=job.transparent, sound=job.source
        )
        undo.callback(output.discard)
        mattes = MatteSink(job.alpha, source.fps) if job.alpha else None
        if mattes:
            undo.callback(mattes.discard)
        done = 0
        for frame in source:
            matte = pipeline.matte(frame)
            if job.transparent:
                output.write_cut_out(*pipeline.cut_out(frame, matte))
            else:
                picture = pipeline.finish(frame, matte)
                output.write(pixels.beside(before.step(frame), picture) if before else picture)
            if mattes:
                mattes.write_alpha(matte.alpha, frame.captured_at)
            done += 1
            progress(done, source.frames)
        output.close()
        if mattes:
            mattes.close()
    return done
