"""Fixtures that every room's tests use."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.toy import save_toy

# A shell's background job ignores Ctrl-C, and so would every program that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture
def one_thread() -> Iterator[None]:
    """PyTorch on one thread and from one seed: waiting threads cost more than small nets do."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(3)
    yield
    torch.set_num_threads(before)
