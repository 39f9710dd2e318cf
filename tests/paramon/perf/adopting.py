"""Counters of processes that run already, and what they have counted."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.paramon.perf.test_call import GROUP

from paramon.perf.adopted import Adopted
from paramon.sample.profile import Process

BURNT = 0.3
SEEN = 0.97 * BURNT
"""Of that at least, by counters: a switch of threads takes what none of them has, and there are many at a busy time."""


def seen(pid: int, parent: int | None = None) -> Process:
    """As the table tells of it. `parent`: as it is known there, where that is not so any more."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        parts = file.read().rpartition(b")")[2].split()
    return Process(0, pid, int(parts[19]), int(parts[1]) if parent is None else parent, "", "", -1)


def files() -> int:
    return len(os.listdir("/proc/self/fd"))


def a_tick_later() -> None:
    """What begins now begins in another tick of the clock by which the kernel says when."""
    time.sleep(2 / os.sysconf("SC_CLK_TCK"))


@contextmanager
def adopted(*processes: Process, **how: int) -> Iterator[Adopted]:
    counters = Adopted([GROUP], **how)
    counters.came(processes)
    a_tick_later()
    try:
        yield counters
    finally:
        counters.close()


def spent(counters: Adopted) -> float:
    return counters.read().get("counter.task_clock_ns", 0) / 1e9
