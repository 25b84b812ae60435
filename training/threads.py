"""How many threads to compute with while others use the machine too.

Two threads that meet at the end of every layer are slower than one when either is kept waiting by
other programs, and nearly twice as fast when the machine is idle. Nobody knows which it will be,
so both are tried now and then.
"""

import os
import time
from collections.abc import Callable
from statistics import median

import torch

EVERY = 150  # steps between trials
TRIAL = 3  # steps a trial


class Threads:
    """Runs steps with the number of threads that was fastest when last tried."""

    def __init__(self, fixed: int = 0):
        most = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self.choices = [fixed] if fixed else sorted({1, most or 1})
        self.plan: list[int] = []
        self.times: dict[int, list[float]] = {}
        self.best, self.steps = self.choices[0], 0

    def run(self, step: Callable[[], dict[str, float]]) -> dict[str, float]:
        """Take one step."""
        if len(self.choices) > 1 and self.steps % EVERY == 20:
            self.plan, self.times = self.choices * TRIAL, {}
        threads = self.plan.pop(0) if self.plan else self.best
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        begin = time.monotonic()
        result = step()
        self.times.setdefault(threads, []).append(time.monotonic() - begin)
        if not self.plan and len(self.times) == len(self.choices) > 1:
            self.best = min(self.times, key=lambda n: median(self.times[n]))
            self.times = {}
        self.steps += 1
        return result
