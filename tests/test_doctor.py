"""The doctor, on machines made of folders."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from realtime import doctor
from realtime.build import MODELS
from realtime.doctor import LOAD, RELOAD, Check, checks
from realtime.sinks.virtualcam import INSTALL
from realtime.v4l2 import holders
from tests.machine import node, write


def loopback(root: Path, version: str | None, caps: str = "Y,N,N", devices: int = 1) -> None:
    module = root / "sys/module/v4l2loopback"
    write(module / "parameters/exclusive_caps", f"{caps}\n")
    if version:
        write(module / "version", f"{version}\n")
    for number in range(10, 10 + devices):
        node(root, number, "Scrim", loop=True)


def process(root: Path, pid: int, name: str, *files: str) -> None:
    write(root / f"proc/{pid}/comm", f"{name}\n")
    (root / f"proc/{pid}/fd").mkdir()
    for number, file in enumerate(files):
        (root / f"proc/{pid}/fd/{number}").symlink_to(file)


def found(root: Path, name: str) -> list[Check]:
    return [check for check in checks(["CPU"], MODELS, root) if check.name == name]


def test_versions_and_devices(tmp_path: Path) -> None:
    told = {check.name: check for check in checks(["CPU", "GPU"], MODELS, tmp_path)}
    assert told["openvino devices"] == Check("openvino devices", True, "CPU, GPU")
    for name in ("python", "openvino", "opencv", "av", "pyvirtualcam"):
        assert told[name].ok
        assert told[name].detail[0].isdigit()


def test_a_missing_package_and_missing_devices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", {"av": ("no-such-package-of-scrim",)})
    told = {check.name: check for check in checks([], MODELS, tmp_path)}
    mend = f"{sys.executable} -m pip install no-such-package-of-scrim"
    assert told["av"] == Check("av", False, "not installed", mend)
    assert told["openvino devices"].ok is False
    assert told["openvino devices"].mend


def test_nobody_is_told_to_install_the_other_program_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", {"scrim": ("no-such-package-of-scrim",)})
    told = {check.name: check.mend for check in checks(["CPU"], tmp_path, tmp_path)}
    for name in ("scrim", "networks"):
        assert "FILE, Scrim's own wheel" in told[name] and "another program" in told[name]


def test_no_camera(tmp_path: Path) -> None:
    """Nothing is broken: the studio asks for the browser's own."""
    assert all(check.ok is not False for check in checks(["CPU"], MODELS, tmp_path))
    (check,) = found(tmp_path, "camera")
    assert check.ok is None and check.mend


def test_a_free_camera_is_listed_once_and_virtual_ones_are_not_cameras(tmp_path: Path) -> None:
    node(tmp_path, 0)
    node(tmp_path, 1, index=1)  # metadata of the same webcam
    loopback(tmp_path, "0.13.2")
    assert found(tmp_path, "camera") == [Check("camera", True, "Webcam (/dev/video0)")]


def test_a_camera_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node(tmp_path, 0)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    (check,) = found(tmp_path, "camera")
    assert check.ok is False
    assert "no permission" in check.detail
    assert check.mend == "sudo usermod -aG video $USER, then log in again"


def test_a_camera_that_another_program_holds(tmp_path: Path) -> None:
    node(tmp_path, 0)
    process(tmp_path, 4242, "zoom", "/dev/null", "/dev/video0")
    process(tmp_path, 77, "bash", "/dev/null", "/dev/video01")
    process(tmp_path, os.getpid(), "scrim", "/dev/video0")
    (check,) = found(tmp_path, "camera")
    assert check.ok is None
    assert check.detail == "Webcam (/dev/video0): held by zoom (pid 4242)"
    assert check.mend == "close zoom (pid 4242)"


def test_processes_that_hide_or_end_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "proc/5/comm", "gone\n")
    process(tmp_path, 6, "cheese", "/dev/video3")
    assert holders("/dev/video3", tmp_path) == ["cheese (pid 6)"]


def test_the_module_is_not_installed(tmp_path: Path) -> None:
    (check,) = found(tmp_path, "virtual camera")
    assert (check.ok, check.mend) == (None, INSTALL)
    assert "not installed" in check.detail


@pytest.mark.parametrize("file", ["updates/dkms/v4l2loopback.ko", "extra/v4l2loopback.ko.xz"])
def test_the_module_is_installed_for_this_kernel_only(tmp_path: Path, file: str) -> None:
    write(tmp_path / "proc/sys/kernel/osrelease", "6.1.0-9\n")
    write(tmp_path / "lib/modules/6.1.0-8" / file)
    assert found(tmp_path, "virtual camera")[0].mend == INSTALL
    write(tmp_path / "lib/modules/6.1.0-9" / file)
    (check,) = found(tmp_path, "virtual camera")
    assert (check.ok, check.mend) == (None, LOAD)


def test_a_virtual_camera_that_works(tmp_path: Path) -> None:
    loopback(tmp_path, "0.13.2")
    process(tmp_path, 8, "chrome", "/dev/video10")
    detail = "/dev/video10, open in chrome (pid 8)"
    assert found(tmp_path, "virtual camera") == [Check("virtual camera", True, detail)]


@pytest.mark.parametrize(
    ("version", "caps", "devices", "oks"),
    [
        ("0.13.2", "N,N,N", 1, [True, False]),
        ("0.12.7", "Y,N,N", 1, [True, None]),
        (None, "Y,N,N", 2, [True, True, None]),
        (None, "N,N,N", 1, [True, False, None]),
        ("0.13.2", "Y,N,N", 0, [False]),
    ],
)
def test_what_is_wrong_with_a_loaded_module(
    tmp_path: Path, version: str | None, caps: str, devices: int, oks: list[bool | None]
) -> None:
    loopback(tmp_path, version, caps, devices)
    told = found(tmp_path, "virtual camera")
    assert [check.ok for check in told] == oks
    assert all(RELOAD in check.mend for check in told if check.ok is not True)


def test_networks_that_are_missing_or_have_lost_their_weights(tmp_path: Path) -> None:
    def networks() -> Check:
        return next(check for check in checks(["CPU"], tmp_path) if check.name == "networks")

    assert networks().ok is False and str(tmp_path) in networks().detail
    write(tmp_path / "one.xml")
    write(tmp_path / "one.bin")
    assert networks().ok
    write(tmp_path / "two.xml")
    assert networks().ok is False and "two" in networks().detail
    assert "one" not in networks().detail and "pip install" in networks().mend


def test_an_accelerator_that_openvino_does_not_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "dev/dri/renderD128")
    (check,) = found(tmp_path, "GPU")
    assert (check.ok, check.mend) == (None, "sudo apt install intel-opencl-icd")
    assert not [c for c in checks(["CPU", "GPU (Iris)"], MODELS, tmp_path) if c.name == "GPU"]
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    (check,) = found(tmp_path, "GPU")
    assert "no permission" in check.detail and "usermod -aG render" in check.mend


def test_a_virtual_camera_without_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loopback(tmp_path, "0.13.2")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "usermod -aG video" in found(tmp_path, "virtual camera")[0].mend


def test_this_machine_can_be_examined() -> None:
    assert all(check.ok or check.mend for check in checks(["CPU"], MODELS))
