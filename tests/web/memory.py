"""How much memory this process has asked for and not given back, by glibc's count."""

from __future__ import annotations

import ctypes
import gc

libc = ctypes.CDLL(None)


class Counts(ctypes.Structure):
    """What mallinfo2(3) gives."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


libc.mallinfo2.restype = Counts


def used_mb() -> float:
    """Return what malloc has given out. What is resident varies by more: there are holes in it."""
    gc.collect()
    counts = libc.mallinfo2()
    return (counts.uordblks + counts.hblkhd) / 2**20
