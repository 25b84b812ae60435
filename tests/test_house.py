"""The house: imports go down floors only, islands stay islands, third parties behind walls."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("matting", "scene", "sources", "sinks")
FLOORS = {
    0: ("frame", "errors", "address", "door", "config", "complaint", "layers", "contract"),
    1: (
        "slot",
        "turns",
        "thinning",
        "rests",
        "stats",
        "pixels",
        "stored",
        "v4l2",
        "blocks",
        "heap",
    ),
    2: ROOMS,
    3: ("pipeline", "guard", "delivery", "runner", "doctor"),
    4: (
        "build",
        "outlets",
        "control",
        "governor",
        "journal",
        "job",
        "still",
        "render",
        "photo",
        "bench",
        "service",
    ),
    5: ("web", "reload", "ctl", "demand", "easing", "keys", "signals"),
    6: ("live", "recall"),
    7: ("commands", "__main__"),
}
FLOOR = {name: floor for floor, names in FLOORS.items() for name in names}
WALLS = {
    "cv2": (
        *(f"realtime.{room}" for room in ROOMS),
        *(
            "realtime.pixels",
            "realtime.stored",
            "realtime.blocks",
            "realtime.pipeline",
            "conversion",
            "training",
            "benchmarks",
        ),
    ),
    "openvino": (
        *("realtime.matting.engine", "realtime.matting.session", "realtime.contract"),
        *("conversion", "benchmarks"),
    ),
    "av": (
        *("realtime.sources.video", "realtime.sources.upright"),
        *("realtime.sinks.container", "realtime.sinks.sound"),
        "realtime.web",
        "training.lights",  # clips go through H.264 as at a camera
        "benchmarks.stream_server",  # aiortc's example server, beside ours
    ),
    "aiortc": ("realtime.web", "benchmarks.stream_server", "benchmarks.stream_viewers"),
    "aiohttp": ("realtime.web", "benchmarks.stream_server", "benchmarks.stream_viewers"),
    "PIL": ("realtime.web.upload",),
    "platformdirs": ("realtime.web.store", "realtime.build", "realtime.ctl"),
    "prometheus_client": ("realtime.web.api.watchdog",),
    "pyvirtualcam": ("realtime.sinks.virtualcam",),
    "watchfiles": ("realtime.reload",),
    "psutil": (
        *(
            "realtime.bench",
            "benchmarks.machine",
            "benchmarks.desktop",
            "benchmarks.stream_programs",
        ),
    ),
    "torch": ("training", "conversion.read", "benchmarks.folding"),
    "albumentations": ("training.augment",),
    "tensorboardX": ("training.train",),
    "nncf": ("conversion.quantise",),
    "onnxruntime": ("conversion.runtimes",),
    "ai_edge_litert": ("conversion.runtimes",),
    "mediapipe": ("benchmarks.job_mediapipe",),
    # These two come only into processes of their own: see conversion.keras_export.
    "tensorflow": (),
    "keras": (),
}


def modules(*islands: str) -> dict[str, Path]:
    paths = [path for island in islands for path in sorted((ROOT / island).rglob("*.py"))]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    return {name.removesuffix(".__init__"): path for name, path in zip(names, paths, strict=True)}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def packages(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def within(name: str, wall: str) -> bool:
    return name == wall or name.startswith(wall + ".")


def part(module: str) -> str:
    """The part of `realtime` that a dotted name belongs to: `realtime.web.peer` -> `web`."""
    return [*module.split("."), ""][1]


ALL = modules("realtime", "conversion", "training", "benchmarks")


@pytest.mark.parametrize("name", [n for n in modules("realtime") if n != "realtime"])
def test_imports_go_down_floors_only(name: str) -> None:
    mine = part(name)
    for imported in imports(ALL[name]):
        if not imported.startswith("realtime."):
            continue
        other = part(imported)
        if other == mine or FLOOR[mine] == 0 == FLOOR[other]:
            continue
        room = mine in ROOMS and other in ROOMS
        assert not room, f"{name} imports the room next door: {imported}"
        assert FLOOR[other] <= FLOOR[mine], f"{name} (floor {FLOOR[mine]}) imports {imported}"


@pytest.mark.parametrize("name", ALL)
def test_islands_stay_islands(name: str) -> None:
    island = name.split(".")[0]
    for imported in imports(ALL[name]):
        other = imported.split(".")[0]
        if island == "realtime":
            assert other not in ("training", "conversion", "benchmarks"), imported
        if island == "training" and other == "realtime":
            assert FLOOR[part(imported)] == 0, f"{name} imports {imported}"
        if island == "training":
            assert other not in ("conversion", "benchmarks"), imported


@pytest.mark.parametrize("name", ALL)
def test_third_parties_stay_behind_their_walls(name: str) -> None:
    for imported in imports(ALL[name]):
        allowed = WALLS.get(imported.split(".")[0])
        if allowed is None:
            continue
        assert any(within(name, wall) for wall in allowed), f"{name} imports {imported}"


def test_every_door_is_used() -> None:
    """One that nobody uses any more would let in whoever comes next."""
    for library, doors in WALLS.items():
        users = [name for name, path in ALL.items() if library in packages(path)]
        for door in doors:
            assert any(within(name, door) for name in users), f"{door} has no {library}"


@pytest.mark.parametrize("name", modules("realtime"))
def test_there_are_only_slots_between_threads(name: str) -> None:
    text = ALL[name].read_text(encoding="utf-8")
    assert not re.search(r"\bqueue\b", text, re.IGNORECASE), "use a Slot"
    if name != "realtime.runner":
        assert "threading.Thread(" not in text, "threads live in runner"


@pytest.mark.parametrize("name", modules("realtime"))
def test_a_wall_clock_that_jumps_is_not_looked_at(name: str) -> None:
    text = ALL[name].read_text(encoding="utf-8")
    if name != "realtime.journal":  # a log says when
        assert not re.search(r"\btime\.time\(|\bdatetime\b", text), "time.monotonic()"


def test_every_module_has_its_floor() -> None:
    for name in modules("realtime"):
        assert name == "realtime" or part(name) in FLOOR
