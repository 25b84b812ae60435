"""A still picture through the line, for `render` and for photographs. Floor 4."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from realtime import pixels
from realtime.build import make_pipeline
from realtime.config import Config
from realtime.errors import ConfigError
from realtime.frame import Bytes, Frame, Matte
from realtime.matting.engine import MattingModel
from realtime.pipeline import Pipeline, Refiner
from realtime.stats import Stats


@dataclass(frozen=True, eq=False)
class Still:
    """One picture and its matte. `shape` is its (width, height): a frame of it may be larger."""

    shape: tuple[int, int]
    frame: Frame
    matte: Matte

    def crop(self, array: Bytes) -> Bytes:
        """Take away the row or column that made an odd picture even."""
        width, height = self.shape
        return array[:height, :width]


def still_pipeline(config: Config, model: MattingModel, refiner: Refiner | None = None) -> Pipeline:
    """Build what stills go through: nothing in it looks back in time."""
    still = config.with_values(
        {
            "matting": {"mirrored": config.render.mirrored},
            "temporal": {"method": "off"},
            "light": {"time": False},
        }
    )
    return make_pipeline(still, model, Stats(), live=False, refiner=refiner)


def before_nothing(config: Config) -> Config:
    """Return what gives the person alone; before one colour no light is wrapped around the edge.

    Raises `ConfigError` for an overlay.
    """
    if config.scene.overlay:
        raise ConfigError("an overlay needs a backdrop", '--set scene.overlay=""')
    return config.with_values({"scene": {"backdrop": "#000000"}})


def matte_still(source: Path | bytes, pipeline: Pipeline) -> Still:
    """Matte a picture file or its content. Raises `SourceUnavailable`, and what the parts raise."""
    from realtime.sources.picture import PictureSource

    opened = PictureSource(source)
    frame = replace(opened.read(), captured_at=0.0)
    pipeline.reset()
    return Still(opened.shape, frame, pipeline.matte(frame))


def finish_still(still: Still, pipeline: Pipeline, *, clear: bool) -> Bytes:
    """Return the composed picture as BGR, or, `clear`, the person alone as BGRA."""
    if not clear:
        return still.crop(pixels.to_bgr(pipeline.finish(still.frame, still.matte)))
    person, alpha = pipeline.cut_out(still.frame, still.matte)
    return still.crop(pixels.with_alpha(pixels.to_bgr(person), alpha))
