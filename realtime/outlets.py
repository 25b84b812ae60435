"""Where the local line's pictures go: a virtual camera, a recording. Floor 4."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from realtime.config import Config
from realtime.contract import Size
from realtime.delivery import Outlet, Sink
from realtime.errors import SinkUnavailable


def make_outlets(config: Config, notice: Callable[[str], None]) -> list[Outlet]:
    """Return the sinks of the local line. Raises `SinkUnavailable` for one that is insisted on."""
    outlets = []
    if config.virtualcam.enabled is not False:
        outlets += _virtual_camera(config, notice)
    if config.recording.path:
        outlets.append(_recording(config))
    return outlets


def _virtual_camera(config: Config, notice: Callable[[str], None]) -> list[Outlet]:
    from realtime.sinks.virtualcam import VirtualCameraSink

    size: Size = (config.camera.width, config.camera.height)
    fps = config.camera.fps
    try:
        first = VirtualCameraSink(config.virtualcam.device, size, fps)
    except SinkUnavailable as error:
        if config.virtualcam.enabled is True:
            raise
        notice(f"meeting apps get no picture: {error}")
        return []
    again = partial(VirtualCameraSink, first.device, size, fps)
    device = first.device if sys.platform == "linux" else ""
    return [Outlet("virtual camera", _first_then(first, again), fps, device)]


def _first_then(first: Sink, again: Callable[[], Sink]) -> Callable[[], Sink]:
    """Hand out a sink that is already open, and later ones as they are asked for."""
    ready = [first]
    return lambda: ready.pop() if ready else again()


def _recording(config: Config) -> Outlet:
    from realtime.sinks.recording import RecordingSink

    path, fps = Path(config.recording.path), config.camera.fps
    return Outlet("recording", lambda: RecordingSink(path, fps, numbered=True), fps)
