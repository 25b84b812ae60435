"""Keras files as a SavedModel, which OpenVINO reads.

TensorFlow works in a process of its own: it is large, it is noisy, and its libraries and those of
PyTorch do not like one another.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from realtime.door import how_to_install
from realtime.errors import ModelError

EXPORT = """
import sys, keras
keras.models.load_model(sys.argv[1], compile=False).export(sys.argv[2], verbose=False)
"""
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}


def saved_model(path: Path, folder: Path) -> Path:
    """Export a .keras or .h5 file to a SavedModel within `folder` and return its path.

    Raises `ModelError` without TensorFlow and for a file that Keras does not load.
    """
    if not find_spec("tensorflow"):
        raise ModelError("reading a Keras file needs TensorFlow", how_to_install("keras"))
    target = folder / "saved_model"
    command = [sys.executable, "-c", EXPORT, os.fspath(path), os.fspath(target)]
    done = subprocess.run(command, env=os.environ | QUIET, capture_output=True, text=True)
    if done.returncode:
        reason = ([line for line in done.stderr.splitlines() if line.strip()] or ["?"])[-1]
        raise ModelError(
            f"Keras cannot load {path}: {reason}",
            "a model with layers of its own is exported where they are: model.export(folder)",
        )
    return target
