"""Running for months: the systemd unit, and logs that machines read."""

from __future__ import annotations

import errno
import json
import logging
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from realtime.errors import ServiceUnavailable, SinkUnavailable
from realtime.journal import Journal, status_line
from realtime.layers import load, to_environment
from realtime.service import install, uninstall, unit_path
from realtime.stats import Stats
from tests.conftest import Scrim

ROOT = Path(__file__).parent.parent
SECRET = '50%$"x" \\n=\n'


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemctl that writes down what it is asked; `refusing` makes it refuse."""
    tool = tmp_path / "bin" / "systemctl"
    tool.parent.mkdir()
    asked = tmp_path / "asked"
    refusing = tmp_path / "refusing"
    tool.write_text(
        f'#!/bin/sh\necho "$@" >> {asked}\n[ -e {refusing} ] && echo no bus >&2 && exit 1\nexit 0\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    return asked


def test_a_service_is_written_started_stopped_and_removed(tmp_path: Path, systemd: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    command = ["/opt/a b/python", "-m", "realtime", "--config", '50%$"x".toml']
    path = install(command, {"SCRIM_WEB_TOKEN": SECRET}, tmp_path, environment)
    assert path == unit_path(environment) == tmp_path / "systemd/user/scrim.service"
    assert path.stat().st_mode & 0o777 == 0o600
    unit = path.read_text()
    start = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
    read = [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(start[10:])]
    assert read == command
    assert f"WorkingDirectory={tmp_path}" in unit and "RestartPreventExitStatus=2 3" in unit
    assert uninstall(environment) == path
    assert not path.exists()
    assert systemd.read_text().splitlines() == [
        "--user daemon-reload",
        "--user enable --now scrim.service",
        "--user disable --now scrim.service",
        "--user daemon-reload",
    ]
    with pytest.raises(ServiceUnavailable, match="install-service"):
        uninstall(environment)


def test_what_is_set_is_for_the_users_own_eyes(
    scrim: Scrim, tmp_path: Path, systemd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    sets = [f"web.token={SECRET}", "web.max_peers=3", "camera.on_demand=true"]
    code, _, err = scrim("install-service", *(f"--set={text}" for text in sets))
    assert code == 0, err
    unit = (tmp_path / "systemd/user/scrim.service").read_text().splitlines()
    variables = [line.split('"')[1].partition("=")[0] for line in unit if "SCRIM" in line]
    assert variables == ["SCRIM_WEB_TOKEN", "SCRIM_WEB_MAX_PEERS", "SCRIM_CAMERA_ON_DEMAND"]
    assert load(None, to_environment(sets)) == load(None, {}, sets)


def test_a_refusal_names_the_command_and_what_is_done_all_the_same(
    tmp_path: Path, systemd: Path
) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    (tmp_path / "refusing").touch()
    said = r"scrim\.service is written, but systemd: no bus \(systemctl --user daemon-reload\)"
    with pytest.raises(ServiceUnavailable, match=said):
        install(["scrim"], {}, tmp_path, environment)
    assert unit_path(environment).exists()
    with pytest.raises(ServiceUnavailable, match=r"scrim\.service is removed, but systemd: no bus"):
        uninstall(environment)
    assert not unit_path(environment).exists()


def test_a_unit_that_cannot_be_removed_is_named(
    tmp_path: Path, systemd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = install(["scrim"], {}, tmp_path, {"XDG_CONFIG_HOME": str(tmp_path)})

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch, pytest.raises(SinkUnavailable) as refused:
        patch.setattr(Path, "unlink", refuse)
        uninstall({"XDG_CONFIG_HOME": str(tmp_path)})
    assert f"{path}: permission denied" in str(refused.value)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze (systemd)")
def test_systemd_itself_takes_the_unit(
    tmp_path: Path, systemd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verified(command: str) -> str:
        words = [command, "-m", "realtime", "--config", '50%$"x" y.toml']
        settings = {"SCRIM_WEB_TOKEN": SECRET}
        unit = install(words, settings, tmp_path / "my folder", {"XDG_CONFIG_HOME": str(tmp_path)})
        asked = ["systemd-analyze", "--user", "verify", str(unit)]
        done = subprocess.run(asked, capture_output=True, text=True)
        assert bool(done.returncode) == bool(done.stderr)
        return done.stderr

    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "my folder").mkdir()
    assert verified(sys.executable) == ""
    assert "is not executable" in verified("/gone/python")


def test_a_log_for_machines_is_one_object_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.journal.STATUS_S", 0.0)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        journal = Journal("json", logging.INFO)
        journal.print("no camera here:\nnone")
        try:
            raise ValueError("broken")
        except ValueError:
            logging.getLogger("realtime.runner").exception("line %d", 3)
        stats = Stats()
        with stats.timed("matte"):
            pass
        journal.status(stats.snapshot())
    finally:
        root.handlers[:], root.level = before
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["message"] for line in lines] == ["no camera here:\nnone", "line 3", "status"]
    assert [line["level"] for line in lines] == ["info", "error", "info"]
    assert lines[1]["from"] == "realtime.runner" and "broken" in lines[1]["error"]
    assert "matte" in lines[2]["steps_ms"]
    assert all(line["time"].endswith("+00:00") for line in lines)


def test_on_a_terminal_what_is_told_replaces_the_status() -> None:
    screen, terminal = os.openpty()
    told = "from realtime.journal import *; from realtime.stats import Stats; import logging\n"
    told += "journal = Journal('text', logging.ERROR); journal.status(Stats().snapshot())\n"
    told += "journal.print('hello'); logging.error('lost')"
    subprocess.run([sys.executable, "-c", told], cwd=ROOT, stderr=terminal, check=True)
    shown = os.read(screen, 10_000).decode()
    status, hello, lost = (line.rstrip() for line in shown.replace("\r\n", "\r").split("\r")[:3])
    assert (hello, lost) == ("hello", "lost") and status.startswith("starting")
    assert shown.index("hello") + len(status) < shown.index("\n"), "nothing of the status is left"


def test_the_status_line_has_every_steps_time() -> None:
    stats = Stats()
    for step in ("matte", "steady", "refine"):
        with stats.timed(step):
            pass
    stats.eased = "no refinement"
    stats.count("drops", 3)
    line = status_line(stats.snapshot())
    for words in ("starting  (no refinement)", "matte 0.0", "steady 0.0", "refine 0.0", "drops 3"):
        assert words in line
