"""How a process's threads waited for processors: kept by thread, and gone with it (proc(5), sched-stats.rst)."""

from __future__ import annotations

import os
from typing import NamedTuple

from paramon.sensors.file import content
from paramon.sensors.status import LAST, number, status_of

RUN_SIZE = 64
SWITCHES = b"\nvoluntary_ctxt_switches:", LAST
THREADS_MOST = 256
"""So many are looked at one by one; of more, some stand for all."""
SCATTER = 2654435761
"""Knuth's: the numbers of a process's threads may all be even."""


class Told(NamedTuple):
    """Of a thread or a process, until now. `ran_us`: on a processor."""

    ran_us: int = 0
    waited_us: int = 0
    voluntary: int = 0
    forced: int = 0


NONE = Told()


class Waits:
    """`sums`: of all threads that there ever were, as of the last look at each; they never fall."""

    __slots__ = ("_ended", "_living", "_weight", "sums")

    def __init__(self) -> None:
        self._living: dict[int, Told] = {}
        self._weight = 1.0
        self._ended = self.sums = NONE

    def read_only_thread(self, pid: int, run: bytes, status: bytes) -> None:
        """`run`: its `schedstat`."""
        self._take({pid: told_of(run, status)}, 0, 1.0)

    def read(self, base: str) -> None:
        """`base`: the folder of the process, with its slash. OSError where it is gone."""
        threads = os.listdir(base + "task")
        mask = _mask(len(threads))
        found = {}
        for name in threads:
            thread = int(name)
            if mask and not _stands_for_others(thread, mask):
                continue
            try:
                of_thread = f"{base}task/{name}/"
                found[thread] = told_of(content(of_thread + "schedstat", RUN_SIZE), status_of(of_thread))
            except (FileNotFoundError, ProcessLookupError):
                continue
            except OSError:
                return  # no file can be opened just now: that is no thread's end
        self._take(found, mask, len(threads) / len(found) if mask and found else 1.0)

    def _take(self, found: dict[int, Told], mask: int, weight: float) -> None:
        """`weight`: for so many threads each of them stands. What a thread did until the last look at it stays known
        when it has ended; who has its number now began at nothing, so that something of it fell."""
        ended = self._ended
        for thread, last in self._living.items():
            now = found.get(thread)
            if now is not None:
                if any(map(int.__lt__, now, last)):
                    ended = _more(ended, last, self._weight)
            elif not mask or _stands_for_others(thread, mask):
                ended = _more(ended, last, self._weight)
        self._ended, self._living, self._weight = ended, found, weight
        for one in found.values():
            ended = _more(ended, one, weight)
        self.sums = Told(*map(max, self.sums, ended)) if any(map(int.__lt__, ended, self.sums)) else ended


def told_of(run: bytes, status: bytes) -> Told:
    """Of a thread, by its `schedstat` and its `status`."""
    ran, waited = run.split()[:2] if run else (0, 0)
    return Told(int(ran) // 1000, int(waited) // 1000, *(number(status, name, 0) for name in SWITCHES))


def _mask(threads: int) -> int:
    """Of the bits that are nought in the scattered numbers of those that stand for all; with each bit half as many."""
    return (1 << ((threads - 1) // THREADS_MOST).bit_length()) - 1


def _stands_for_others(thread: int, mask: int) -> bool:
    return not thread * SCATTER >> 16 & mask


def _more(sums: Told, one: Told, weight: float) -> Told:
    if weight == 1.0 and sums is NONE:
        return one  # most processes have one thread, and keep the same numbers but once
    if weight == 1.0:
        return Told(*map(int.__add__, sums, one))
    return Told(*(known + round(value * weight) for known, value in zip(sums, one)))
