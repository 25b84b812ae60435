"""Pictures as a webcam would frame them: real ones cropped, people pasted into other rooms.

Everything happens at the size of the view (about the network's input): whole pictures are cut
first and area-downscaled once, as at run time. A view is drawn from a numpy Generator alone, so
the same seed gives the same picture.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from realtime.errors import ConfigError
from training import augment
from training.pack import Pack, Pixels, Row
from training.recipe import CLASSES, Mix

Floats = NDArray[np.float32]
EMPTIES = ("negative", "background")  # sources of pictures without people
WORN = [CLASSES.index(name) for name in ("top", "outerwear", "lower", "dress", "accessories")]


@dataclass
class View:
    """A training picture: src H x W x 3 RGB, pha H x W, weight H x W (0 = label unknown)."""

    src: Pixels
    pha: Pixels
    weight: Pixels


class Composer:
    """Draws views from a pack; from one without empty pictures, people in their own rooms only."""

    def __init__(self, pack: Pack, mix: Mix):
        self.pack, self.mix = pack, mix
        shares = people(pack, mix)
        self.people = {source: taken(pack.sources[source], mix.soft) for source in shares}
        self.sources = [source for source, rows in self.people.items() if rows]
        if not self.sources:
            raise ConfigError("no soft mattes in the pack", "leave mix.soft out")
        kept = np.array([shares[source] for source in self.sources])
        self.shares = kept / kept.sum()
        self.empties = [s for s in EMPTIES if s in pack.sources]

    def draw(self, size: tuple[int, int], rng: Generator) -> View:
        """One view of size (width, height)."""
        kind = rng.random()
        if kind < self.mix.composite and self.empties:
            return self.composite(size, rng)
        if kind < self.mix.composite + self.mix.negative and self.empties:
            src = self.nobody(size, rng)
            return View(src, np.zeros(src.shape[:2], np.uint8), np.full(src.shape[:2], 1, np.uint8))
        return self.real(size, rng)

    def person(self, rng: Generator) -> Row:
        rows = self.people[self.sources[rng.choice(len(self.sources), p=self.shares)]]
        return rows[rng.integers(len(rows))]

    def real(self, size: tuple[int, int], rng: Generator) -> View:
        """A photo as it is, cut to the view's shape."""
        row = self.person(rng)
        narrow = row.width * size[1] < 0.62 * row.height * size[0]
        if narrow and self.empties and rng.random() < 0.75:
            return self.composite(size, rng)  # only a forehead would be left
        pixels = self.pack.read(row)
        weight = known(row, pixels[:, :, 3])
        cut = window(row, size, rng)
        mirrored = rng.random() < 0.5
        out = fitted(pixels[cut], size, mirrored)
        weight = fitted(weight[cut], size, mirrored, cv2.INTER_NEAREST)
        return View(np.ascontiguousarray(out[:, :, :3]), out[:, :, 3].copy(), weight)

    def composite(self, size: tuple[int, int], rng: Generator) -> View:
        """One person, at times two, in another room, at times under another light."""
        bgr = self.room(size, rng, self.empty(0.1, rng))
        if rng.random() < 0.25:
            bgr = cv2.GaussianBlur(bgr, (0, 0), float(rng.uniform(0.6, 3.5)))
        differ = rng.random() < 0.5
        if differ:
            bgr = augment.relit("light", bgr, rng)
        src = bgr.astype(np.float32)
        pha = np.zeros(src.shape[:2], np.float32)
        for _ in range(2 if rng.random() < 0.1 else 1):
            fgr, alpha = self.placed(size, rng)
            if differ:
                fgr = augment.relit("light", fgr, rng)
            if rng.random() < 0.15:
                fgr = augment.side_light(fgr, rng)
            alpha_ = alpha[:, :, None]
            src = alpha_ * fgr + (1 - alpha_) * src
            pha = alpha + (1 - alpha) * pha
        if rng.random() < 0.1:
            src = augment.back_light(src, pha, rng)
        eight = np.clip(src + 0.5, 0, 255).astype(np.uint8)
        return View(eight, (pha * 255 + 0.5).astype(np.uint8), np.ones(pha.shape, np.uint8))

    def nobody(self, size: tuple[int, int], rng: Generator) -> Pixels:
        """A picture without people: a room, one that looks as if there were somebody, clothes."""
        if rng.random() < self.mix.garments and "parts" in self.pack.sources:
            return self.garment(size, rng)
        return self.room(size, rng, self.empty(self.mix.hard, rng))

    def garment(self, size: tuple[int, int], rng: Generator) -> Pixels:
        """A piece of clothing that nobody wears, lying or hanging, cut from a person."""
        room = self.room(size, rng, self.empty(0.2, rng))
        rows = self.pack.sources["parts"]
        pixels = self.pack.read(rows[rng.integers(len(rows))])
        labels = pixels[:, :, 3]
        areas = np.bincount(labels.ravel(), minlength=256)[WORN]
        if areas.max() < 100:
            return room
        worn = np.uint8(labels == rng.choice(WORN, p=areas / areas.sum())) * 255
        x, y, wide, high = cv2.boundingRect(worn)
        clothes = np.dstack([pixels[:, :, :3], cv2.erode(worn, np.ones((3, 3)))])
        clothes = clothes[y : y + high, x : x + wide]
        clothes = np.rot90(clothes, rng.choice(4, p=(0.7, 0.1, 0.1, 0.1)))
        scale = rng.uniform(0.5, 1.4) * min(size[1] / clothes.shape[0], size[0] / clothes.shape[1])
        middle = np.array(size) * rng.normal(0.5, 0.1, 2)
        left, top = middle - scale * np.array(clothes.shape[1::-1]) / 2
        fgr, alpha = pasted(np.ascontiguousarray(clothes), scale, left, top, size)
        alpha = cv2.GaussianBlur(alpha, (3, 3), 0)[:, :, None]
        return np.asarray(alpha * fgr + (1 - alpha) * room + 0.5, np.uint8)

    def empty(self, hard: float, rng: Generator) -> str:
        """A source of empty pictures: hard ones with this probability, where there are both."""
        source = EMPTIES[0] if rng.random() < hard else EMPTIES[1]
        return source if source in self.empties else self.empties[0]

    def room(self, size: tuple[int, int], rng: Generator, source: str) -> Pixels:
        """A part of an empty picture; now and then a plain wall."""
        if source == "background" and rng.random() < 0.06:
            return augment.wall(size, rng)
        rows = self.pack.sources[source]
        row = rows[rng.integers(len(rows))]
        zoom = rng.uniform(0.45, 1.0)
        width, height = largest((row.width, row.height), size, rng.uniform(0.85, 1.15))
        width, height = int(width * zoom), int(height * zoom)
        left = int(rng.integers(row.width - width + 1))
        top = int(rng.integers(row.height - height + 1))
        cut = self.pack.read(row)[top : top + height, left : left + width]
        return fitted(cut, size, rng.random() < 0.5)

    def placed(self, size: tuple[int, int], rng: Generator) -> tuple[Pixels, Floats]:
        """A person set into an empty view: colours H x W x 3, alpha H x W in 0..1."""
        row = self.person(rng)
        pixels = self.pack.read(row)
        if rng.random() < 0.5:
            pixels, row = mirrored(pixels, row)
        scale, left, top, bottom = placement(row, size, rng)
        pixels = pixels[:bottom]
        if not row.soft:  # hand masks run along the outside of the edge
            pixels = np.dstack([pixels[:, :, :3], cv2.erode(pixels[:, :, 3], np.ones((3, 3)))])
        if rng.random() < 0.15:
            pixels = turned(pixels, rng.uniform(-8, 8))
        fgr, pha = pasted(pixels, scale, left, top, size)
        return foreground(fgr, pha), pha


def people(pack: Pack, mix: Mix) -> dict[str, float]:
    """Share of each source of people; one that the mix does not name counts as the mean of them."""
    named = {source: share for source, share in mix.people if source in pack.sources}
    usual = sum(named.values()) / len(named) if named else 1.0
    others = [s for s in pack.sources if s not in named and s not in (*EMPTIES, "parts")]
    if not (named or others):
        raise ConfigError("no people in the pack", "build it from pictures with masks")
    return named | dict.fromkeys(others, usual)


def taken(rows: list[Row], soft: bool) -> list[Row]:
    """The pictures that people are drawn from: all, or those with soft mattes."""
    return [row for row in rows if row.soft] if soft else rows


def largest(
    inside: tuple[int, int], shape: tuple[int, int], stretch: float = 1.0
) -> tuple[float, float]:
    """The largest (width, height) of an aspect that fits; the aspect may be bent by `stretch`."""
    aspect = shape[0] / shape[1] * stretch
    return min(inside[0], inside[1] * aspect), min(inside[1], inside[0] / aspect)


def fitted(
    image: Pixels, size: tuple[int, int], mirrored: bool, mode: int = cv2.INTER_AREA
) -> Pixels:
    """Resize to (width, height), area-averaging as at run time; the right way round or not."""
    out = cv2.resize(image, size, interpolation=mode)
    return np.asarray(cv2.flip(out, 1) if mirrored else out, np.uint8)


def known(row: Row, pha: Pixels) -> Pixels:
    """1 where the label can be trusted.

    Face data sets leave hands, microphones and some clothes out of their masks: background near
    the person and below the chin is unknown there.
    """
    weight = np.ones(pha.shape, np.uint8)
    if row.source == "celebamask":
        chin, reach = int(row.height * 0.68), int(row.width * 0.12)
        near = cv2.dilate(pha, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 12
        weight[chin:] = ~(near & (pha < 128))[chin:]
    return weight


def window(row: Row, size: tuple[int, int], rng: Generator) -> tuple[slice, slice]:
    """A cut of the view's shape with the person's head in it.

    Whole bodies are cut at the waist or so: webcams show heads and shoulders.
    """
    x0, y0, x1, y1 = row.box
    bottom = row.height
    if y1 - y0 > 1.9 * (x1 - x0) and rng.random() < 0.85:
        bottom = int(y0 + (y1 - y0) * rng.uniform(0.3, 0.6))
    width, height = largest((row.width, bottom), size, rng.uniform(0.87, 1.15))
    zoom = rng.uniform(0.65, 1.0) if rng.random() < 0.6 else 1.0
    width, height = max(16, int(width * zoom)), max(16, int(height * zoom))
    centre = (x0 + x1) / 2 + rng.normal(0, 0.12) * width
    left = int(np.clip(centre - width / 2, 0, row.width - width))
    top = int(np.clip(y0 - rng.uniform(-0.06, 0.25) * height, 0, max(0, bottom - height)))
    return slice(top, top + height), slice(left, left + width)


def placement(row: Row, size: tuple[int, int], rng: Generator) -> tuple[float, float, float, int]:
    """Where a person goes: scale, left and top of their photo in the view, rows of it to keep.

    Where the photo cuts the person off, the view's own border does so too, if it can; but now and
    then a shoulder ends in mid-air, so that the network outlines what is there, not what should be.
    """
    width, height = size
    x0, y0, x1, y1 = row.box
    bottom = row.height
    if y1 - y0 > 1.9 * (x1 - x0) and rng.random() < 0.85:
        bottom = int(y0 + (y1 - y0) * rng.uniform(0.28, 0.6))
    tall = max(8, min(bottom, y1) - y0)
    cut_below, cut_left, cut_right = y1 >= bottom - 2, x0 <= 1, x1 >= row.width - 1
    share = rng.choice(
        [rng.uniform(0.3, 0.55), rng.uniform(0.55, 1.0), rng.uniform(1.0, 1.5)],
        p=[0.06, 0.82, 0.12],
    )
    scale = share * height / tall
    if y0 <= 1 and cut_below:  # cut at head and foot: must fill the height
        scale = max(scale, height / tall)
    if cut_left and cut_right and width > scale * row.width and rng.random() < 0.35:
        scale = min(width / row.width, 1.4 * height / tall)
    centre = rng.uniform(-0.1, 1.1) if rng.random() < 0.12 else rng.normal(0.5, 0.13)
    left = centre * width - scale * (x0 + x1) / 2
    if rng.random() < 0.6:
        left = min(left, 0.0) if cut_left and not cut_right else left
        left = max(left, width - scale * row.width) if cut_right and not cut_left else left
    below = abs(rng.normal(0, 0.06)) if cut_below else rng.normal(-0.02, 0.1)
    top = height * (1 + below) - scale * min(bottom, y1)
    if y0 <= 1:
        top = min(top, 0.0)
    if scale * tall > height:  # too tall for the view: lose the legs, not the head
        top = max(top, height * rng.uniform(-0.06, 0.12) - scale * y0)
    return scale, left, top, bottom


def mirrored(pixels: Pixels, row: Row) -> tuple[Pixels, Row]:
    x0, y0, x1, y1 = row.box
    box = (row.width - x1, y0, row.width - x0, y1)
    return pixels[:, ::-1], Row(**{**row.__dict__, "box": box})


def turned(pixels: Pixels, degrees: float) -> Pixels:
    """Rotated about the middle of the lower edge, with nothing behind."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height), degrees, 1.0)
    return np.asarray(cv2.warpAffine(pixels, matrix, (width, height)), np.uint8)


def pasted(
    pixels: Pixels, scale: float, left: float, top: float, size: tuple[int, int]
) -> tuple[Pixels, Floats]:
    """A photo, scaled, with its corner at (left, top) of an empty view."""
    width, height = size
    fgr, pha = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.float32)
    rows, columns = pixels.shape[:2]
    sx0, sx1 = (int(np.clip((x - left) / scale, 0, columns)) for x in (0, width))
    sy0, sy1 = (int(np.clip((y - top) / scale, 0, rows)) for y in (0, height))
    dx0, dx1 = (int(np.clip(round(x * scale + left), 0, width)) for x in (sx0, sx1))
    dy0, dy1 = (int(np.clip(round(y * scale + top), 0, height)) for y in (sy0, sy1))
    if min(sx1 - sx0, sy1 - sy0, dx1 - dx0, dy1 - dy0) < 2:
        return fgr, pha
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    cut = np.ascontiguousarray(pixels[sy0:sy1, sx0:sx1])
    out = cv2.resize(cut, (dx1 - dx0, dy1 - dy0), interpolation=mode)
    fgr[dy0:dy1, dx0:dx1] = out[:, :, :3]
    pha[dy0:dy1, dx0:dx1] = out[:, :, 3] / np.float32(255)
    return fgr, pha


def foreground(src: Pixels, pha: Floats) -> Pixels:
    """The person's own colours, without the old room in the hair.

    Blur-fusion (Forte 2021, "Approximate Fast Foreground Colour Estimation"), one pass.
    """
    src_, a = src.astype(np.float32), pha[:, :, None]
    inner = cv2.blur(src_ * a, (13, 13)) / (cv2.blur(pha, (13, 13))[:, :, None] + 1e-3)
    outer = cv2.blur(src_ * (1 - a), (13, 13)) / (cv2.blur(1 - pha, (13, 13))[:, :, None] + 1e-3)
    out = inner + a * (src_ - a * inner - (1 - a) * outer)
    return np.clip(out, 0, 255).astype(np.uint8)
