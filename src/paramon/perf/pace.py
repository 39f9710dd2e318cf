"""How often the ranks of a node are sampled: all of them together within a budget."""

from __future__ import annotations

import os
from typing import NamedTuple

FASTEST = 199
"""Samples a second of CPU time of one thread; no multiple of what a timer ticks at. Of 99, programs whose rounds take a
part of that came into step with it: what took a quarter of a round was seen too little by a tenth."""
SAMPLES_MOST = 400
"""A second, of all ranks of the node together: at 2 µs each, 0.1 % of a core."""
CORES = os.cpu_count() or 1
"""No more threads than that run at once."""
RANKS_A_TICK = 16
"""More than that take turns."""
THREADS_MOST = 256
"""Of all ranks of the node together; each holds 36 KiB of memory that cannot be swapped."""
STACK_BYTES = 256
SAMPLE_BYTES = 40 + STACK_BYTES
PAGES = 8
"""That a thread shares with the kernel for its samples."""
PAGE = os.sysconf("SC_PAGE_SIZE")


class How(NamedTuple):
    """`period_ns`: CPU time of a thread from one sample to the next. `is_user_only`: not of the kernel's."""

    period_ns: int
    is_user_only: bool
    threads_most: int


def how(ranks: int, threads: int, period: float, *, is_user_only: bool) -> How:
    """`period`: seconds from one read to the next."""
    return How(int(1e9 / pace(ranks, threads, period)), is_user_only, max(THREADS_MOST // max(ranks, 1), 1))


def pace(ranks: int, threads: int, period: float) -> float:
    """Samples a second of CPU time of a thread: as many as all of them together may cost, and as what is shared with
    the kernel has room for until it is read. More threads than cores have less than a core each; where one has more for
    a while, the samples that were lost are known in number."""
    room = 0.7 * PAGES * PAGE / SAMPLE_BYTES / (period * turns(ranks))
    return min(FASTEST, SAMPLES_MOST / max(min(threads, CORES), 1), room * max(threads / CORES, 1))


def turns(ranks: int) -> int:
    """Reads from one look at a rank to the next."""
    return -(-ranks // RANKS_A_TICK) or 1
