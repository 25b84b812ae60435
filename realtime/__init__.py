"""Scrim at run time: everything that runs while the camera is on."""

import sys

# `import openvino` alone sends an event to a web service through this module and writes into the
# home folder. Without it OpenVINO takes its own empty stand-in: nothing of Scrim calls out.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
