"""Hardware counters of what runs already, as a job's script beside which the collector begins: each process from when
it was first seen.

A counter goes on to whatever its process starts from then on (INHERIT). So those alone are counted anew which no
process started that was counted by then: the script, and what a launcher starts from somewhere else, as Slurm does the
ranks of a step.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Sequence
from typing import NamedTuple

from paramon.owner import began
from paramon.perf.call import INHERIT, Event, Scope
from paramon.perf.counters import Counters, Place, counting, once_ran
from paramon.sample.profile import Process
from paramon.sensors.file import content, names
from paramon.sensors.sensor import Unavailable

THREADS_MOST = 256
"""That are counted at once."""
FILES_PART = 4
"""Each thread takes a file for each event: together no more than one in so many of those that may be open."""
TIDY_OPEN, TIDY_KNOWN = 32, 1024
"""Counters, and processes, after which it is looked who is left."""
UNCOUNTED = 0
"""The root of who is in no counters."""
TICKS = os.sysconf("SC_CLK_TCK")


class Counted(NamedTuple):
    """A process of which each child that began at `since` or later is in the counters of `root`, but for those that
    are `older` than these: of the same tick as `since`. In clock ticks since the machine began. `session`: the pid of
    its leader."""

    start: int
    since: int
    root: int
    session: int
    older: frozenset[int] = frozenset()

    def counts(self, one: Process) -> bool:
        """Whether a child is in its counters."""
        return one.start_ticks > self.since or (one.start_ticks == self.since and one.pid not in self.older)


class Adopted:
    """`counter.uncounted`: processes that could not be counted, and with them all that they start."""

    name = "counter"

    def __init__(self, groups: Sequence[dict[str, Event]], threads_most: int = THREADS_MOST) -> None:
        """Unavailable where nothing can be counted."""
        places = counting(groups, Scope(0), INHERIT)
        Counters(self.name, places).close()
        self._groups = [group for group in groups if tuple(group) in {place.names for place in places}]
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._threads_most = min(threads_most, files // FILES_PART // sum(map(len, self._groups)))
        self._known: dict[int, Counted] = {}
        self._open: dict[int, list[Counters]] = {}
        self._ended: dict[str, int] = {}
        self._waited_ns = self._uncounted = 0
        self.why_not_all: tuple[str, str] | None = None
        """Of the first that could not be counted. In English and in Chinese."""
        self._tidy_open, self._tidy_known = TIDY_OPEN, TIDY_KNOWN

    def came(self, processes: Sequence[Process]) -> None:
        """They were there before any of them is counted; each behind its parent."""
        if len(self._open) >= self._tidy_open or len(self._known) >= self._tidy_known:
            self._tidy()
        fresh: dict[int, tuple[Process, int]] = {}
        for one in processes:
            known = self._known.get(one.pid)
            if known and known.start == one.start_ticks:
                continue  # it is told of again: it became another program
            session = _session(one.pid)
            starter = None if one.parent in fresh else self._starter(one, session)
            if starter is None:
                fresh[one.pid] = one, session
                continue
            self._known[one.pid] = Counted(one.start_ticks, one.start_ticks, starter.root, session)
            self._uncounted += starter.root == UNCOUNTED
        for one, session in fresh.values():
            self._adopt(one, session)

    def read(self) -> dict[str, int]:
        """Unavailable for as long as nothing of what was to be counted has ever been."""
        sums = dict(self._ended)
        for counters in self._open.values():
            for one in counters:
                _add(sums, one.read())
                self._waited_ns = max(self._waited_ns, one.waited_ns)
        sums = once_ran(sums, self._waited_ns)
        if self._uncounted:
            sums[f"{self.name}.uncounted"] = self._uncounted
        return sums

    def close(self) -> None:
        for pid in list(self._open):
            self._end(pid)

    def _starter(self, one: Process, session: int) -> Counted | None:
        """Whose counters it is in: its parent's or, where that has ended, its session's leader's, of whom all of a
        session descend."""
        known = self._there_or_ended(one.parent) or (session != one.pid and self._there_or_ended(session))
        return known if known and known.counts(one) else None

    def _there_or_ended(self, pid: int) -> Counted | None:
        """Not another one of that number; a leader's that ended is not given again before its session ends."""
        known = self._known.get(pid)
        return known if known and began(pid, b"") in (b"", b"%d" % known.start) else None

    def _adopt(self, one: Process, session: int) -> None:
        now, older = int(time.clock_gettime(time.CLOCK_BOOTTIME) * TICKS), _children(one.pid)
        try:
            opened = self._opened(one.pid)
        except Unavailable as why:
            self.why_not_all = self.why_not_all or (why.en, why.zh)
            self._uncounted += 1
            self._known[one.pid] = Counted(one.start_ticks, 0, UNCOUNTED, session)
            return
        if not opened:
            return  # it is gone
        if one.pid in self._open:
            self._end(one.pid)
        self._open[one.pid] = opened
        self._known[one.pid] = Counted(one.start_ticks, now, one.pid, session, older)

    def _opened(self, pid: int) -> list[Counters]:
        """Of its threads; none where it is gone. Unavailable where not all of them can be counted."""
        opened: list[Counters] = []
        try:
            threads = [int(name) for name in os.listdir(f"/proc/{pid}/task")]
            if sum(map(len, self._open.values())) + len(threads) > self._threads_most:
                most = self._threads_most
                raise Unavailable(f"the most threads at once are {most}", f"同时最多 {most} 个线程")
            for thread in threads:
                try:
                    opened.append(self._of(thread))
                except ProcessLookupError:
                    continue  # it has ended
        except (FileNotFoundError, ProcessLookupError):
            return []
        except (OSError, Unavailable) as why:
            for one in opened:
                one.close()
            if isinstance(why, OSError):
                raise Unavailable(str(why.strerror), str(why.strerror)) from None
            raise
        return opened

    def _of(self, thread: int) -> Counters:
        """As `counting`, and Unavailable where one of the groups cannot be had."""
        places: list[Place] = []
        try:
            for group in self._groups:
                places += counting([group], Scope(thread), INHERIT)
        except (OSError, Unavailable):
            Counters(self.name, places).close()
            raise
        return Counters(self.name, places)

    def _tidy(self) -> None:
        """Without the counters of whom nobody is left."""
        there = {pid: one for pid, one in self._known.items() if _is_there(pid, b"%d" % one.start)}
        living = {one.root for one in there.values()}
        leaders = {pid: one for pid, one in self._known.items() if pid == one.session and one.root in living}
        self._known = {**leaders, **there}
        for pid in [pid for pid in self._open if pid not in living]:
            self._end(pid)
        self._tidy_open = max(TIDY_OPEN, 2 * len(self._open))
        self._tidy_known = max(TIDY_KNOWN, 2 * len(self._known))

    def _end(self, pid: int) -> None:
        opened = self._open.pop(pid)
        try:
            for counters in opened:
                _add(self._ended, counters.read())
                self._waited_ns = max(self._waited_ns, counters.waited_ns)
        finally:
            for counters in opened:
                counters.close()


class OfAll:
    """That not all are counted is told as what cannot be had, beside what is counted."""

    name = "counter_of_all"

    def __init__(self, adopted: Adopted) -> None:
        self._adopted = adopted

    def read(self) -> dict[str, int]:
        """Nothing; Unavailable where some are not counted."""
        if self._adopted.why_not_all:
            en, zh = self._adopted.why_not_all
            raise Unavailable(
                f"some processes, and what they start, are not counted: {en}", f"部分进程及其子进程未计入：{zh}"
            )
        return {}

    def close(self) -> None:
        """It holds nothing."""


def _is_there(pid: int, start: bytes) -> bool:
    return began(pid, start) == start


def _children(pid: int) -> frozenset[int]:
    """Those that it has now, of all its threads; none where the kernel does not tell (CONFIG_PROC_CHILDREN)."""
    found: set[int] = set()
    for thread in names(f"/proc/{pid}/task"):
        try:
            found.update(map(int, content(f"/proc/{pid}/task/{thread}/children", 1 << 16).split()))
        except OSError:
            continue  # it has ended
    return frozenset(found)


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
