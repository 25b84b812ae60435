"""The configuration file, read again while a line runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest

from realtime import reload as module
from realtime.config import Config
from realtime.control import Control
from realtime.reload import Reload, follow


def test_two_reloads_at_once_take_turns() -> None:
    inside, most = 0, 0
    together = threading.Event()

    def load() -> Config:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        together.wait(0.2)
        inside -= 1
        return Config()

    reload = Reload(create_autospec(Control), load, Config(), lambda line: None)
    threads = [threading.Thread(target=reload) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


@pytest.mark.parametrize("error", [OSError("no more can be watched"), RuntimeError("gone")])
def test_a_file_that_cannot_be_watched_is_looked_at(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    async def awatch(*folders: Path, **settings: Any) -> AsyncIterator[object]:
        raise error
        yield

    monkeypatch.setattr(module, "awatch", awatch)
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 0.02)
    path, read = tmp_path / "config.toml", threading.Event()
    path.write_text("# one")

    async def edit() -> None:
        following = asyncio.create_task(follow(path, read.set))
        await asyncio.sleep(0.1)
        assert not read.is_set() and not following.done()
        path.write_text("# two")
        assert await asyncio.to_thread(read.wait, 20)
        following.cancel()

    asyncio.run(edit())
    assert caplog.text.count(str(error)) == 1
