"""The share of MPI and the balance of a job's ranks, from outside: nothing is relinked, preloaded or told.

Series of each rank, in microseconds since it was first seen: `mpi.RANK.application_us`, `.mpi_us` and `.elsewhere_us`
are CPU time of its first thread (elsewhere: OpenMP's waits, and what cannot be told), `.others_…` those of its other
threads where it has any; `.mpi_sleep_us` and `.sleep_us` what its first thread slept in MPI and elsewhere,
`.unseen_sleep_us` what it slept before it was first seen asleep: of one that sleeps hardly ever, and so of neither.
Time in which a thread could run but had no CPU is in none of them. `paramon.perf.derive` makes shares and balance of
them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from paramon.owner import NO_RANK, environment, rank_in
from paramon.perf.call import CPU_CLOCK, DISABLED, EXCLUDE_KERNEL, SOFTWARE, Event, Scope, attributes, open_event
from paramon.perf.pace import How, how, turns
from paramon.sample.profile import Process
from paramon.sensors.sensor import Unavailable
from paramon.sensors.status import fields_in, stat_of

if TYPE_CHECKING:
    from paramon.perf.rank import Rank

SERIES = ("application_us", "mpi_us", "elsewhere_us", "others_application_us", "others_mpi_us", "others_elsewhere_us",
          "mpi_sleep_us", "sleep_us", "unseen_sleep_us", "samples", "lost_samples")  # fmt: skip


class Newcomer(NamedTuple):
    """A process that may turn out to be a rank; `looks` at it until now."""

    rank: int
    looks: int


class Followed(NamedTuple):
    """`program`: as of `_program_of`, from before its libraries were looked at."""

    number: int
    program: tuple[bytes, bytes]
    rank: Rank


class Mpi:
    name = "mpi"

    def __init__(self, period: float) -> None:
        """`period`: seconds from one read to the next. Unavailable where no process may be sampled."""
        self._asked = self._period = period
        self._last = time.monotonic()
        self._is_user_only = _is_user_only()
        self._newcomers: dict[int, Newcomer] = {}
        self._ranks: dict[int, Followed] = {}
        self._ended: dict[int, list[int]] = {}
        self._reads = 0
        self._threads = 0
        self._how = self._paced(1)

    def came(self, processes: Sequence[Process]) -> None:
        """Whoever is followed already goes on, unless it executed another program, whose libraries are others."""
        for one in processes:
            followed = self._ranks.get(one.pid)
            if followed is not None:
                if followed.program == _program_of(one.pid, followed.program):
                    continue
                self._end(one.pid)
            self._newcomers[one.pid] = Newcomer(one.rank, 0)

    def read(self) -> dict[str, int]:
        self._meet()
        self._reads += 1
        before, self._last = self._last, time.monotonic()
        passed = self._last - before
        every = turns(len(self._ranks))
        touched = set()
        for at, (pid, (number, _, rank)) in enumerate(list(self._ranks.items())):
            if (at + self._reads) % every:
                continue
            touched.add(number)
            try:
                rank.drain()
            except OSError:
                self._end(pid)
        self._pace(passed)
        return self._series(touched)

    def close(self) -> None:
        for pid in list(self._ranks):
            self._end(pid)

    def _meet(self) -> None:
        """A process is a rank once MPI is among its libraries: a shell around it has the same environment. They are
        loaded in their own time, so it is looked at in the first reads, and after 8, 16, 32 and 64."""
        for pid, (known, looks) in list(self._newcomers.items()):
            number = known
            if known == NO_RANK and looks:  # it came before its launcher had given it a program
                number = rank_in(environment(pid))
            self._newcomers[pid] = Newcomer(number, looks + 1)
            if looks > 4 and looks & (looks - 1):
                continue
            if (number == NO_RANK and looks) or looks >= 64 or self._is_met(pid, number):
                del self._newcomers[pid]

    def _is_met(self, pid: int, number: int) -> bool:
        """Also where it is gone."""
        if number == NO_RANK:
            return False
        from paramon.perf.rank import Rank  # most jobs have none, and need not the 0.3 MiB that looking at one takes
        from paramon.perf.text import Text

        program, text = _program_of(pid), Text(pid)
        try:
            text.reload()
            if text.speaks_mpi:
                self._ranks[pid] = Followed(number, program, Rank(pid, text, self._how))
        except (OSError, Unavailable):
            return True
        return text.speaks_mpi

    def _end(self, pid: int) -> None:
        number, _, rank = self._ranks.pop(pid)
        rank.close()
        known = self._ended.setdefault(number, [0] * len(SERIES))
        self._ended[number] = [old + new for old, new in zip(known, _values(rank))]

    def _pace(self, passed: float) -> None:
        """Anew when there are others, and when reads come at another rate: less often, to keep to a budget."""
        threads = sum(rank.threads for _, _, rank in self._ranks.values())
        period = max(self._asked, passed)
        if threads == self._threads and self._period / 1.5 < period < self._period * 1.5:
            return
        self._period = period
        self._threads, self._how = threads, self._paced(threads)
        for _, _, rank in self._ranks.values():
            rank.set_period(self._how)

    def _paced(self, threads: int) -> How:
        return how(len(self._ranks), threads, self._period, is_user_only=self._is_user_only)

    def _series(self, numbers: set[int]) -> dict[str, int]:
        sums = {number: self._ended.get(number, [0] * len(SERIES)) for number in numbers}
        for number, _, rank in self._ranks.values():
            if number in sums:
                sums[number] = [old + new for old, new in zip(sums[number], _values(rank))]
        return {
            f"mpi.{number}.{name}": value
            for number, values in sums.items()
            for name, value in zip(SERIES, values)
            if value
        }


def _values(rank: Rank) -> list[int]:
    return [*rank.spent, *rank.slept, rank.samples, rank.lost]


def _program_of(pid: int, last: tuple[bytes, bytes] = (b"", b"")) -> tuple[bytes, bytes]:
    """When the process began, and where its stack starts, which is another place after each execve(2); of one whose
    first thread has ended, as at the `last` time. Empty where it is gone."""
    try:
        parts = fields_in(stat_of(f"/proc/{pid}/"))
    except OSError:
        return b"", b""
    return parts[19], last[1] if parts[0] == b"Z" else parts[25]


def _is_user_only() -> bool:
    """Whether only code outside the kernel may be sampled. Unavailable where none may."""
    event = Event(SOFTWARE, CPU_CLOCK)
    try:
        os.close(open_event(attributes(event, DISABLED), Scope(0)))
    except Unavailable:
        os.close(open_event(attributes(event, DISABLED | EXCLUDE_KERNEL), Scope(0)))
        return True
    return False
