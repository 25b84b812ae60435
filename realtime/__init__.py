"""Scrim at run time: everything that runs while the camera is on."""

import os
import sys

# A file of a few kilobytes can claim more pixels than memory holds. OpenCV asks a picture's header
# first, whatever its kind, and reads the limit once.
os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = "100000000"

# A broken file is our error to tell, in one line. OpenCV and its FFmpeg write lines of their own.
os.environ.setdefault("OPENCV_LOG_LEVEL", "FATAL")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

# `import openvino` alone sends an event to a web service through this module and writes into the
# home folder. Without it OpenVINO takes its own empty stand-in: nothing of Scrim calls out.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
