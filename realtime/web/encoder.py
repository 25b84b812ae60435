"""Step 9 of 9: pictures to RTP payloads, encoded once for everybody who watches.

x264 `ultrafast` with `zerolatency` needs 3 ms at 1280x720 where aiortc's own settings need 20.
One thread: libvpx spins on more (47 ms instead of 7). H264 says in its VUI (ITU-T H.264, annex E)
that it is BT.601, limited range; unsaid, browsers take it for BT.709.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from av import CodecContext, FFmpegError, VideoFrame
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from realtime.address import Codec
from realtime.errors import SinkLost
from realtime.web.ladder import Rung

CLOCK_HZ = 90_000
"""RTP clock of every video codec (RFC 3551, section 5)."""

KEYFRAME_EVERY = 3000
"""Frames between keyframes that nobody asked for; whoever needs one asks (PLI, RFC 4585)."""

_LIBRARIES: dict[Codec, tuple[str, dict[str, str]]] = {
    "H264": ("libx264", {"preset": "ultrafast", "tune": "zerolatency"}),
    "VP8": (
        "libvpx",
        {
            **{"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0"},
            **{"undershoot-pct": "100", "overshoot-pct": "15", "static-thresh": "1"},
        },
    ),
}

_PAYLOADS: dict[Codec, type[H264Encoder | Vp8Encoder]] = {"H264": H264Encoder, "VP8": Vp8Encoder}
"""What knows how a codec's pictures are put into packets (RFC 6184, RFC 7741)."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One picture on the wire: payloads of RTP packets, and its time on `CLOCK_HZ`."""

    payloads: list[bytes]
    timestamp: int
    is_key: bool

    @property
    def size(self) -> int:
        """Bytes of all payloads."""
        return sum(map(len, self.payloads))


class PictureEncoder:
    """Encodes pictures of one size in one codec."""

    def __init__(self, codec: Codec, rung: Rung, fps: float) -> None:
        self.rung = rung
        self._context = _open(codec, rung, fps)
        self._payloads = _PAYLOADS[codec]()

    def encode(self, picture: VideoFrame, number: int, key: bool) -> Encoded | None:
        """Encode a picture in yuv420p; with `key` it needs none before it.

        `number` counts pictures over all sizes of a ladder. Returns None where the encoder gives
        nothing. Raises `SinkLost`.
        """
        picture.pict_type = PictureType.I if key else PictureType.NONE
        try:
            packets = self._context.encode(picture)
        except FFmpegError as error:
            raise SinkLost(f"the encoder failed: {error}") from error
        if not packets:
            return None
        if isinstance(self._payloads, Vp8Encoder):
            self._payloads.picture_id = number % (1 << 15)
        payloads, timestamp = self._payloads.pack(packets[0])
        return Encoded(payloads, timestamp, packets[0].is_keyframe)


def _open(codec: Codec, rung: Rung, fps: float) -> VideoCodecContext:
    name, options = _LIBRARIES[codec]
    context = CodecContext.create(name, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height = rung.size
    context.pix_fmt = "yuv420p"
    context.bit_rate = rung.rate
    context.time_base = Fraction(1, CLOCK_HZ)
    context.framerate = Fraction(round(fps), 1)
    context.gop_size = KEYFRAME_EVERY
    context.thread_count = 1
    context.color_range = ColorRange.MPEG
    context.colorspace = Colorspace.ITU601
    context.color_primaries = ColorPrimaries.BT470BG
    context.color_trc = ColorTrc.SMPTE170M
    limits = {"maxrate": str(rung.rate), "bufsize": str(rung.rate // 2)}
    if codec == "H264":
        context.profile = "Baseline"
    else:
        context.qmin, context.qmax = 2, 56
        limits["minrate"] = str(rung.rate)
    context.options = {**options, **limits}
    return context
