"""What a card promises and the graph does not keep is told, each by its name."""

from __future__ import annotations

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op

from realtime.contract import ALPHA, CLASSES, IMAGE
from realtime.errors import ModelContract
from tests.toy import SIZE, toy_card

WIDTH, HEIGHT = SIZE
TYPES = {"u8": ov.Type.u8, "f32": ov.Type.f32}


def graph(
    *, image: str = "u8", alpha: str = "f32", classes: str = "", rank: int = 3, more: bool = False
) -> ov.Model:
    """A picture's green as its alpha, in these types; with `more` a second input."""
    pictures = [op.parameter([1, HEIGHT, WIDTH, 3], TYPES[image], name=IMAGE)]
    pictures[0].output(0).set_names({IMAGE})
    green = op.gather(pictures[0], op.constant(np.array([1])), op.constant(3))
    if more:
        pictures.append(op.parameter([1], ov.Type.f32, name="more"))
    given = [op.convert(op.transpose(green, op.constant(np.array([0, 3, 1, 2]))), alpha)]
    given[0].output(0).set_names({ALPHA})
    if classes:
        shape = op.constant(np.array([1, HEIGHT, WIDTH, 1][:rank]))
        given.append(op.convert(op.reshape(green, shape, False), classes))
        given[1].output(0).set_names({CLASSES})
    return ov.Model(given, pictures, "graph")


def test_what_is_kept_is_no_complaint() -> None:
    toy_card().hold(graph(), "it")
    toy_card(classes=("background", "person")).hold(graph(classes="u8"), "it")


@pytest.mark.parametrize(
    ("built", "promised", "said"),
    [
        ({}, {"memory": (("r1i", "r1o"),)}, "no input 'r1i'"),
        ({}, {"classes": ("background", "person")}, "no output 'classes'"),
        ({"more": True}, {}, "2 inputs where 1 are named"),
        ({"image": "f32"}, {}, "input 'image' is f32, not u8"),
        ({}, {"sizes": (SIZE, (32, 32))}, "does not take 32x32"),
        ({"alpha": "f16"}, {}, "output 'alpha' is f16, not f32"),
        ({"classes": "f32"}, {"classes": ("a", "b")}, "output 'classes' is f32, not u8"),
        ({"classes": "u8", "rank": 4}, {"classes": ("a", "b")}, r"is not \(1, 36, 64\)"),
    ],
)
def test_a_promise_that_is_not_kept_is_named(
    built: dict[str, object], promised: dict[str, object], said: str
) -> None:
    with pytest.raises(ModelContract, match=f"the card of it contradicts its graph: .*{said}"):
        toy_card(**promised).hold(graph(**built), "it")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scale", "taken"),
    [(0.75, (0, 1, 2)), (1, (0, 1, 2)), (1.2, (3, 4)), (1.5, (3, 4)), (2, (3, 4))],
)
def test_of_several_areas_the_nearest_is_taken_in_every_shape(
    scale: float, taken: tuple[int, ...]
) -> None:
    sizes = ((256, 144), (192, 192), (160, 224), (384, 224), (224, 320))
    assert toy_card(sizes=sizes).sizes_at(scale) == tuple(sizes[i] for i in taken)
    assert toy_card(sizes=sizes[:1]).sizes_at(scale) == sizes[:1]
