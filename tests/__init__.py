"""One file a room. Importing `realtime` first switches OpenVINO's telemetry off here too."""

import realtime  # noqa: F401
