"""Presets and the last look: kept between runs, whole at every moment."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO

import pytest
from rich.console import Console

from realtime.config import Config
from realtime.errors import SinkUnavailable
from realtime.recall import recall_look
from realtime.web import store
from realtime.web.store import Store
from tests.web.serving import error_of, in_loop, served

LOOK = {"scene.backdrop": "yellow.png", "temporal.strength": 0.3}


@in_loop
async def test_presets_outlive_the_server(config: Config) -> None:
    async with served(config, camera=True) as client:
        for name, status in (("Büro, hell", 201), ("Büro, hell", 200), ("a+b 'c' & <d>", 201)):
            assert (await client.put(f"/api/v1/presets/{name}", json=LOOK)).status == status
    async with served(config, camera=True) as client:
        found = (await (await client.get("/api/v1/presets")).json())["presets"]
        assert found == {"Büro, hell": LOOK, "a+b 'c' & <d>": LOOK}
        chosen = await client.patch("/api/v1/scene", json=found["Büro, hell"])
        assert (await chosen.json())["temporal.strength"] == 0.3
        assert (await client.delete("/api/v1/presets/Büro, hell")).status == 204
        await error_of(await client.delete("/api/v1/presets/Büro, hell"), 404)


@in_loop
async def test_what_cannot_be_a_preset(config: Config) -> None:
    async with served(config) as client:
        for name in ("%2F", "%00", "x" * 41, ".hidden", "a%5Cb"):
            await error_of(await client.put(f"/api/v1/presets/{name}", json=LOOK), 400)
        gone = {"scene.backdrop": "gone.png"}
        await error_of(await client.put("/api/v1/presets/a", json=gone), 404)
        await error_of(await client.put("/api/v1/presets/a", json={"web.token": ""}), 400)
        assert await (await client.get("/api/v1/presets")).json() == {"presets": {}}


def test_an_upload_that_cannot_be_deleted_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    kept = Store(str(tmp_path))
    kept.save_upload("mine.jpg", b"")
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(SinkUnavailable, match=r"mine\.jpg: permission denied"):
        kept.delete_upload("mine.jpg")


def test_presets_end_somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_PRESETS", 1)
    kept = Store(str(tmp_path))
    kept.save_preset("one", LOOK)
    with pytest.raises(store.StoreFull):
        kept.save_preset("two", LOOK)
    assert not kept.save_preset("one", {}), "the same name is replaced"


@in_loop
async def test_the_last_look_is_remembered(config: Config) -> None:
    async with served(config, camera=True) as client:
        await client.patch("/api/v1/scene", json=LOOK)
    last = Store(config.web.folder).last_look()
    folder = Path(config.scene.folder)
    assert last["scene.backdrop"] == str(folder / "yellow.png")
    assert recalled(config).temporal.strength == 0.3
    assert recalled(config).scene.backdrop == last["scene.backdrop"]
    (folder / "yellow.png").unlink()
    assert recalled(config).scene.backdrop == "#0000c8", "it is gone"
    Store(config.web.folder).remember({"scene.blur": 0.9, "matting.model": "mine"})
    assert recalled(config) == config, "so is this network"


def test_a_newer_file_wins_over_the_last_look(config: Config, tmp_path: Path) -> None:
    Store(config.web.folder).remember({"scene.blur": 0.9})
    file = tmp_path / "config.toml"
    file.touch()
    assert recalled(config, file).scene.blur == 0.9
    os.utime(file, (2**31, 2**31))
    assert recalled(config, file).scene.blur == 0.5


def test_a_folder_that_cannot_be_had_is_told_at_the_start(config: Config, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    told = io.StringIO()
    for folder in ("taken", "taken/below"):
        config = config.with_values({"web": {"folder": str(tmp_path / folder)}})
        assert recalled(config, told=told) == config
        assert f"cannot make {tmp_path / folder}" in told.getvalue()
    assert Store(config.web.folder).presets() == {}


@in_loop
async def test_a_look_that_cannot_be_kept_holds_all_the_same(
    config: Config, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("mine")
    async with served(config, camera=True, folder=str(tmp_path / "taken")) as client:
        changed = await client.patch("/api/v1/scene", json={"scene.blur": 0.9})
        assert changed.status == 200 and (await changed.json())["scene.blur"] == 0.9
        await error_of(await client.put("/api/v1/presets/one", json=LOOK), 400)


@in_loop
async def test_what_cannot_be_read_stops_nothing_and_is_not_written_over(
    config: Config, tmp_path: Path
) -> None:
    (tmp_path / "state" / "presets.json").mkdir(parents=True)
    async with served(config, camera=True) as client:
        shown = await client.get("/api/v1/presets")
        assert shown.status == 200 and await shown.json() == {"presets": {}}
        said = await error_of(await client.put("/api/v1/presets/one", json=LOOK), 400)
        assert "cannot read" in said
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["presets.json"]


def recalled(config: Config, file: Path | None = None, told: IO[str] | None = None) -> Config:
    """What `scrim run` would begin with, and what it tells on the way."""

    def load(last: Mapping[str, Mapping[str, object]] = MappingProxyType({})) -> Config:
        return config.with_values(last)

    return recall_look(load, file, Console(file=told or io.StringIO(), soft_wrap=True))


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_broken_file_is_put_aside(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "presets.json").write_bytes(broken)
    kept = Store(str(tmp_path))
    assert kept.presets() == {}
    kept.save_preset("new", LOOK)
    assert (tmp_path / "presets.json.broken").read_bytes() == broken
    assert kept.presets() == {"new": LOOK}


MOMENTS = """
import itertools, os, shutil, signal, sys
from realtime.web.store import Store

kept = Store(sys.argv[1])
OLD, NEW = {"old": {"scene.blur": 0.5}}, {"scene.backdrop": "x" * 5000}
PICTURE = b"picture" * 100_000

def uploads():
    names = os.listdir(kept.uploads) if kept.uploads.is_dir() else []
    return [kept.uploads / name for name in names if not name.startswith(".")]

def is_killed_at(moment):
    if child := os.fork():
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    lines = itertools.count()
    def trace(frame, event, argument):
        if any(name in frame.f_code.co_filename for name in ("store", "whole", "pathlib")):
            if event == "line" and next(lines) == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            return trace
    sys.settrace(trace)
    kept.save_preset("new", NEW)
    kept.remember(NEW)
    kept.save_upload("new.jpg", PICTURE)
    os._exit(0)

for moment in itertools.count():
    shutil.rmtree(sys.argv[1])
    kept.save_preset("old", OLD["old"])
    killed = is_killed_at(moment)
    assert kept.presets() in (OLD, OLD | {"new": NEW}), kept.presets()
    assert kept.last_look() in ({}, NEW)
    assert all(path.read_bytes() == PICTURE for path in uploads())
    if not killed:
        break
assert kept.presets() == OLD | {"new": NEW} and kept.last_look() == NEW
assert [path.name for path in uploads()] == ["new.jpg"]
print(moment)
"""


def test_a_program_killed_at_any_line_leaves_whole_files(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MOMENTS, str(tmp_path)]
    tried = subprocess.run(command, capture_output=True, text=True)
    assert tried.returncode == 0, tried.stderr
    assert int(tried.stdout) > 30
    assert not list(tmp_path.glob("*.broken"))
