"""From a trained or foreign network to a stamped OpenVINO IR: read -> stamp -> check.

Importing `openvino` reports to Google Analytics unless the package `openvino_telemetry` is
missing, in which case OpenVINO takes its own stub. Nothing of Scrim calls home, so that package
is made to look missing here, before anything in this island imports `openvino`.
"""

import sys

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment] # None: "not installed"
