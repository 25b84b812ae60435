"""A sink that is lost and lost again: tried less and less often, and told once."""

from __future__ import annotations

import pytest

from realtime import delivery
from realtime.delivery import Delivery, Outlet
from realtime.errors import SinkLost
from realtime.frame import Frame
from realtime.pixels import slate
from realtime.rests import Rests
from realtime.stats import Stats

SIZE = (64, 36)


class Stopping:
    """Ends a delivery after so many pauses, and keeps them; nobody waits."""

    def __init__(self, pauses: int) -> None:
        self.pauses: list[float] = []
        self._most = pauses

    def is_set(self) -> bool:
        return False

    def wait(self, pause_s: float) -> bool:
        self.pauses.append(pause_s)
        return len(self.pauses) == self._most


class FullDisk:
    """Opens, takes `pictures`, and no more."""

    def __init__(self, pictures: int) -> None:
        self._room = pictures
        self.closed = False

    def write(self, frame: Frame) -> None:
        self._room -= 1
        if self._room < 0:
            raise SinkLost("no space left on device")

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("lasted_s", "pauses"),
    [(0.0, [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0]), (6.0, [0.25] * 7)],
)
def test_what_opens_and_is_lost_at_once_is_tried_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    lasted_s: float,
    pauses: list[float],
) -> None:
    now = [0.0]
    monkeypatch.setattr(delivery.time, "monotonic", lambda: now[0])
    opened: list[FullDisk] = []

    def open_sink() -> FullDisk:
        opened.append(FullDisk(pictures=1))
        return opened[-1]

    def still() -> Frame:
        now[0] += lasted_s
        return slate(SIZE)

    stopping, stats = Stopping(len(pauses)), Stats()
    outlet = Outlet("recording", open_sink, 1000.0)
    Delivery(outlet, still, Rests(), stopping, stats).run(open_sink())  # type: ignore[arg-type]
    assert stopping.pauses == pauses
    assert all(sink.closed for sink in opened)
    assert stats.snapshot()["counts"] == {"recording lost": len(pauses)}
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == (1 if lasted_s == 0 else len(pauses))
