"""The door of a command line: what goes wrong behind it is one line and an exit code. Floor 0."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module

from realtime.errors import ScrimError

EXTRAS = {
    **dict.fromkeys(("torch", "albumentations", "tensorboardX"), "training"),
    **dict.fromkeys(("nncf", "onnxruntime", "ai_edge_litert"), "conversion"),
    "tensorflow": "keras",
}
"""Packages that not everybody installs, and the extra that brings each."""

FULL = (errno.ENOSPC, errno.EDQUOT)


def enter(app: Callable[[], object]) -> None:
    """Run a command line. An error ends it with one line, what to do, and the error's exit code."""
    _fill_closed()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except OSError as error:
        if error.errno == errno.ENOENT and _is_nowhere():
            _tell("the folder that this was called in is gone", "cd to another")
            sys.exit(1)
        if error.errno not in (*FULL, errno.EPIPE):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # it fails no second time
        if error.errno in FULL:  # else whoever reads has had enough
            _tell((error.strerror or str(error)).lower(), "make room on the disk")
        sys.exit(1)
    except ScrimError as error:
        _tell(error.message, error.hint)
        sys.exit(error.exit_code)
    except RuntimeError:  # of whoever asked for it
        if not _is_homeless():
            raise
        _tell("this user has no home folder", "set HOME to a folder that can be written to")
        sys.exit(1)
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        how = how_to_install(EXTRAS[error.name])
        _tell(f"this needs {error.name}, which is not installed", how)
        sys.exit(1)


def how_to_install(extra: str) -> str:
    """Return the command that brings an extra to the Scrim that runs, which stays as it is.

    Where none is installed it would bring another program: `scrim` on PyPI is not this one.
    """
    return f"{sys.executable} -m pip install 'scrim[{extra}]'"


def run_app(module: str) -> None:
    """Import a module and run its `app`; until that is there, Ctrl-C just ends the process."""
    heard = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        app = import_module(module).app
    finally:
        signal.signal(signal.SIGINT, heard)
    app()


def _is_nowhere() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _is_homeless() -> bool:
    """Say whether there is no HOME and no entry for the user, as in some containers."""
    return os.path.expanduser("~") == "~"


def _fill_closed() -> None:
    """Open what was closed at the start: a file of ours would get its number, and in it whatever
    libraries print."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def _tell(message: str, hint: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    if hint:
        print(f"  {hint}", file=sys.stderr)
