"""What is shipped: the wheel has all that runs, and says what to install for the rest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import IO

import pytest

from realtime.door import EXTRAS, enter

ROOT = Path(__file__).parent.parent


def test_the_wheel_carries_networks_page_and_commands(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        commands = next(name for name in names if name.endswith("entry_points.txt"))
        assert "scrim = realtime.__main__:main" in packed.read(commands).decode()
    for island in ("realtime", "conversion", "training", "models_ir"):
        tracked = subprocess.run(
            ["git", "ls-files", island], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.split()
        assert set(tracked) <= names
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in names)


def test_a_missing_extra_names_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    with pytest.raises(SystemExit) as ended:
        enter(work)
    assert ended.value.code == 1
    assert f"{sys.executable} -m pip install 'scrim[training]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGINT)", -signal.SIGINT),
        ("def app(): raise KeyboardInterrupt", 128 + signal.SIGINT),
    ],
)
def test_ctrl_c_at_any_time_is_quiet(tmp_path: Path, commands: str, code: int) -> None:
    assert entered(tmp_path, commands) == (code, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("length", [10, 100_000])
def test_a_full_disk_and_a_closed_pipe_are_no_traceback(tmp_path: Path, length: int) -> None:
    commands = f"def app(): print('x' * {length})"
    with open("/dev/full", "w") as full:
        code, told = entered(tmp_path, commands, full)
    assert (code, told) == (1, "error: no space left on device\n  make room on the disk\n")
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as pipe:
        assert entered(tmp_path, commands, pipe) == (1, "")


def test_a_folder_that_is_gone_is_no_traceback_and_a_fault_of_ours_is(tmp_path: Path) -> None:
    gone = "import os\ndef app(): os.mkdir('x'); os.chdir('x'); os.rmdir('../x'); os.getcwd()"
    assert entered(tmp_path, gone) == (
        1,
        "error: the folder that this was called in is gone\n  cd to another\n",
    )
    code, told = entered(tmp_path, "def app(): open('nothing')")
    assert code == 1 and "Traceback" in told


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_what_is_closed_gives_its_number_to_no_file(tmp_path: Path, closed: str) -> None:
    """Else a recording would hold what FFmpeg prints."""
    commands = """
import os, sys
def app():
    with open("file", "w"):
        os.write(2, b"printed by a library")
        print("told", file=sys.stderr)
        print("told")
"""
    write_program(tmp_path, commands)
    command = f"'{sys.executable}' program.py {closed}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment)
    assert (done.returncode, (tmp_path / "file").read_bytes()) == (0, b"")


def entered(folder: Path, commands: str, stdout: IO[str] | None = None) -> tuple[int, str]:
    """Run a module's `app` through the door; return the exit code and what was told."""
    write_program(folder, commands)
    done = subprocess.run(
        [sys.executable, folder / "program.py"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )
    return done.returncode, done.stderr


def write_program(folder: Path, commands: str) -> None:
    (folder / "commands.py").write_text(commands)
    (folder / "program.py").write_text(
        "from realtime.door import *; enter(lambda: run_app('commands'))"
    )


def test_every_extra_brings_what_is_promised() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for package, extra in EXTRAS.items():
        wanted = package.replace("_", "-")
        assert any(line.startswith(wanted) for line in project["optional-dependencies"][extra])
