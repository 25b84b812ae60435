"""From a trained or foreign network to a stamped OpenVINO IR: read -> stamp -> check."""

import realtime  # noqa: F401 - it switches OpenVINO's telemetry off before that is imported
