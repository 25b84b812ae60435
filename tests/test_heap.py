"""Memory goes back to the system, and what stays is not looked through for it."""

from __future__ import annotations

import gc
import sys
import weakref

import psutil
import pytest

from realtime import heap

BLOCK, BLOCKS = 100_000, 1000
"""Bytes that glibc takes from its heap; blocks of them, 100 MB."""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc's heap can be told")
def test_what_is_free_goes_back_to_the_system() -> None:
    process = psutil.Process()
    blocks = [bytearray(b"x") * BLOCK for _ in range(BLOCKS)]
    last, full = blocks.pop(), process.memory_info().rss
    blocks.clear()  # below the last one, so that it stays with the process
    assert process.memory_info().rss > full - BLOCK * BLOCKS / 2
    heap.give_back()
    assert process.memory_info().rss < full - BLOCK * BLOCKS / 2
    assert last


def test_what_refers_to_itself_is_freed_though_all_that_there_was_is_settled() -> None:
    class Ring:
        def __init__(self) -> None:
            self.ring = self

    before = gc.get_freeze_count()
    try:
        heap.settle()
        assert gc.get_freeze_count() > before
        left = weakref.ref(Ring())
        assert left()
        heap.give_back()
        assert left() is None
    finally:
        gc.unfreeze()
