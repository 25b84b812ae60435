"""Pictures as a webcam would frame them: real ones cropped, people pasted into other rooms.

Everything happens at the size of the view (about the network's input): whole pictures are cut
first and area-downscaled once, as at run time. A view is drawn from a numpy Generator alone, so
the same seed gives the same picture.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from realtime.errors import ConfigError
from training import augment, optics
from training.pack import Pack, Pixels, Row
from training.placement import Floats, fitted, largest, mirrored, pasted, placement, turned, window
from training.recipe import CLASSES, Mix

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
        room = self.room(size, rng, self.empty(0.1, rng))
        if rng.random() < 0.25:
            room = cv2.GaussianBlur(room, (0, 0), float(rng.uniform(0.6, 3.5)))
        differ = rng.random() < 0.5
        if differ:
            room = augment.relit("light", room, rng)
        src = room.astype(np.float32)
        pha = np.zeros(src.shape[:2], np.float32)
        for _ in range(2 if rng.random() < 0.1 else 1):
            fgr, alpha = self.placed(size, rng)
            if differ:
                fgr = augment.relit("light", fgr, rng)
            if rng.random() < 0.15:
                fgr = optics.side_light(fgr, rng)
            alpha_ = alpha[:, :, None]
            src = alpha_ * fgr + (1 - alpha_) * src
            pha = alpha + (1 - alpha) * pha
        if rng.random() < 0.1:
            src = optics.back_light(src, pha, rng)
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
            return wall(size, rng)
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


def foreground(src: Pixels, pha: Floats) -> Pixels:
    """The person's own colours, without the old room in the hair.

    Blur-fusion (Forte 2021, "Approximate Fast Foreground Colour Estimation"), one pass.
    """
    src_, a = src.astype(np.float32), pha[:, :, None]
    inner = cv2.blur(src_ * a, (13, 13)) / (cv2.blur(pha, (13, 13))[:, :, None] + 1e-3)
    outer = cv2.blur(src_ * (1 - a), (13, 13)) / (cv2.blur(1 - pha, (13, 13))[:, :, None] + 1e-3)
    out = inner + a * (src_ - a * inner - (1 - a) * outer)
    return np.clip(out, 0, 255).astype(np.uint8)


def wall(size: tuple[int, int], rng: Generator) -> Pixels:
    """A plain wall: one colour with a soft ramp."""
    width, height = size
    corners = rng.uniform(20, 245, 3) + rng.normal(0, 18, (2, 2, 1)) + rng.normal(0, 4, (2, 2, 3))
    ramp = cv2.resize(corners.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(ramp, 0, 255).astype(np.uint8)
