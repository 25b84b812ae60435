"""The slot: newest wins, nobody waits for nobody."""

from __future__ import annotations

import threading

from realtime.slot import Slot


def test_newest_wins_and_drops_are_counted() -> None:
    slot: Slot[int] = Slot()
    for number in range(5):
        slot.put(number)
    assert slot.take(0) == 4
    assert slot.drops == 4
    assert slot.take(0) is None


def test_take_wakes_when_something_comes() -> None:
    slot: Slot[str] = Slot()
    taken: list[str | None] = []
    waiter = threading.Thread(target=lambda: taken.append(slot.take()))
    waiter.start()
    slot.put("frame")
    waiter.join(5)
    assert taken == ["frame"]


def test_close_wakes_waiters_and_keeps_the_last_item() -> None:
    slot: Slot[int] = Slot()
    slot.put(1)
    slot.close()
    slot.put(2)
    assert slot.take() == 1
    assert slot.take() is None


def test_numbers_never_go_back_between_two_threads() -> None:
    slot: Slot[int] = Slot()
    seen: list[int] = []

    def taker() -> None:
        while (item := slot.take()) is not None:
            seen.append(item)

    thread = threading.Thread(target=taker)
    thread.start()
    for number in range(1, 5000):
        slot.put(number)
    slot.close()
    thread.join(5)
    assert seen == sorted(set(seen))
    assert seen[-1] == 4999
    assert len(seen) + slot.drops == 4999
