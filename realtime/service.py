"""Scrim as a systemd user service: written, started, stopped and removed. Floor 4."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from realtime.errors import ServiceUnavailable
from realtime.sinks.whole import unwritable, write_whole

NAME = "scrim.service"

UNIT = """\
[Unit]
Description=Scrim, another room behind you

[Service]
{settings}ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
WorkingDirectory={folder}
Restart=on-failure
RestartSec=5
# A wrong configuration or a missing network does not get better by trying again.
RestartPreventExitStatus=2 3
NoNewPrivileges=true

[Install]
WantedBy=default.target
"""


def unit_path(environment: Mapping[str, str]) -> Path:
    """Return where systemd looks for a user's own units."""
    home = environment.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "systemd" / "user" / NAME


def install(
    command: Sequence[str],
    settings: Mapping[str, str],
    folder: Path,
    environment: Mapping[str, str],
) -> Path:
    """Write the unit that runs a command in a folder, and start it. Returns where it lies.

    `settings` are what the command finds in its environment: a token in its words could be read
    by every user of the machine. Raises `SinkUnavailable` when the unit cannot be written,
    `ServiceUnavailable` when it is written but systemd does not start it.
    """
    path = unit_path(environment)
    variables = (f"{name}={value}" for name, value in settings.items())
    unit = UNIT.format(
        settings="".join(f"Environment={_quote(variable)}\n" for variable in variables),
        command=" ".join(_quote(word).replace("$", "$$") for word in command),
        folder=str(folder).replace("%", "%%"),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path.parent, error) from error
    write_whole(path, unit.encode(), mode=0o600)
    _systemctl(f"{path} is written", "daemon-reload")
    _systemctl(f"{path} is written", "enable", "--now", NAME)
    return path


def uninstall(environment: Mapping[str, str]) -> Path:
    """Stop the service and remove its unit.

    Raises `ServiceUnavailable` where there is none, and when it is removed but systemd refuses,
    `SinkUnavailable` when it cannot be removed.
    """
    path = unit_path(environment)
    if not path.exists():
        raise ServiceUnavailable(f"there is no {path}", "scrim install-service")
    try:
        _systemctl(f"{path} is removed", "disable", "--now", NAME)
    finally:
        _remove(path)
    _systemctl(f"{path} is removed", "daemon-reload")
    return path


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise unwritable(path, error) from error


def _systemctl(done: str, *words: str) -> None:
    """Ask systemd; a refusal begins with what is done all the same."""
    command = ["systemctl", "--user", *words]
    if shutil.which("systemctl") is None:
        raise ServiceUnavailable(
            f"{done}, but there is no systemd here", f"elsewhere: {' '.join(command)}"
        )
    asked = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    if asked.returncode:
        raise ServiceUnavailable(f"{done}, but systemd: {asked.stderr.strip()}", " ".join(command))


def _quote(word: str) -> str:
    """Quote a word as systemd.syntax(7) reads it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + escaped.replace("%", "%%") + '"'
