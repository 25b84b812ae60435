"""Memory that is needed no more goes back to the system. Floor 1.

Python keeps what refers to itself until it looks for such things, and glibc what each thread has
freed: of 485 MB after eight rounds of four cameras 170 were needed by nobody.
"""

from __future__ import annotations

import ctypes
import gc
import sys


def settle() -> None:
    """Take all that there is now as what stays: no later look for what is needed no more goes
    through it, which stopped all threads for 60 ms."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Free what is needed no more and give it back; glibc's heap alone can."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim:
            trim(0)
