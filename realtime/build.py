"""The shop: chooses the parts that a configuration names. Floor 4.

To add a part, add its row here. Rows import when they are chosen, so that an optional package is
missed only by whoever asks for it. Parts receive plain values, never the configuration.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from platformdirs import user_cache_path

from realtime import config as cfg
from realtime.errors import ConfigError, ModelNotFound
from realtime.frame import Source
from realtime.matting.engine import MattingModel
from realtime.pipeline import Backdrop, Overlay, Pipeline, Refiner, Session, Smoother
from realtime.pixels import Fit
from realtime.stats import Stats

DEFAULT_MODEL = "scrim-r-int8"

MODELS = Path(__file__).parent.parent / "models_ir"
"""The IR files that Scrim ships; the wheel puts them beside `realtime`, as the repository does."""

COLOURS = {"green": "#00ff00"}
"""Colours with a name: what OBS keys out."""

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
VIDEOS = (".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v", ".gif")
"""Suffixes that are read; what is written has its own in `sinks`."""


def model_names() -> list[str]:
    """Return the names of the shipped models."""
    return sorted(path.stem for path in MODELS.glob("*.xml"))


def find_model(name: str) -> Path:
    """Return the .xml of a shipped model's name or of a path. Raises `ModelNotFound`."""
    path = Path(name)
    if path.suffix != ".xml":
        path = MODELS / f"{DEFAULT_MODEL if name == 'default' else name}.xml"
    if not os.path.isfile(path):
        known = ", ".join(model_names()) or "none"
        raise ModelNotFound(f"no model {name!r}", f"shipped: {known}; or give a path to an .xml")
    return path


def load_model(matting: cfg.Matting) -> MattingModel:
    """Compile the configured model, or take it from the user's cache if there can be one.

    Raises `ModelError`.
    """
    path = find_model(matting.model)
    return MattingModel(path, matting.device, matting.threads, _cache())


def _cache() -> Path | None:
    try:
        folder = user_cache_path("scrim") / "openvino"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # this one of a user without a home
        return None
    return folder if os.access(folder, os.W_OK) else None


def make_pipeline(
    config: cfg.Config,
    model: MattingModel,
    stats: Stats,
    *,
    live: bool = True,
    passthrough: bool = False,
    smoother: Smoother | None = None,
    refiner: Refiner | None = None,
) -> Pipeline:
    """Build steps 2 to 8 for one stream; `smoother` and `refiner` replace the configured ones.

    Raises `ConfigError`, `ModelError`.
    """
    from realtime.matting.change import Watch
    from realtime.scene.composite import over
    from realtime.scene.edges import Edges
    from realtime.scene.framing import Framing
    from realtime.scene.lighting import SceneLight

    lit = not passthrough and has_light(config.scene)
    return Pipeline(
        make_session(config, model, smoother is None),
        smoother or make_smoother(config.temporal),
        refiner or make_refiner(config.refine),
        _room() if passthrough else make_backdrop(config.scene),
        SceneLight(config.light.scene, lit, stats.tell_light),
        Edges(config.edges.despill, 0.0 if _colour(config.scene) else config.edges.wrap),
        over,
        stats,
        live=live,
        watch=Watch(config.light.time),
        patches=config.temporal.patches,
        certain=config.temporal.certain,
        every=config.matting.every,
        framing=Framing() if config.scene.framing else None,
        overlay=make_overlay(config.scene),
    )


def make_session(config: cfg.Config, model: MattingModel, smoothed: bool) -> Session:
    """Build step 2; `smoothed` says whether step 3 is the configured one."""
    from realtime.matting.mirrored import BothWays, InTurn

    begin = partial(model.session, config.matting.scale)
    if config.matting.mirrored:
        return BothWays(begin)
    averaged = smoothed and config.temporal.method == "flow" and config.temporal.strength > 0
    return InTurn(begin) if averaged else begin()


def make_smoother(temporal: cfg.Temporal) -> Smoother | None:
    """Build step 3."""
    from realtime.matting.temporal import FlowSmoother, GatedSmoother

    rows: dict[str, Callable[[float], Smoother]] = {
        "flow": FlowSmoother,
        "gated": GatedSmoother,
    }
    if temporal.method == "off" or temporal.strength == 0:
        return None
    return rows[temporal.method](temporal.strength)


def make_refiner(refine: cfg.Refine) -> Refiner:
    """Build step 4."""
    from realtime.matting.refine import GuidedRefiner, PlainUpsampler

    rows: dict[str, Callable[[float, float], Refiner]] = {
        "guided": GuidedRefiner,
        "off": PlainUpsampler,
    }
    return rows[refine.method](refine.feather, refine.threshold)


def make_grabcut(refine: cfg.Refine) -> Refiner:
    """Build step 4 for stills that may take their time."""
    from realtime.matting.grabcut import GrabCutRefiner

    return GrabCutRefiner(refine.feather, refine.threshold)


def make_backdrop(scene: cfg.Scene) -> Backdrop:
    """Build step 5 from "blur", a colour, or the path of a picture, a video or a folder.

    What the studio's folder holds needs its name only.
    """
    from realtime.scene import backdrop
    from realtime.scene.blur import BlurBackdrop

    if scene.backdrop == "blur":
        return BlurBackdrop(scene.blur)
    if colour := _colour(scene):
        return backdrop.ColourBackdrop(colour)
    path = backdrop_files(Path(scene.folder)).get(scene.backdrop, Path(scene.backdrop))
    if os.path.isdir(path):
        return backdrop.SlideBackdrop(pictures_of(path), scene.slide, scene.fit)
    rows: dict[tuple[str, ...], Callable[[Path, Fit], Backdrop]] = {
        (*PICTURES, ".gif"): backdrop.picture_backdrop,
        VIDEOS: backdrop.video_backdrop,
    }
    for suffixes, row in rows.items():
        if path.suffix.lower() in suffixes:
            return row(path, scene.fit)
    if scene.backdrop == "transparent":
        raise ConfigError(
            'scene.backdrop: "transparent" is for `scrim render`',
            'live, give "green" and key it out',
        )
    raise ConfigError(
        f"scene.backdrop: {scene.backdrop!r} is no backdrop",
        'give "blur", "green", a colour such as "#336699", a picture, a video or a folder',
    )


def _colour(scene: cfg.Scene) -> tuple[int, int, int] | None:
    """Return the colour, (blue, green, red), that a backdrop is, if it is one."""
    if not re.fullmatch(cfg.COLOUR, code := COLOURS.get(scene.backdrop, scene.backdrop)):
        return None
    red, green, blue = bytes.fromhex(code[1:])
    return blue, green, red


def pictures_of(folder: Path) -> list[Path]:
    """Return the pictures of a folder by name. Raises `ConfigError` when there is none."""
    try:
        found = _shown(folder, PICTURES)
    except OSError as error:
        raise ConfigError(f"{folder}: {(error.strerror or 'unreadable').lower()}") from error
    if not found:
        raise ConfigError(f"{folder}: no picture in this folder", f"known: {' '.join(PICTURES)}")
    return found


def make_overlay(scene: cfg.Scene) -> Overlay | None:
    """Build what stands before everything. Raises `ConfigError`."""
    from realtime.scene.overlay import Overlay

    return Overlay(Path(scene.overlay), scene.fit) if scene.overlay else None


def has_light(scene: cfg.Scene) -> bool:
    """Say whether a backdrop has a light of its own, as a picture has and a colour has not."""
    return scene.backdrop != "blur" and _colour(scene) is None


def _room() -> Backdrop:
    from realtime.scene.backdrop import RoomBackdrop

    return RoomBackdrop()


def backdrop_files(folder: Path) -> dict[str, Path]:
    """Return the pictures and videos of a folder, if it can be read, by name; no links."""
    try:
        found = _shown(folder, PICTURES + VIDEOS)
    except OSError:
        return {}
    return {path.name: path for path in found if path.is_file() and not path.is_symlink()}


def _shown(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return what a folder shows; what is hidden is not whole, or no picture ("._beach.jpg")."""
    listed = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    return [path for path in listed if path.suffix.lower() in suffixes]


def open_camera(camera: cfg.Camera, notice: Callable[[str], None]) -> Source:
    """Open the configured camera and tell what its driver refused. Raises `SourceUnavailable`."""
    from realtime.sources.camera import CameraSource

    source = CameraSource(camera.device, camera.width, camera.height, camera.fps, camera.fourcc)
    for note in source.notes:
        notice(note)
    return _facing(source, camera)


def open_input(source: str, camera: cfg.Camera) -> Source:
    """Open what stands in for the camera: a looped video file, or "pattern", a drawn person."""
    from realtime.sources.pattern import PatternSource
    from realtime.sources.video import VideoSource

    if source == "pattern":
        return _facing(PatternSource((camera.width, camera.height), camera.fps), camera)
    return _facing(VideoSource(Path(source), loop=True, realtime=True), camera)


def _facing(source: Source, camera: cfg.Camera) -> Source:
    from realtime.sources.mirror import MirroredSource

    return MirroredSource(source) if camera.mirror else source
