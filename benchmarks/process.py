"""Measurements run in processes of their own, so that none inherits another's memory or threads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def run(*arguments: str, python: str = sys.executable) -> Any:
    """Run `python -m arguments...` from the repository's root and return the JSON it prints.

    What it writes to stderr is shown only when it fails, which ends this program as well.
    """
    command = [python, "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stderr}\nerror: python {' '.join(command[1:])} failed")
    return json.loads(done.stdout)
