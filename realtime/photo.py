"""A photograph on order: cut out, before a backdrop, or as an identity photograph. Floor 4.

The same steps as `render`: a photograph is a picture whose result is handed back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from realtime.errors import BadPicture, SourceUnavailable
from realtime.frame import Bytes
from realtime.pipeline import Pipeline
from realtime.still import Still, finish_still, matte_still

Format = Literal["png", "jpeg"]
Cut = Literal["none", "35x45", "51x51", "33x48"]


@dataclass(frozen=True)
class Order:
    """`clear` leaves out the backdrop: the person alone, with alpha (PNG only)."""

    format: Format = "png"
    cut: Cut = "none"
    clear: bool = False


def develop(picture: bytes, order: Order, pipeline: Pipeline) -> bytes:
    """Return a picture's content as it was ordered. Raises `BadPicture`, `ModelError`."""
    from realtime.sinks.picture import encode_picture

    try:
        still = matte_still(picture, pipeline)
    except SourceUnavailable as error:
        raise BadPicture(error.message, error.hint) from error
    shown = _cut(still, finish_still(still, pipeline, clear=order.clear), order.cut)
    return encode_picture(f".{order.format}", shown)


def _cut(still: Still, shown: Bytes, name: Cut) -> Bytes:
    from realtime.scene.portrait import CUTS, cut_out, portrait_box, portrait_size

    if name == "none":
        return shown
    box = portrait_box(still.crop(still.matte.alpha), CUTS[name])
    if box is None:
        raise BadPicture("nobody is in this picture", "choose a portrait, or no cut")
    return cut_out(shown, box, portrait_size(CUTS[name]))
