"""Signals: none of those a line is told cuts off what is being finished."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"])
def test_no_second_signal_cuts_a_recording_off(name: str) -> None:
    if not hasattr(signal, name):
        pytest.skip(f"no {name} here")
    program = f"""
import signal
from realtime.signals import finish

class Line:
    def stop(self):
        signal.raise_signal(signal.{name})
        print("finished")

before = signal.getsignal(signal.{name})
finish(Line())
print(signal.getsignal(signal.{name}) == before)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["finished", "True"], done.stderr
