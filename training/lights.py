"""Light that changes within a clip, and what a codec leaves of it."""

from collections.abc import Callable

import av
import cv2
import numpy as np
from numpy.random import Generator

from training.compose import View
from training.pack import Pixels
from training.placement import Floats

Gains = Floats  # frames x 3: what each colour of each frame is multiplied by


def changed(clip: list[View], rng: Generator) -> list[View]:
    """More than half of the clips under an event of light; it reaches person and room unevenly."""
    if rng.random() < 0.4:
        return clip
    event = EVENTS[int(rng.integers(len(EVENTS)))]
    gains = event(len(clip), rng)
    uneven = rng.uniform(0.5, 1.2, 2) if rng.random() < 0.5 else np.ones(2)
    shade = slope(clip[0].pha.shape, rng) if rng.random() < 0.4 else None
    return [lit(view, gain, uneven, shade) for view, gain in zip(clip, gains, strict=True)]


def lit(view: View, gain: Floats, uneven: Floats, shade: Floats | None) -> View:
    """A view under a gain, raised to one power on the person and to another in the room."""
    person, room = (np.float32(gain**power) for power in uneven)
    src = view.src.astype(np.float32)
    if uneven[0] == uneven[1]:
        scale = np.broadcast_to(person, src.shape)
    else:
        scale = room + (view.pha / np.float32(255))[:, :, None] * (person - room)
    if shade is not None:  # the lamp stands at one side
        scale = 1 + (scale - 1) * shade[:, :, None]
    src = np.clip(src * scale, 0, 255).astype(np.uint8)
    return View(src, view.pha, view.weight)


def lamp(frames: int, rng: Generator) -> Gains:
    """A lamp goes on or off, at once or over some frames; exposure takes part of it back."""
    jump = np.exp(rng.choice([-1, 1]) * rng.uniform(0.2, 1.0))
    start, ramp = rng.integers(1, max(2, frames)), rng.uniform(0.5, 4.0)
    since = np.arange(frames) - start
    on = np.clip((since + 1) / ramp, 0, 1)
    back = rng.uniform(0, 0.8) * (1 - np.exp(-np.maximum(since, 0) / rng.uniform(2, 8)))
    gain = 1 + (jump - 1) * on * (1 - back)
    return gain[:, None] * tint(rng, 0.06) ** on[:, None]


def warm(frames: int, rng: Generator) -> Gains:
    """The colour of the light drifts: the sun, a screen, the camera's white balance."""
    start = rng.integers(0, max(1, frames - 1))
    share = np.clip((np.arange(frames) - start) / rng.uniform(1, frames), 0, 1)
    return tint(rng, 0.25) ** share[:, None]


def mains(frames: int, rng: Generator) -> Gains:
    """Lamps on alternating current, sampled by the camera."""
    beat, phase, depth = rng.uniform(0.3, 3.1), rng.uniform(0, 6.3), rng.uniform(0.02, 0.18)
    wave = 1 + depth * np.sin(beat * np.arange(frames) + phase)
    return wave[:, None] * np.ones(3)


def exposure(frames: int, rng: Generator) -> Gains:
    """Exposure and white balance hunt slowly."""
    way = np.cumsum(rng.normal(0, 0.05, (frames, 1)) + rng.normal(0, 0.012, (frames, 3)), 0)
    return np.exp(way - way[0])


EVENTS: tuple[Callable[[int, Generator], Gains], ...] = (lamp, warm, mains, exposure)


def tint(rng: Generator, spread: float) -> Floats:
    """Gains of red, green and blue, warmer or cooler."""
    shift = rng.uniform(-spread, spread)
    return np.exp(np.array([shift, rng.normal(0, spread / 6), -shift]))


def slope(shape: tuple[int, ...], rng: Generator) -> Floats:
    """A light's reach over the picture, 0..1.4, strongest at one side."""
    corners = rng.uniform(0, 1.4, (2, 2)).astype(np.float32)
    return np.asarray(cv2.resize(corners, shape[::-1], interpolation=cv2.INTER_LINEAR))


def coded(frames: list[Pixels], crf: int) -> list[Pixels]:
    """RGB frames through H.264 at a constant rate factor (51 is the worst)."""
    height, width = frames[0].shape[:2]
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate, encoder.options = (
        30,
        {
            "crf": str(crf),
            "preset": "ultrafast",
            "tune": "zerolatency",
        },
    )
    packets = [
        packet
        for frame in (*frames, None)
        for packet in encoder.encode(
            av.VideoFrame.from_ndarray(frame) if frame is not None else None
        )
    ]
    decoder = av.CodecContext.create("h264", "r")
    shown = [frame for packet in (*packets, None) for frame in decoder.decode(packet)]
    return [frame.to_ndarray(format="rgb24") for frame in shown]
