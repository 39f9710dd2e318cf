"""Hardware counters of what runs already, as a job's script beside which the collector begins: each process from when
it was first seen.

A counter goes on to whatever its process starts from then on (INHERIT). So those alone are counted anew which no
process started that was counted by then: the script, and what a launcher starts from somewhere else, as Slurm does the
ranks of a step. Who began in the ten milliseconds in which its parent's counter did is taken to be in that one.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Sequence
from typing import NamedTuple

from paramon.owner import began
from paramon.perf.call import INHERIT, Event, Scope
from paramon.perf.counters import Counters, counting
from paramon.sample.profile import Process
from paramon.sensors.sensor import Unavailable

THREADS_MOST = 256
"""That are counted at once."""
FILES_PART = 4
"""Each thread takes a file for each event: together no more than one in so many of those that may be open."""
TIDY_FIRST = 32
TICKS = os.sysconf("SC_CLK_TCK")


class Counted(NamedTuple):
    """A process of which each child that began at `since` or later is in the counters of `root`. In clock ticks since
    the machine began. `session`: the pid of its leader."""

    start: int
    since: int
    root: int
    session: int


class Adopted:
    """`counter.uncounted`: processes that could not be counted, and with them all that they start."""

    name = "counter"

    def __init__(self, groups: Sequence[dict[str, Event]], threads_most: int = THREADS_MOST) -> None:
        """Unavailable where nothing can be counted."""
        Counters(self.name, counting(groups, Scope(0), INHERIT)).close()
        self._groups = groups
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._threads_most = min(threads_most, files // FILES_PART // sum(map(len, groups)))
        self._known: dict[int, Counted] = {}
        self._open: dict[int, list[Counters]] = {}
        self._ended: dict[str, int] = {}
        self._uncounted = 0
        self._tidy_at = TIDY_FIRST

    def came(self, processes: Sequence[Process]) -> None:
        """They were there before any of them is counted."""
        fresh = []
        for one in processes:
            known = self._known.get(one.pid)
            if known and known.start == one.start_ticks:
                continue  # it is told of again: it became another program
            session = _session(one.pid)
            starter = self._counted_starter(one, session)
            if starter:
                self._known[one.pid] = Counted(one.start_ticks, one.start_ticks, starter.root, session)
            else:
                fresh.append((one, session))
        for one, session in fresh:
            self._adopt(one, session)

    def read(self) -> dict[str, int]:
        sums = dict(self._ended)
        for counters in self._open.values():
            for one in counters:
                _add(sums, one.read())
        if self._uncounted:
            sums[f"{self.name}.uncounted"] = self._uncounted
        return sums

    def close(self) -> None:
        for pid in list(self._open):
            self._end(pid)

    def _counted_starter(self, one: Process, session: int) -> Counted | None:
        """Its parent or, where that has ended, the leader of its session: all of a session descend from that one."""
        for pid in {one.parent, session} - {one.pid}:
            known = self._known.get(pid)
            # A number may be another's by now; one that ended is not given again as long as there is its session.
            if known and one.start_ticks >= known.since and began(pid) in (b"", b"%d" % known.start):
                return known
        return None

    def _adopt(self, one: Process, session: int) -> None:
        if len(self._open) >= self._tidy_at:
            self._tidy()
        opened: list[Counters] = []
        try:
            threads = [int(name) for name in os.listdir(f"/proc/{one.pid}/task")]
            if sum(map(len, self._open.values())) + len(threads) > self._threads_most:
                self._uncounted += 1
                return
            for thread in threads:
                opened.append(self._of(thread))  # noqa: PERF401  # those of the others stay where one fails
        except (OSError, Unavailable):
            if not opened:
                self._uncounted += began(one.pid) == b"%d" % one.start_ticks
                return  # it is gone, or is not to be looked at
        if one.pid in self._open:
            self._end(one.pid)
        self._open[one.pid] = opened
        now = int(time.clock_gettime(time.CLOCK_BOOTTIME) * TICKS)
        self._known[one.pid] = Counted(one.start_ticks, now, one.pid, session)

    def _of(self, thread: int) -> Counters:
        return Counters(self.name, counting(self._groups, Scope(thread), INHERIT))

    def _tidy(self) -> None:
        """Without the counters of whom nobody is left."""
        there = {pid: one for pid, one in self._known.items() if began(pid) == b"%d" % one.start}
        living = {one.root for one in there.values()}
        leaders = {pid: one for pid, one in self._known.items() if pid == one.session and one.root in living}
        self._known = {**leaders, **there}
        for pid in [pid for pid in self._open if pid not in living]:
            self._end(pid)
        self._tidy_at = max(TIDY_FIRST, 2 * len(self._open))

    def _end(self, pid: int) -> None:
        for counters in self._open.pop(pid):
            _add(self._ended, counters.read())
            counters.close()


def _session(pid: int) -> int:
    """0 where it is gone."""
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def _add(sums: dict[str, int], more: dict[str, int]) -> None:
    for name, value in more.items():
        worst = name.endswith(".running_permille")
        sums[name] = min(sums.get(name, 1000), value) if worst else sums.get(name, 0) + value
