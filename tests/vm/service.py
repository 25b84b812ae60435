"""The systemd service in the hands of a real systemd: run in the guest by `make test-vm`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from realtime.ctl import send, socket_path
from realtime.errors import ControlUnavailable
from realtime.service import NAME, install, uninstall
from tests.toy import save_toy
from tests.vm.program import wait_until

ROOT = Path(__file__).parents[2]
SYSTEMD = Path("/lib/systemd/systemd")
RUNTIME = Path("/run/user/0")


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A user's systemd, made to believe that the machine was booted by one."""
    if not SYSTEMD.exists():
        pytest.skip("there is no systemd")
    Path("/run/systemd/system").mkdir(parents=True)
    subprocess.run(["mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"], check=True)
    RUNTIME.mkdir(mode=0o700, parents=True)
    places = {"XDG_RUNTIME_DIR": RUNTIME, "XDG_CONFIG_HOME": tmp_path, "PYTHONPATH": ROOT}
    for name, place in places.items():
        monkeypatch.setenv(name, str(place))
    running = subprocess.Popen([SYSTEMD, "--user"], stderr=subprocess.DEVNULL)
    wait_until((RUNTIME / "systemd/private").exists)
    yield
    running.terminate()
    running.wait()


def main_pid() -> int:
    asked = ["systemctl", "--user", "show", "-P", "MainPID", NAME]
    return int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)


def is_live() -> bool:
    try:
        return bool(send(socket_path(os.environ), [])["figures"]["state"] == "live")
    except ControlUnavailable:
        return False


def test_a_service_runs_comes_back_and_is_removed(systemd: None, tmp_path: Path) -> None:
    folder = tmp_path / '50% of "my" $HOME'
    folder.mkdir()
    file = folder / "config.toml"
    file.write_text(f'[matting]\nmodel = "{save_toy(tmp_path / "toy.xml")}"\n[camera]\nfps = 5\n')
    words = ("run", "-i", "pattern", "--no-web", "--no-virtualcam", "--config", str(file))
    unit = install([sys.executable, "-m", "realtime", *words], {}, folder, os.environ)
    wait_until(is_live)
    first = main_pid()
    assert Path(os.readlink(f"/proc/{first}/cwd")) == folder
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: main_pid() not in (0, first) and is_live())
    second = main_pid()
    uninstall(os.environ)
    assert not unit.exists()
    assert not Path(f"/proc/{second}").exists()
