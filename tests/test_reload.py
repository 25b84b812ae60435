"""The configuration file, read again while a line runs."""

from __future__ import annotations

import threading
from unittest.mock import create_autospec

from realtime.config import Config
from realtime.control import Control
from realtime.reload import Reload


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
