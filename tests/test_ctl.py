"""The socket for orders, where it cannot be made and where nobody answers."""

from __future__ import annotations

import asyncio
import socket
import stat
from pathlib import Path

import pytest

from realtime import ctl
from realtime.build import load_model
from realtime.config import Config
from realtime.control import Control
from realtime.ctl import Orders, listening, send
from realtime.errors import ConfigError, ControlUnavailable
from realtime.stats import Stats
from realtime.web.broadcast import Broadcast
from realtime.web.studio import Studio


@pytest.mark.parametrize("place", ["file/scrim/ctl.sock", "x" * 120])
def test_where_no_socket_can_be_made_scrim_runs_without_orders(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    told: list[str] = []

    async def run() -> None:
        async with listening(tmp_path / place, None, told.append):
            told.append("running")

    asyncio.run(run())
    assert "cannot reach this Scrim" in told[0] and told[1] == "running"


def test_a_scrim_that_does_not_answer_is_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctl, "TIMEOUT_S", 0.1)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "ctl.sock"))
        silent.listen()
        with pytest.raises(ControlUnavailable, match="has not answered"):
            send(tmp_path / "ctl.sock", ["privacy"])
    with pytest.raises(ControlUnavailable, match="no Scrim is running"):
        send(tmp_path / "ctl.sock", ["privacy"])


def test_the_first_scrim_keeps_the_socket(tmp_path: Path) -> None:
    path, told = tmp_path / "scrim" / "ctl.sock", []

    async def run() -> None:
        async with listening(path, None, told.append):  # type: ignore[arg-type]
            first = path.stat()
            async with listening(path, None, told.append):  # type: ignore[arg-type]
                assert path.stat().st_ino == first.st_ino
            assert path.exists(), "the second takes nothing with it"
            assert stat.S_IMODE(first.st_mode) == 0o600

    asyncio.run(run())
    assert told == ["another Scrim is running: `scrim ctl` speaks to that one"]
    assert not path.exists()


def test_only_what_can_be_a_path_is_named_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("blur", "0", "0.5", "default", "beach.jpg"):
        Path(name).touch()
    asked = (
        *("scene.backdrop=blur", "camera.device=0", "scene.blur=0.5", "matting.model=default"),
        *("scene.backdrop=beach.jpg", "scene.overlay=beach.jpg", "preset=blur"),
    )
    there = tmp_path / "beach.jpg"
    meant = [*asked[:4], f"scene.backdrop={there}", f"scene.overlay={there}", "preset=blur"]
    assert [ctl._from_here(word) for word in asked] == meant


def test_privacy_is_not_feigned_where_there_is_no_camera(config: Config) -> None:
    control = Control(config, load_model(config.matting), Stats(), None)
    orders = Orders(Studio(control, Broadcast()), lambda: None, lambda: None)
    with pytest.raises(ConfigError, match="no camera here"):
        orders.carry_out(["scene.blur=0.9", "privacy=on"])
    assert control.config == config
