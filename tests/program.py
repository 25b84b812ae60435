"""`scrim run` in a process of its own, and what can be seen of it from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from realtime.ctl import send, socket_path
from realtime.errors import ControlUnavailable

ROOT = Path(__file__).parent.parent
PATIENCE_S = 30.0

CONFIG = """\
[matting]
model = "{model}"
[camera]
width = 320
height = 180
[scene]
backdrop = "{backdrop}"
folder = "backdrops"
[web]
enabled = false
[virtualcam]
enabled = false
"""


class Program:
    """A running `scrim run` in a folder of its own."""

    def __init__(
        self, folder: Path, model: Path, *words: str, terminal: int | None = None, **options: Any
    ) -> None:
        self.folder = folder
        self._model = model
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "XDG_RUNTIME_DIR": str(folder),
            "XDG_STATE_HOME": str(folder),
        }
        self.socket = socket_path(self._environment)
        self.write(folder / "config.toml", "#111111")
        with (folder / "log").open("w") as log:
            run = ("run", "-i", "pattern", *words)
            self.process = self._scrim(*run, stderr=terminal or log, **options)

    def write(self, path: Path, backdrop: str) -> None:
        path.write_text(CONFIG.format(model=self._model, backdrop=backdrop))

    def _scrim(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "realtime", *words]
        return subprocess.Popen(
            command, cwd=self.folder, env=self._environment, text=True, **options
        )

    def ctl(self, *words: str) -> tuple[int, str, str]:
        """Run `scrim ctl` and return exit code, stdout and stderr."""
        pipe = subprocess.PIPE
        asked = self._scrim("ctl", *words, stdout=pipe, stderr=pipe)
        out, err = asked.communicate(timeout=PATIENCE_S)
        return asked.returncode, out, err

    def state(self) -> dict[str, Any]:
        try:
            return send(self.socket, [])
        except ControlUnavailable:
            return {}

    def backdrop(self) -> str:
        return str(self.state().get("config", {}).get("scene", {}).get("backdrop"))

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def wait_until(self, holds: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not holds():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < until, (self.log(), self.state())
            time.sleep(0.1)
