"""Step 2: which device a network runs on, what falls back to the CPU, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import openvino as ov
import pytest

from realtime.contract import IMAGE
from realtime.matting.engine import MattingModel
from tests.graphs import picture
from tests.toy import SIZE, save_toy, toy_card

HERE = {name.partition(".")[0] for name in ov.Core().available_devices}


GPU = "XPU" if "GPU" in HERE else "GPU"
"""A device that this machine lacks, so that the tests hold on one with a GPU too."""


NPU = "YPU" if "NPU" in HERE else "NPU"


@pytest.mark.parametrize(
    ("device", "why"),
    [
        (GPU, f"no {GPU} found here, is the driver installed?"),
        (NPU, f"no {NPU} found here"),
        (f"AUTO:{GPU}", f"no {GPU} found here"),
        (f"AUTO:{GPU},{NPU}", f"no {GPU} or {NPU} found here"),
        (f"HETERO:{GPU},CPU", f"no {GPU} found here"),
        ("ABSENT:CPU", "ABSENT"),
        ("CPU.7", "id"),
        ("", ""),
    ],
)
def test_a_missing_device_falls_back_to_the_cpu_and_says_why(
    toy_ir: Path, device: str, why: str
) -> None:
    model = MattingModel(toy_ir, device)
    assert model.device == "CPU", "known before the first frame"
    assert model.fallback.startswith(f"{device} cannot be used, CPU instead: ")
    assert why in model.fallback and "\n" not in model.fallback
    assert (model.session().infer(picture(255)) == 1).all()


@pytest.mark.parametrize("device", ["AUTO", "AUTO:CPU", f"AUTO:{GPU},CPU", "HETERO:CPU"])
def test_openvino_may_choose_the_device_at_every_size(tmp_path: Path, device: str) -> None:
    tall = (36, 64)
    card = toy_card(sizes=(SIZE, tall))
    model = MattingModel(save_toy(tmp_path / "many.xml", card), device, threads=1)
    session = model.session()
    for size in (SIZE, tall, SIZE):
        assert (session.infer(picture(255, size=size)) == 1).all()
    assert (model.device, model.fallback) == (device, "")


@pytest.mark.parametrize("device", ["AUTO:CPU", "HETERO:CPU"])
def test_what_holds_for_the_cpu_holds_where_openvino_chose_it(toy_ir: Path, device: str) -> None:
    compiled = MattingModel(toy_ir, device, threads=1).compiled(SIZE)
    cpu = compiled.get_property("DEVICE_PROPERTIES")["CPU"]
    assert cpu["INFERENCE_NUM_THREADS"] == 1
    assert cpu["INFERENCE_PRECISION_HINT"] == ov.Type.f32, "not bfloat16 where there is any"


def test_a_device_that_cannot_take_the_network_is_left_for_the_cpu(
    toy_ir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the compiler can say that a device lacks an operation: a stand-in for such a GPU."""
    compile_model = ov.Core.compile_model

    def refuse(core: ov.Core, graph: ov.Model, device: str, *options: object) -> ov.CompiledModel:
        if device == "AUTO" and graph.inputs[0].get_names() == {IMAGE}:
            raise RuntimeError("Exception from plugin.cpp:1:\nMatMul is not supported\n;\n")
        return compile_model(core, graph, device, *options)

    monkeypatch.setattr(ov.Core, "compile_model", refuse)
    model = MattingModel(toy_ir, "AUTO")
    assert (model.device, model.fallback) == ("AUTO", "")
    assert (model.session().infer(picture(255)) == 1).all()
    assert model.fallback == "AUTO cannot be used, CPU instead: MatMul is not supported"


def test_the_wanted_device_needs_no_fallback(toy_ir: Path) -> None:
    model = MattingModel(toy_ir, "CPU", threads=1)
    assert (model.session().infer(picture(255)) == 1).all()
    assert (model.device, model.fallback) == ("CPU", "")
    assert model.compiled(SIZE).get_property("INFERENCE_NUM_THREADS") == 1
