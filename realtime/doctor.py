"""What works on this machine, what is missing, and the command that mends it. Floor 3.

Everything is read from files below `root`, so that a folder can stand in for a machine.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from realtime.sinks.virtualcam import INSTALL, LOAD, list_virtual_cameras, module_version
from realtime.sources.nodes import Node, list_cameras, video_nodes
from realtime.v4l2 import holders, text

PIP = f"{sys.executable} -m pip install"

OURS = "Scrim's own wheel or its folder: `scrim` on PyPI is another program"

RELOAD = f"sudo modprobe -r v4l2loopback && {LOAD}"

PACKAGES = {
    "scrim": ("scrim",),
    "openvino": ("openvino",),
    "opencv": ("opencv-python-headless", "opencv-python", "opencv-contrib-python"),
    "av": ("av",),
    "pyvirtualcam": ("pyvirtualcam",),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `ok` is None where Scrim works, but not as well as it could: the studio does
    without a camera here and a virtual one."""

    name: str
    ok: bool | None
    detail: str
    mend: str = ""


def checks(openvino_devices: Sequence[str], models: Path, root: Path = Path("/")) -> list[Check]:
    """Return all findings; `openvino_devices` are the names that OpenVINO gives, `models` is the
    folder of the networks that come with Scrim."""
    found = [_python(), *_packages(), _models(models), _inference(openvino_devices)]
    if sys.platform == "linux":
        accelerators = _accelerators(openvino_devices, root)
        return [*found, *accelerators, *_cameras(root), *_virtual_cameras(root)]
    names = ", ".join(camera.name for camera in list_cameras())
    return [
        *found,
        Check("camera", bool(names) or None, names or "none found", "" if names else "plug one in"),
    ]


def _python() -> Check:
    recent = sys.version_info >= (3, 11)
    return Check("python", recent, platform.python_version(), "" if recent else "install 3.11")


def _packages() -> Iterator[Check]:
    for name, distributions in PACKAGES.items():
        found = next(filter(None, map(_version_of, distributions)), None)
        if found:
            yield Check(name, True, found)
        else:
            what = f"FILE, {OURS}" if name == "scrim" else distributions[0]
            yield Check(name, False, "not installed", f"{PIP} {what}")


def _version_of(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _inference(devices: Sequence[str]) -> Check:
    if devices:
        return Check("openvino devices", True, ", ".join(devices))
    return Check("openvino devices", False, "none", f"{PIP} --force-reinstall openvino")


def _models(folder: Path) -> Check:
    graphs = sorted(folder.glob("*.xml"))
    broken = [path.stem for path in graphs if not path.with_suffix(".bin").is_file()]
    if graphs and not broken:
        return Check("networks", True, ", ".join(path.stem for path in graphs))
    detail = f"without weights: {', '.join(broken)}" if broken else f"none in {folder}"
    return Check("networks", False, detail, f"{PIP} --force-reinstall --no-deps FILE, {OURS}")


def _accelerators(devices: Sequence[str], root: Path) -> Iterator[Check]:
    """Name what the kernel has and OpenVINO does not see."""
    rows = (
        ("GPU", "dev/dri/renderD*", "render", "intel-opencl-icd"),
        ("NPU", "dev/accel/accel*", "render", "intel-level-zero-npu intel-driver-compiler-npu"),
    )
    for name, nodes, group, packages in rows:
        node = next(iter(sorted(root.glob(nodes))), None)
        if node is None or any(device.startswith(name) for device in devices):
            continue
        if os.access(node, os.R_OK | os.W_OK):
            detail, mend = "OpenVINO does not see it", f"sudo apt install {packages}"
        else:
            detail, mend = "no permission", f"sudo usermod -aG {group} $USER, then log in again"
        yield Check(name, None, f"/{node.relative_to(root)}: {detail}", mend)


def _cameras(root: Path) -> list[Check]:
    nodes = [node for node in video_nodes(root) if node.main and not node.virtual]
    if nodes:
        return [_camera(node, root) for node in nodes]
    return [Check("camera", None, "none found", "plug one in; lsusb lists what is plugged in")]


def _camera(node: Node, root: Path) -> Check:
    name = f"{node.name} ({_device(node)})"
    if not os.access(node.path, os.R_OK | os.W_OK):
        mend = "sudo usermod -aG video $USER, then log in again"
        return Check("camera", False, f"{name}: no permission", mend)
    if found := holders(_device(node), root):
        return Check("camera", None, f"{name}: held by {', '.join(found)}", f"close {found[0]}")
    return Check("camera", True, name)


def _device(node: Node) -> str:
    return f"/dev/{node.path.name}"


def _virtual_cameras(root: Path) -> list[Check]:
    loaded = module_version(root)
    if loaded is None:
        return [_not_loaded(root)]
    devices = list_virtual_cameras(root)
    if not devices:
        return [Check("virtual camera", False, "v4l2loopback is loaded without a device", RELOAD)]
    found = [_virtual_camera(device, root) for device in devices]
    if "Y" not in text(root / "sys/module/v4l2loopback/parameters/exclusive_caps"):
        detail = "exclusive_caps is off: Chrome and its kin do not list the camera"
        found.append(Check("virtual camera", False, detail, RELOAD))
    if loaded.startswith("0.12"):
        detail = "v4l2loopback 0.12 or older takes a program once only; Scrim sees to that itself"
        found.append(Check("virtual camera", None, detail, f"for other programs: {RELOAD}"))
    return found


def _virtual_camera(device: str, root: Path) -> Check:
    if not os.access(root / device.lstrip("/"), os.R_OK | os.W_OK):
        mend = "sudo usermod -aG video $USER, then log in again"
        return Check("virtual camera", False, f"{device}: no permission", mend)
    used_by = holders(device, root)
    return Check("virtual camera", True, f"{device}, open in {', '.join(used_by) or 'no program'}")


def _not_loaded(root: Path) -> Check:
    modules = root / "lib/modules" / text(root / "proc/sys/kernel/osrelease")
    if any(modules.rglob("v4l2loopback.ko*")):
        return Check("virtual camera", None, "v4l2loopback is installed, but not loaded", LOAD)
    return Check("virtual camera", None, "v4l2loopback is not installed", INSTALL)
