"""What a camera's link carries, told no more often than it can be heeded, in aiortc's place.

aiortc tells it (REMB) at every packet while packets come later and later, as they do too when this
machine has too much to do: telling took a fifth of the event loop's time then.
"""

from __future__ import annotations

import math

from aiortc.rate import RemoteBitrateEstimator

TELL_MS = 200
"""Milliseconds between two estimates: the longest round trip that libwebrtc waits for before it
asks for less again."""


class Estimator(RemoteBitrateEstimator):  # type: ignore[misc]  # aiortc has no types
    """An estimator of a receiver that leaves out what comes too soon after the last one."""

    def __init__(self) -> None:
        super().__init__()
        self._told_ms = -math.inf

    def add(
        self, arrival_time_ms: int, abs_send_time: int, payload_size: int, ssrc: int
    ) -> tuple[int, list[int]] | None:
        """Take a packet; return bits a second and for which sources, or None: nothing to tell."""
        told: tuple[int, list[int]] | None = super().add(
            arrival_time_ms, abs_send_time, payload_size, ssrc
        )
        if told is None or arrival_time_ms - self._told_ms < TELL_MS:
            return None
        self._told_ms = arrival_time_ms
        return told
