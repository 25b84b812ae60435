"""Light in time, cuts and gaps: what is light, what is motion, and what is another scene."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime import pixels
from realtime.build import load_model, make_pipeline
from realtime.config import Config
from realtime.contract import Size
from realtime.errors import FrameError
from realtime.frame import Alpha, Bytes, Frame
from realtime.matting.change import Look, Watch
from realtime.matting.gain import gain_between
from realtime.matting.session import MattingSession
from realtime.pipeline import Pipeline
from realtime.sources.pattern import PatternSource
from realtime.stats import Stats

SIZE: Size = (256, 144)
FRAME_S = 1 / 30
WARM_LAMP = np.array([1.25, 1.35, 1.45])


def drawn(frames: int) -> list[Bytes]:
    """A drawn person waving, at a network's size, with a camera's noise."""
    source = PatternSource((640, 360), frames=frames, realtime=False)
    random = np.random.default_rng(5)
    shown = [pixels.thumbnail(source.read(), SIZE) for _ in range(frames)]
    return [np.clip(p + random.normal(0, 2, p.shape), 0, 255).astype(np.uint8) for p in shown]


def lit(bgr: Bytes, gain: object) -> Bytes:
    return np.clip(bgr * np.asarray(gain) + 0.5, 0, 255).astype(np.uint8)


def looks(watch: Watch, pictures: list[Bytes]) -> list[Look]:
    return [watch.look(picture, n * FRAME_S) for n, picture in enumerate(pictures)]


@pytest.mark.parametrize("gain", [(1.4, 1.4, 1.4), (0.6, 0.6, 0.6), (0.72, 0.97, 1.18)])
def test_the_gain_of_the_light_is_found_though_a_person_moves(gain: tuple[float, ...]) -> None:
    before, after = drawn(12)[::11]
    found = gain_between(before, lit(after, gain))
    assert found is not None
    np.testing.assert_allclose(found[:, 0], gain, rtol=0.01)


def test_a_person_who_fills_half_of_the_picture_is_outvoted() -> None:
    before = lit(drawn(1)[0], 0.7)
    after = lit(before, 1.2)
    after[:, :120] = np.random.default_rng(6).integers(40, 200, (144, 120, 3))
    found = gain_between(before, after)
    assert found is not None
    np.testing.assert_allclose(found, 1.2, rtol=0.02)


@pytest.mark.parametrize("level", [0, 255])
def test_a_clipped_picture_tells_nothing_of_the_light(level: int) -> None:
    flat = np.full((144, 256, 3), level, np.uint8)
    assert gain_between(flat, flat) is None
    assert gain_between(drawn(1)[0], flat) is None


def test_a_steady_light_is_left_alone() -> None:
    assert all(look.gain is None for look in looks(Watch(), drawn(8)))


@pytest.mark.parametrize("gain", [WARM_LAMP, 1 / WARM_LAMP, 1.1, 0.9])
def test_a_new_light_is_no_motion_and_no_new_scene(gain: object) -> None:
    """Even where a lamp clips the picture, or where one that did goes out."""
    first, second = drawn(2)
    plain = looks(Watch(), [first, second])[1]
    calm = looks(Watch(), [first, lit(second, gain)])[1]
    blind = looks(Watch(light=False), [first, lit(second, gain)])[1]
    assert calm.before is not None
    assert (calm.still > 0).mean() > (plain.still > 0).mean() - 0.03
    assert (blind.still > 0).mean() < 0.5


def test_what_moves_is_told_from_what_is_still() -> None:
    picture = np.full((144, 256, 3), 90, np.uint8)
    moved = picture.copy()
    moved[60:80, 100:130] = 160
    same, other = looks(Watch(), [picture, picture, moved])[1:]
    assert same.nothing_moved and not other.nothing_moved
    assert not other.still[64:76, 104:126].any() and other.still[:50].all()


@pytest.mark.parametrize(("first_at", "then_at"), [(0.0, 0.6), (5.0, 1.0)])
def test_a_gap_and_a_clock_going_back_begin_a_scene(first_at: float, then_at: float) -> None:
    watch, picture = Watch(), drawn(1)[0]
    assert watch.look(picture, first_at).before is None
    assert watch.look(picture, then_at).before is None
    assert watch.look(picture, then_at + FRAME_S).before is picture


def test_another_size_and_a_cut_begin_a_scene() -> None:
    watch, picture = Watch(), drawn(1)[0]
    watch.look(picture, 0.0)
    narrow = picture[:, :200].copy()
    assert watch.look(narrow, FRAME_S).before is None
    assert watch.look(255 - narrow, 2 * FRAME_S).before is None


class Counted:
    """A session that counts what is asked of it."""

    def __init__(self, session: MattingSession) -> None:
        self._session = session
        self.looks = self.resets = 0
        self.last: Bytes | None = None
        self.fails = False

    def size_for(self, width: int, height: int) -> Size:
        return self._session.size_for(width, height)

    def infer(self, bgr: Bytes) -> Alpha:
        self.looks += 1
        self.last = bgr
        if self.fails:
            raise FrameError("broken")
        return self._session.infer(bgr)

    def reset(self) -> None:
        self.resets += 1
        self._session.reset()


def line(toy_ir: Path, **tables: dict[str, object]) -> tuple[Pipeline, Counted, Stats]:
    """A whole pipeline with the toy network, whose session is counted; it looks at every frame."""
    matting = {"model": str(toy_ir), "every": 1} | tables.pop("matting", {})
    config = Config().with_values({"matting": matting})
    config = config.with_values({"scene": {"backdrop": "#0000ff"}} | tables)
    model, stats = load_model(config.matting), Stats()
    pipeline = make_pipeline(config, model, stats, live=False)
    counted = Counted(model.session())
    pipeline._session = counted
    return pipeline, counted, stats


def frame(bgr: Bytes, number: int) -> Frame:
    return pixels.from_bgr(bgr, number, number * FRAME_S)


def flat(number: int = 0) -> Bytes:
    source = PatternSource((128, 72), frames=number + 1, realtime=False, flat=True)
    return [pixels.to_bgr(source.read()) for _ in range(number + 1)][-1]


@pytest.mark.parametrize("method", ["flow", "gated", "off"])
def test_a_static_scene_gives_a_static_matte_and_a_flicker_of_nothing(
    toy_ir: Path, method: str
) -> None:
    pipeline, _, stats = line(toy_ir, temporal={"method": method})
    mattes = [pipeline.matte(frame(flat(), n)) for n in range(4)]
    assert all((matte.alpha == mattes[0].alpha).all() for matte in mattes)
    assert stats.snapshot()["figures"] == {"flicker": 0.0}


def test_the_live_figure_counts_flicker_and_no_motion(toy_ir: Path) -> None:
    """Red of the room alone decides; it trembles too little to be motion, and the matte with it."""
    doubtful = {"method": "off", "certain": 0.0}  # its matte is nowhere certain
    pipeline, _, stats = line(toy_ir, temporal=doubtful, light={"time": False})
    bars = np.full((72, 128, 3), (0, 0, 200), np.uint8)
    bars[:, np.arange(128) % 16 < 8] = (90, 130, 90)  # with room between them, or they were filled
    for n in range(6):
        pipeline.matte(frame(bars + np.uint8(3 * (n % 2)) * np.array([0, 1, 0], np.uint8), n))
    assert 2 < stats.snapshot()["figures"]["flicker"] < 25


@pytest.mark.parametrize("method", ["flow", "gated", "off"])
def test_the_network_looks_less_often_while_nothing_moves(toy_ir: Path, method: str) -> None:
    pipeline, counted, _ = line(toy_ir, matting={"every": 3}, temporal={"method": method})
    mattes = [pipeline.matte(frame(flat(), n)) for n in range(7)]
    assert counted.looks == 3
    assert [matte.number for matte in mattes] == list(range(7))


def disc(x: int) -> Bytes:
    """A green person of a kind before a red room, both with something to see in them."""
    spots = np.random.default_rng(4).integers(0, 40, (9, 16, 3), np.uint8)
    picture = cv2.resize(spots, (256, 144), interpolation=cv2.INTER_CUBIC) + np.uint8([0, 0, 150])
    body = cv2.circle(np.zeros((144, 256), np.uint8), (x, 72), 40, 255, -1)
    striped = np.roll(np.indices((144, 256)).sum(0) % 16 * 4, x, 1).astype(np.uint8)
    picture[body > 0] = np.dstack([striped, striped + 170, striped])[body > 0]
    return picture


def test_between_two_looks_the_matte_follows_what_moves(toy_ir: Path) -> None:
    (rare, counted, _), (each, _, _) = line(toy_ir, matting={"every": 2}), line(toy_ir)
    for n in range(8):
        found, true = (one.matte(frame(disc(100 + 2 * n), n)).alpha for one in (rare, each))
        assert np.abs(found.astype(int) - true).mean() < 1
    assert counted.looks == 4


def test_what_has_come_into_sight_is_looked_at_at_once(toy_ir: Path) -> None:
    pipeline, counted, _ = line(toy_ir, matting={"every": 4})
    pipeline.matte(frame(disc(60), 0))
    entered = disc(60)
    entered[40:100, 180:210] = (0, 220, 0)
    alpha = pipeline.matte(frame(entered, 1)).alpha
    assert counted.looks == 2 and (alpha[50:90, 185:205] == 255).all()


def test_the_network_sees_the_picture_as_it_is_and_forgets_at_a_cut(toy_ir: Path) -> None:
    pipeline, counted, _ = line(toy_ir)
    first, second = drawn(2)
    pipeline.matte(frame(first, 0))
    bright = frame(lit(second, WARM_LAMP), 1)
    pipeline.matte(bright)
    assert counted.last is not None and counted.resets == 1
    assert (counted.last == pixels.thumbnail(bright, counted.size_for(*SIZE))).all()
    pipeline.matte(frame(255 - second, 2))
    assert counted.resets == 2


@pytest.mark.parametrize("method", ["flow", "gated"])
def test_pictures_of_one_colour_and_of_noise_break_nothing(toy_ir: Path, method: str) -> None:
    pipeline, _, _ = line(toy_ir, temporal={"method": method})
    random = np.random.default_rng(7)
    pictures = [np.full((72, 128, 3), level, np.uint8) for level in (0, 255, 128, 0)]
    pictures += [random.integers(0, 256, (72, 128, 3), np.uint8) for _ in range(3)]
    for n, picture in enumerate([*pictures, flat(), *pictures]):
        shown = frame(picture, n)
        matte = pipeline.matte(shown)
        assert matte.alpha.shape == (72, 128) and matte.number == n
        pipeline.finish(shown, matte)


@pytest.mark.parametrize("method", ["flow", "gated"])
def test_after_a_frame_without_a_matte_the_next_is_taken_as_it_is(
    toy_ir: Path, method: str
) -> None:
    """The hand moved meanwhile, and what was seen of it belongs to no matte."""
    used, counted, _ = line(toy_ir, temporal={"method": method, "strength": 0.98})
    fresh, *_ = line(toy_ir)
    used.matte(frame(flat(0), 0))
    counted.fails = True
    with pytest.raises(FrameError, match="broken"):
        used.matte(frame(flat(6), 1))
    counted.fails = False
    found = used.matte(frame(flat(7), 2)).alpha
    assert (found == fresh.matte(frame(flat(7), 2)).alpha).all()


def test_a_pipeline_that_follows_another_begins_no_scene(toy_ir: Path) -> None:
    (before, counted, _), (after, _, _) = line(toy_ir), line(toy_ir)
    before.matte(frame(flat(0), 0))
    after.follow(before, matte=True, light=True)
    after.matte(frame(flat(1), 1))
    assert (counted.looks, counted.resets) == (2, 1)


def test_only_a_cut_makes_light_and_framing_begin_anew(toy_ir: Path) -> None:
    """A gap, another network or its other size make a new matte, and no step of the light."""
    before, counted, _ = line(toy_ir, scene={"framing": True})
    after, fresh, _ = line(toy_ir, scene={"framing": True})
    begun: list[str] = []
    assert before._framing
    before._light.reset = lambda: begun.append("light")  # type: ignore[method-assign]
    before._framing.reset = lambda: begun.append("framing")  # type: ignore[method-assign]
    before.matte(frame(flat(0), 0))
    before.matte(frame(flat(1), 31))
    assert counted.resets == 2 and not begun
    after.follow(before, matte=False, light=True)
    after.matte(frame(flat(2), 32))
    assert fresh.resets == 1 and not begun
    after.matte(frame(255 - flat(3), 33))
    assert fresh.resets == 2 and begun == ["light", "framing"]


def test_reset_means_reset(toy_ir: Path) -> None:
    used, fresh = (line(toy_ir)[0] for _ in range(2))
    for n in range(5):
        used.matte(frame(flat(n), n))
    used.reset()
    for n in range(5, 9):
        assert (used.matte(frame(flat(n), n)).alpha == fresh.matte(frame(flat(n), n)).alpha).all()
