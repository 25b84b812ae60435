"""A network that looks at a picture and at its mirror image."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from realtime.frame import Alpha, Bytes
from realtime.matting.engine import MattingModel
from realtime.matting.mirrored import BothWays, InTurn
from tests.toy import SIZE

WIDTH, HEIGHT = SIZE


class OneSided:
    """A network with a memory that takes more for person the further right it lies."""

    def __init__(self) -> None:
        self.seen = 0

    def size_for(self, width: int, height: int) -> tuple[int, int]:
        return SIZE

    def reset(self) -> None:
        self.seen = 0

    def infer(self, bgr: Bytes) -> Alpha:
        self.seen += 1
        ramp = np.linspace(0, 1, WIDTH, dtype=np.float32)
        return np.tile(ramp, (HEIGHT, 1)) * (bgr[:, :, 1] > 0)


class Streams(list[OneSided]):
    """Streams that were begun."""

    def begin(self) -> OneSided:
        self.append(OneSided())
        return self[-1]


def person() -> Bytes:
    """A picture with somebody on the left."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:, :20, 1] = 255
    return picture


def test_what_is_wrong_on_one_side_is_halved() -> None:
    streams, picture = Streams(), person()
    session = BothWays(streams.begin)  # type: ignore[arg-type]
    alpha = session.infer(picture)
    assert np.allclose(alpha[:, :20], 0.5, atol=1e-6)
    assert not alpha[:, 20:].any()
    assert [stream.seen for stream in streams] == [1, 1]
    session.reset()
    assert [stream.seen for stream in streams] == [0, 0]


def test_in_turn_each_way_sees_every_second_picture() -> None:
    streams, picture = Streams(), person()
    session = InTurn(streams.begin)  # type: ignore[arg-type]
    straight, mirrored, again = (session.infer(picture) for _ in range(3))
    assert np.allclose((straight + mirrored)[:, :20], 1, atol=1e-6)
    assert not mirrored[:, 20:].any() and (again == straight).all()
    assert [stream.seen for stream in streams] == [2, 1]
    session.reset()
    assert [stream.seen for stream in streams] == [0, 0]
    assert (session.infer(picture) == straight).all()


def test_a_network_that_sees_both_sides_alike_says_the_same(toy_ir: Path) -> None:
    model = MattingModel(toy_ir)
    picture = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    both, once = BothWays(model.session).infer(picture), model.session().infer(picture)
    assert np.allclose(both, once, atol=1e-6)
