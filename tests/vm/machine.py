"""The guest's webcam, which is vivid's, and its virtual camera, v4l2loopback's."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.vm.program import wait_until

CAMERA, VIRTUAL, LABEL = "/dev/video0", "/dev/video10", "Scrim-test"

LOOPBACK = ("video_nr=10", "exclusive_caps=1", f"card_label={LABEL}")

NEWER = Path("/lib/modules/newer/v4l2loopback.ko")

VIVID = Path("/sys/bus/platform/drivers/vivid")


def plug_in(number: int) -> None:
    one_webcam = ["n_devs=1", "node_types=0x1", "num_inputs=1", "input_types=0x0"]
    subprocess.run(["modprobe", "vivid", *one_webcam, f"vid_cap_nr={number}"], check=True)
    wait_until(Path(f"/dev/video{number}").exists)


def unplug() -> None:
    (VIVID / "unbind").write_text("vivid.0")
    wait_until(lambda: subprocess.run(["rmmod", "vivid"]).returncode == 0)


def format_of(device: str) -> str:
    asked = ["v4l2-ctl", "-d", device, "--get-fmt-video"]
    return subprocess.run(asked, capture_output=True, text=True).stdout


def inject(error: str) -> None:
    """Press one of vivid's buttons, at the node that its camera has by now."""

    def pressed() -> bool:
        nodes = Path("/sys/class/video4linux").glob("*/name")
        found = [node.parent.name for node in nodes if node.read_text().strip().endswith("vid-cap")]
        words = [f"--set-ctrl={error}=1"]
        return any(not subprocess.call(["v4l2-ctl", "-d", f"/dev/{n}", *words]) for n in found)

    wait_until(pressed, error)
