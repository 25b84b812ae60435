"""A small JPEG of a backdrop, for the studio's buttons."""

from __future__ import annotations

from fractions import Fraction

from av import CodecContext, VideoFrame
from av.video.codeccontext import VideoCodecContext

from realtime.build import make_backdrop
from realtime.config import Scene

SIZE = (240, 136)


def thumbnail(scene: Scene) -> bytes:
    """Return the backdrop of a scene as a JPEG of `SIZE`. Raises `ConfigError`."""
    picture = VideoFrame.from_ndarray(make_backdrop(scene).alone(SIZE).i420, "yuv420p")
    return _jpeg(picture.reformat(format="yuvj420p", threads=1))


def _jpeg(picture: VideoFrame) -> bytes:
    encoder = CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = picture.width, picture.height
    encoder.pix_fmt = picture.format.name
    encoder.time_base = Fraction(1, 1)
    packets = [*encoder.encode(picture), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)
