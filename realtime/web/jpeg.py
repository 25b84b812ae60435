"""Frames as JPEG (ITU-T T.81), for thumbnails and snapshots."""

from __future__ import annotations

from fractions import Fraction

from av import CodecContext, VideoFrame
from av.video.codeccontext import VideoCodecContext

from realtime.frame import Frame


def encode_jpeg(frame: Frame) -> bytes:
    """Return a frame as a JPEG. The file's range is full (JFIF), the frame's is limited."""
    limited = VideoFrame.from_ndarray(frame.i420, "yuv420p")
    picture = limited.reformat(format="yuvj420p", threads=1)
    encoder = CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = picture.width, picture.height
    encoder.pix_fmt = picture.format.name
    encoder.time_base = Fraction(1, 1)
    packets = [*encoder.encode(picture), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)
