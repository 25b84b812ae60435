"""Who watches a broadcast: joined, written to, and its packets decoded as a browser would."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import av
from aiortc.codecs.h264 import h264_depayload
from aiortc.codecs.vpx import vp8_depayload
from aiortc.mediastreams import MediaStreamError

from realtime import pixels
from realtime.address import Codec
from realtime.frame import Frame
from realtime.web.broadcast import Broadcast
from realtime.web.encoder import Encoded
from realtime.web.viewer import Viewer
from tests.web.serving import GREEN

SIZE = (320, 180)
CODECS: tuple[Codec, ...] = ("H264", "VP8")


async def write(line: Broadcast, *frames: Frame) -> None:
    """Deliver as the line's thread would, and let the loop hand out."""
    for frame in frames:
        await asyncio.to_thread(line.write, frame)
        await asyncio.sleep(0)


async def joined(line: Broadcast, codec: Codec = "H264") -> tuple[Viewer, list[Encoded]]:
    """Return a viewer, and the list that fills with what it is sent."""
    viewer, seen = line.viewer(codec), []

    async def watch() -> None:
        while True:
            try:
                seen.append(await viewer.recv())
            except MediaStreamError:
                return

    viewer.watching = asyncio.create_task(watch())  # type: ignore[attr-defined]
    await asyncio.sleep(0)
    return viewer, seen


def green() -> Frame:
    return pixels.colour(SIZE, GREEN)


def decoded(codec: Codec, pictures: list[Encoded]) -> list[av.VideoFrame]:
    """Decode as a browser would: from the payloads, in order, all of them."""
    decoder = av.CodecContext.create("h264" if codec == "H264" else "libvpx", "r")
    depayload: Callable[[bytes], bytes] = h264_depayload if codec == "H264" else vp8_depayload
    found = []
    for picture in pictures:
        data = b"".join(map(depayload, picture.payloads))
        found += [frame for frame in decoder.decode(av.Packet(data)) if frame]
    return found + list(decoder.decode(None))
