"""Fixtures that every room's tests use."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.__main__ import main
from realtime.config import Config
from tests.toy import save_toy

# A shell's background job ignores Ctrl-C, and so would every program that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

Scrim = Callable[..., tuple[int, str, str]]
"""Takes words, gives the exit code, stdout and stderr."""


@pytest.fixture(scope="session")
def toy_ir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of a real, tiny IR with its card (see `tests/toy.py`)."""
    return save_toy(tmp_path_factory.mktemp("ir") / "toy.xml")


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of the user's own state is read or written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """What a command makes of the log ends with the test."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture
def one_thread() -> Iterator[None]:
    """PyTorch on one thread and from one seed: waiting threads cost more than small nets do."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(3)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def config(toy_ir: Path) -> Config:
    """The toy network before a blue backdrop, as `tests/line.py` looks for it."""
    return Config().with_values(
        {"matting": {"model": str(toy_ir)}, "scene": {"backdrop": "#0000c8"}}
    )


@pytest.fixture
def scrim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Scrim:
    """Run the command line in an empty folder; give the exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SCRIM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["scrim", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        out, err = capsys.readouterr()
        return (code if isinstance(code, int) else 0), out, err

    return run


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A green person in a red room, of odd size."""
    array = np.full((91, 121, 3), (0, 0, 200), np.uint8)
    array[30:, 40:80] = (0, 200, 0)
    path = tmp_path / "person.png"
    cv2.imwrite(str(path), array)
    return path
