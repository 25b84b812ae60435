"""Step 2: reading, sizes, memory and bad outputs, with real toy graphs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op

from realtime.contract import ALPHA, IMAGE, Size
from realtime.errors import FrameError, ModelContract, ModelError, ModelNotFound
from realtime.matting.engine import MattingModel
from tests.graphs import HEIGHT, WIDTH, first_channel, picture, save_graph
from tests.toy import SIZE, save_toy, toy_card, toy_model

SHIPPED = Path(__file__).parents[1] / "models_ir"


def counting_ir(folder: Path) -> Path:
    """alpha = memory + 0.25, and so is the memory: it counts the frames of a stream."""
    card = toy_card(sizes=(SIZE, (36, 64)), memory=(("seen", "seen_next"),))
    seen = op.parameter([1, 1, -1, -1], ov.Type.f32, name="seen")
    seen.output(0).set_names({"seen"})

    def build(image: ov.Node) -> list[ov.Node]:
        nothing = op.multiply(first_channel(image), op.constant(np.float32(0)))
        more = op.add(op.add(nothing, seen), op.constant(np.float32(0.25)))
        return [op.add(more, op.constant(np.float32(0))), more]

    return save_graph(folder / "counting.xml", build, card=card, memory=seen)


def test_a_green_picture_is_person_and_a_red_one_is_room(toy_ir: Path) -> None:
    session = MattingModel(toy_ir).session()
    person, half, room = (session.infer(picture(*c)) for c in ((255, 0), (64, 0), (0, 255)))
    assert person.dtype == np.float32 and person.shape == (HEIGHT, WIDTH)
    assert (person == 1).all() and (room == 0).all()
    np.testing.assert_allclose(half, 0.5, atol=1e-3)


def test_a_result_is_never_written_to_again(toy_ir: Path) -> None:
    session = MattingModel(toy_ir).session()
    first = session.infer(picture(255))
    session.infer(picture(0))
    assert (first == 1).all()


def test_pictures_need_not_be_contiguous_or_writeable(toy_ir: Path) -> None:
    left_is_person = picture(0)
    left_is_person[:, : WIDTH // 2, 1] = 255
    left_is_person.flags.writeable = False
    session = MattingModel(toy_ir).session()
    for order, person in ((1, 1), (-1, 0)):
        alpha = session.infer(left_is_person[:, ::order])
        assert (alpha[:, : WIDTH // 2] == person).all()
        assert (alpha[:, WIDTH // 2 :] == 1 - person).all()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"nowhere\.xml"):
        MattingModel(tmp_path / "nowhere.xml")


@pytest.mark.parametrize("content", [b"", b"<net", b"\x00\xff" * 50])
def test_a_broken_file_is_a_model_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.xml"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.xml cannot be read"):
        MattingModel(path)


def test_missing_weights_are_a_model_error(toy_ir: Path, tmp_path: Path) -> None:
    path = tmp_path / "bare.xml"
    path.write_bytes(toy_ir.read_bytes())
    with pytest.raises(ModelError, match=r"bare\.xml cannot be read"):
        MattingModel(path)


@pytest.mark.skipif(sys.platform != "linux", reason="maps are told by /proc")
@pytest.mark.parametrize("starts", [1, 2])
def test_a_network_may_be_written_over_while_it_is_used(tmp_path: Path, starts: int) -> None:
    for part in (".xml", ".bin"):
        shutil.copy(SHIPPED / f"munet-webcam{part}", tmp_path / f"net{part}")
    for _ in range(starts):  # the second finds it in the cache
        model = MattingModel(tmp_path / "net.xml", cache=tmp_path / "cache")
        model.session().infer(np.zeros((144, 256, 3), np.uint8))
    assert str(tmp_path) not in Path("/proc/self/maps").read_text()


def test_a_model_without_a_card_is_refused(tmp_path: Path) -> None:
    image = op.parameter([1, 4, 4, 3], ov.Type.u8, name=IMAGE)
    ov.save_model(ov.Model([op.convert(image, "f32")], [image]), tmp_path / "bare.xml")
    with pytest.raises(ModelContract, match="carries no card"):
        MattingModel(tmp_path / "bare.xml")


def test_a_graph_is_compiled_with_fixed_shapes(tmp_path: Path) -> None:
    """An NPU takes no other."""
    tall = (36, 64)
    model = MattingModel(save_toy(tmp_path / "many.xml", toy_card(sizes=(SIZE, tall))))
    for width, height in (SIZE, tall):
        compiled = model.compiled((width, height))
        assert compiled.input(IMAGE).partial_shape == ov.PartialShape([1, height, width, 3])
        assert compiled.output(ALPHA).partial_shape == ov.PartialShape([1, 1, height, width])


def two_sizes_ir(path: Path, build: Callable[[ov.Node], list[ov.Node]]) -> Path:
    return save_graph(path, build, card=toy_card(sizes=(SIZE, (36, 64))), memory=None)


def test_a_size_that_only_the_card_knows_is_a_model_error(tmp_path: Path) -> None:
    """The CPU is the last resort: what it cannot compile is an error, not another fallback."""
    ones = op.constant(np.ones((1, 1, HEIGHT, WIDTH), np.float32))
    path = two_sizes_ir(tmp_path / "one.xml", lambda i: [op.multiply(first_channel(i), ones)])
    session = MattingModel(path).session()
    assert session.infer(picture(0)).shape == (HEIGHT, WIDTH)
    with pytest.raises(ModelError, match="does not take 36x64"):
        session.infer(picture(0, size=(36, 64)))


def test_a_matte_of_another_shape_is_a_frame_error(tmp_path: Path) -> None:
    shape = op.constant(np.array([1, 1, HEIGHT, WIDTH]))
    path = two_sizes_ir(
        tmp_path / "flat.xml", lambda i: [op.reshape(first_channel(i), shape, False)]
    )
    session = MattingModel(path).session()
    assert session.infer(picture(0)).shape == (HEIGHT, WIDTH)
    with pytest.raises(FrameError, match="the network gave"):
        session.infer(picture(0, size=(36, 64)))


def test_a_network_of_several_sizes_is_compiled_once_for_each(tmp_path: Path) -> None:
    tall = (36, 64)
    model = MattingModel(save_toy(tmp_path / "many.xml", toy_card(sizes=(SIZE, tall))))
    session = model.session()
    assert session.size_for(1280, 720) == SIZE and session.size_for(720, 1280) == tall
    assert session.infer(picture(255)).shape == (HEIGHT, WIDTH)
    assert session.infer(picture(255, size=tall)).shape == (64, 36)
    assert model.compiled(tall) is model.compiled(tall) is not model.compiled(SIZE)


def test_streams_share_the_network_across_threads(toy_ir: Path) -> None:
    model = MattingModel(toy_ir)
    compiled: list[object] = []
    wrong: list[int] = []

    def stream(green: int, expected: float) -> None:
        session = model.session()
        for _ in range(20):
            if not (session.infer(picture(green)) == expected).all():
                wrong.append(green)
        compiled.append(model.compiled(SIZE))

    threads = [threading.Thread(target=stream, args=a) for a in ((255, 1.0), (0, 0.0)) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [] and len(compiled) == 4 and len({id(c) for c in compiled}) == 1


AT_ONCE = """
import faulthandler, sys, threading, numpy
import openvino as ov
import realtime.matting.session

def look():
    together.wait()
    ov.Type.f32.to_dtype()

faulthandler.dump_traceback_later(20, exit=True)
sys.setswitchinterval(1e-6)
together = threading.Barrier(8)
threads = [threading.Thread(target=look) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_streams_that_begin_at_once_do_not_wait_for_each_other() -> None:
    """OpenVINO's first look at numpy's types holds up the whole program if two threads have it."""
    subprocess.run([sys.executable, "-c", AT_ONCE], cwd=SHIPPED.parent, check=True)


def test_memory_runs_on_and_starts_again(tmp_path: Path) -> None:
    model = MattingModel(counting_ir(tmp_path))
    session, other = model.session(), model.session()
    seen = [float(session.infer(picture(0))[0, 0]) for _ in range(3)]
    assert seen == [0.25, 0.5, 0.75]
    assert other.infer(picture(0))[0, 0] == 0.25, "another stream has a memory of its own"
    session.reset()
    assert session.infer(picture(0))[0, 0] == 0.25
    assert session.infer(picture(0, size=(36, 64)))[0, 0] == 0.25, "a new size is a new stream"
    assert session.infer(picture(0))[0, 0] == 0.25


def test_values_beyond_the_range_are_clipped(tmp_path: Path) -> None:
    session = MattingModel(counting_ir(tmp_path)).session()
    assert max(float(session.infer(picture(0)).max()) for _ in range(6)) == 1.0


def nan_for_black(image: ov.Node) -> list[ov.Node]:
    """0 / 0 for black, 1 for everything else."""
    blue = first_channel(image)
    return [op.divide(blue, blue)]


def infinite_for_black(image: ov.Node) -> list[ov.Node]:
    return [op.divide(op.constant(np.float32(1)), first_channel(image))]


@pytest.mark.parametrize("build", [nan_for_black, infinite_for_black])
def test_values_that_are_no_numbers_are_a_frame_error(
    tmp_path: Path, build: Callable[[ov.Node], list[ov.Node]]
) -> None:
    path = save_graph(tmp_path / "bad.xml", build, card=toy_card(), memory=None)
    session = MattingModel(path).session()
    white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    one_black = white.copy()
    one_black[3, 5] = 0
    with pytest.raises(FrameError, match="no numbers"):
        session.infer(one_black)
    assert (session.infer(white) == 1).all(), "the next good frame is matted again"


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((HEIGHT, WIDTH, 3), np.float32),
        np.zeros((HEIGHT, WIDTH), np.uint8),
        np.zeros((HEIGHT, WIDTH, 4), np.uint8),
        np.zeros((HEIGHT + 2, WIDTH, 3), np.uint8),
        np.zeros((0, 0, 3), np.uint8),
        None,
    ],
)
def test_other_pictures_are_refused(toy_ir: Path, bad: object) -> None:
    with pytest.raises(FrameError, match="the network takes"):
        MattingModel(toy_ir).session().infer(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sizes", "resizable"),
    [((SIZE,), False), ((SIZE, SIZE[::-1]), True), ((SIZE, (WIDTH, 2 * HEIGHT)), False)],
)
def test_a_network_whose_sides_both_vary_works_at_a_smaller_size(
    sizes: tuple[Size, ...], resizable: bool, tmp_path: Path
) -> None:
    graph = toy_model(toy_card(sizes=sizes))
    widths, heights = ({size[side] for size in sizes} for side in (0, 1))
    sides = [-1 if len(found) > 1 else found.pop() for found in (heights, widths)]
    graph.reshape({IMAGE: [1, *sides, 3]})
    ov.save_model(graph, tmp_path / "toy.xml", compress_to_fp16=False)
    model = MattingModel(tmp_path / "toy.xml")
    assert model.resizable is resizable
    (width, height) = model.sizes(0.5)[0]
    assert (width < WIDTH) is resizable
    assert model.session(0.5).infer(picture(9, size=(width, height))).shape == (height, width)
