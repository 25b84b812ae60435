"""The person in the new scene, in figures: the light, and the colours at the edge.

**Light.** Six people before their own rooms and eight backdrops, all first exposed and balanced as
a camera does by itself (mean luminance of the whole picture at `EXPOSURE`, grey world), are put
under known lights: linear blue, green and red are multiplied. The person is seen in one of five
lights, the backdrop in its own, and the target is the person in the backdrop's. Distance is that of
the person's mean and spread in CIE Lab, six numbers.

**Edge.** The colours of clips' people, known where they are surely person, are carried outwards
from there; mixed with a room by the exact matte they are what a camera would see, mixed with the
backdrop they are the truth. Error is the distance in CIE Lab in the unknown band. "True colours" is
what would be left of it if despill found every colour and only the matte were wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.page import Target, table
from realtime import pixels
from realtime.build import make_pipeline
from realtime.config import Config
from realtime.frame import Bytes, Frame
from realtime.matting.engine import MattingModel
from realtime.scene.composite import over
from realtime.scene.edges import Edges
from realtime.scene.light import GAMMA, LAMPS, LUMINANCE
from realtime.scene.lighting import SceneLight
from realtime.stats import Stats

PEOPLE, BACKDROPS, SHOWN = 6, 8, (320, 240)
EXPOSURE = 0.22
FRAME_AT = 20
"""Which frame of a clip is taken."""

HERE = {"as it is": (0, 0), "dark": (-1.5, 0), "bright": (1, 0), "lamp": (0, 1), "sky": (0, -0.7)}
THERE = [(0, 0), (-1, 1), (0.7, 0), (0, -0.7), (-1.5, -0.5), (0.5, 0.6), (-0.7, 0), (0, 0.8)]
"""Lights as (stops, warmth as `realtime.scene.light` counts it)."""

ROUNDING = 0.5
"""Distance in Lab that bytes of I420 make by themselves."""

STRENGTHS = (0.5, 1.0)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    """One person in one light before one backdrop: the distance without and with the match."""

    light: str
    before: float
    after: float


def measure(data: Path, model: MattingModel) -> tuple[list[Target], list[str]]:
    """Return the targets of light in the scene and of the edge, and the texts below them."""
    gentle, whole = (list(matched(data, strength)) for strength in STRENGTHS)
    before, after = averages(whole)
    rise = max(case.after - case.before for case in [*gentle, *whole])
    what = f"scene light: Lab distance, {len(whole)} cases"
    found = [
        Target(what, before, after, round(0.4 * before, 2)),
        Target("scene light: worst rise of a case", None, rise, ROUNDING),
    ]
    edges = {"exact matte": edge_errors(data, model, True)}
    edges["the network's matte"] = edge_errors(data, model, False)
    for name, (before, after, _) in edges.items():
        what = f"edge: Lab error in the unknown band, {name}"
        found.append(Target(what, before, after, round(0.65 * before, 2)))
    told = [
        (__doc__ or "").partition("\n\n")[2].strip(),
        by_matte(edges),
        "Distance without, and at the strengths 0.5 (default) and 1:",
        by_light(gentle, whole),
    ]
    return found, told


def averages(cases: Iterable[Case]) -> tuple[float, float]:
    """Return the mean distance without and with the match."""
    pairs = [(case.before, case.after) for case in cases]
    before, after = np.mean(pairs, axis=0)
    return float(before), float(after)


def by_light(gentle: list[Case], whole: list[Case]) -> str:
    """Return the distances by the light that the person is seen in."""
    lines = []
    for light in HERE:
        some, all_ = (averages(c for c in of if c.light == light) for of in (gentle, whole))
        lines.append((light, f"{all_[0]:.2f}", f"{some[1]:.2f}", f"{all_[1]:.2f}"))
    return table(("the person's light", "without", "0.5", "1"), lines)


def by_matte(edges: dict[str, tuple[float, ...]]) -> str:
    """Return the errors at the edge by the matte that it is composited with."""
    lines = [(name, *(f"{error:.2f}" for error in errors)) for name, errors in edges.items()]
    return table(("edge", "no despill", "despill", "true colours"), lines)


def matched(data: Path, strength: float) -> Iterator[Case]:
    """Yield the cases of light."""
    rooms = [exposed(room) for room in pictures(data / "backgrounds", BACKDROPS, SHOWN)]
    for bgr, alpha in people(data / "sequences", PEOPLE):
        sure = alpha >= 250
        for room, there in zip(rooms, THERE, strict=True):
            backdrop = pixels.from_bgr(lit(room, *there))
            target = spread(lit(bgr, *there), sure)
            for name, here in HERE.items():
                frame = pixels.from_bgr(lit(bgr, *here))
                light = SceneLight(strength, True, lambda numbers: None)
                seen = [frame, light.match(frame, backdrop, alpha)]
                gaps = [spread(pixels.to_bgr(at), sure) - target for at in seen]
                yield Case(name, *(float(np.linalg.norm(gap)) for gap in gaps))


def people(folder: Path, count: int) -> Iterator[tuple[Bytes, Bytes]]:
    """Yield a frame, exposed, and its matte of clips chosen evenly by name."""
    clips = sorted(path for path in folder.glob("*.mp4"))
    for path in clips[:: len(clips) // count][:count]:
        alpha = fitted(frames(path.with_suffix(".alpha.mkv"), FRAME_AT)[..., 0], SHOWN)
        yield exposed(fitted(frames(path, FRAME_AT), SHOWN)), alpha


def frames(path: Path, number: int) -> Bytes:
    """Return one frame of a clip, BGR."""
    capture = cv2.VideoCapture(str(path))
    for _ in range(number):
        capture.grab()
    return capture.read()[1]


def pictures(folder: Path, count: int, size: tuple[int, int]) -> list[Bytes]:
    """Return pictures of a folder, chosen evenly by name, at a size."""
    paths = sorted(folder.glob("*.jpg"))
    return [fitted(cv2.imread(str(p)), size) for p in paths[:: len(paths) // count][:count]]


def fitted(picture: Bytes, size: tuple[int, int]) -> Bytes:
    """Return the middle of a picture at a size."""
    (rows, columns), (width, height) = picture.shape[:2], size
    scale = max(width / columns, height / rows)
    full = round(columns * scale), round(rows * scale)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    large = cv2.resize(picture, full, interpolation=how)
    left, top = (full[0] - width) // 2, (full[1] - height) // 2
    return np.ascontiguousarray(large[top : top + height, left : left + width])


def exposed(bgr: Bytes) -> Bytes:
    """Return a picture as a camera's automatic exposure and white balance would take it."""
    linear = (bgr / 255.0) ** GAMMA
    grey = linear.mean(axis=(0, 1))
    linear *= grey.mean() / grey
    linear *= EXPOSURE / (linear @ LUMINANCE[0]).mean()
    return np.rint(255 * np.minimum(linear, 1) ** (1 / GAMMA)).astype(np.uint8)


def lit(bgr: Bytes, level: float, warmth: float) -> Bytes:
    """Return a picture under another light; grey keeps its luminance when only warmth changes."""
    gains = 2 ** (warmth * np.array([LAMPS[1], 0, LAMPS[0]]))
    gains *= 2**level / (LUMINANCE[0] @ gains)
    linear = np.minimum((bgr / 255.0) ** GAMMA * gains, 1)
    return np.rint(255 * linear ** (1 / GAMMA)).astype(np.uint8)


def spread(bgr: Bytes, where: NDArray[np.bool_]) -> Floats:
    """Return mean and standard deviation of L, a and b of some pixels."""
    seen = lab(bgr)[where]
    return np.concatenate([seen.mean(axis=0), seen.std(axis=0)])


def lab(bgr: NDArray[Any]) -> Floats:
    """Return a picture of 0..255 in CIE Lab."""
    return cv2.cvtColor(bgr.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)


def edge_errors(data: Path, model: MattingModel, exact: bool) -> tuple[float, ...]:
    """Return the mean error of the band without despill, with it, and with the true colours; all
    without light wrap."""
    errors = []
    line = make_pipeline(Config(), model, Stats(), live=False)
    clips = sorted(p for p in (data / "clips").glob("*.mp4") if p.name.count(".") == 1)
    scenes = pictures(data / "backgrounds", 2 * len(clips), (640, 360))
    for number, path in enumerate(clips):
        alpha = frames(path.with_suffix(".alpha.mkv"), FRAME_AT)[..., 0]
        colours = carried(frames(path, FRAME_AT), alpha)
        seen, truth = (mixed(colours, alpha, at) for at in scenes[2 * number : 2 * number + 2])
        backdrop = pixels.from_bgr(scenes[2 * number + 1])
        line.reset()
        cover = alpha if exact else line.matte(seen).alpha
        cleaned = Edges(1.0, 0.0).clean(seen, backdrop, cover)
        shown = [over(at, backdrop, cover) for at in (seen, cleaned)]
        shown.append(mixed(colours, cover, scenes[2 * number + 1]))
        band = (alpha > 5) & (alpha < 250)
        right = lab(pixels.to_bgr(truth))[band]
        outs = [lab(pixels.to_bgr(out))[band] for out in shown]
        errors.append([float(np.linalg.norm(out - right, axis=1).mean()) for out in outs])
    return tuple(float(error) for error in np.mean(errors, axis=0))


def carried(bgr: Bytes, alpha: Bytes) -> Floats:
    """Return a person's colours everywhere: where unsure, those of the nearest sure pixel."""
    sure = cv2.erode(cv2.inRange(alpha, 250, 255), np.ones((3, 3), np.uint8))
    unsure = cv2.bitwise_not(sure)
    how = cv2.DIST_LABEL_PIXEL
    _, labels = cv2.distanceTransformWithLabels(unsure, cv2.DIST_L2, 5, labelType=how)
    table = np.zeros((labels.max() + 1, 3), np.uint8)
    table[labels[sure > 0]] = bgr[sure > 0]
    around = cv2.blur(table[labels], (5, 5))
    return np.where(sure[..., None] > 0, bgr, around).astype(np.float32)


def mixed(colours: Floats, alpha: Bytes, behind: Bytes) -> Frame:
    """Return the person over what is behind, exactly."""
    share = alpha[..., None].astype(np.float32) / 255
    return pixels.from_bgr(np.rint(share * colours + (1 - share) * behind).astype(np.uint8))
