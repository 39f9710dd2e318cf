"""Processes of the job that came and went between two looks, as the kernel told of their ends: sums by program. A row
for each would be most of the profile of a job that starts hundreds a second."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from paramon.sample.sink import Rows
from paramon.sensors.process import PEAK, READ_BYTES, RSS, STATE, SYSTEM, USER, WRITE_BYTES, ZOMBIE, Watched
from paramon.sensors.taskstats import Exit
from paramon.spent import TICK_US, Spent

NAMES_MOST = 64
OTHERS = "(others)"
PEAK_RSS = "peak_rss_kib"
"""0 where it is not told."""
WHAT = ("count", "cpu_us", PEAK_RSS, "read_bytes", "written_bytes")
PATIENCE_LOOKS = 3
"""So long a process waits for its parent to turn up; one of another job waits in vain."""
WAITING_MOST = 20_000


class Ends(Protocol):
    """Of threads of the job, and perhaps of others."""

    @property
    def lost(self) -> int | None:
        """Times that some could not be told; None where that cannot be."""

    def drain(self) -> Sequence[Exit]: ...

    def close(self) -> None: ...


class Ended(NamedTuple):
    """All threads of a process that have ended until now, together: as Exit tells of each."""

    parent: int
    name: str
    user_us: int
    system_us: int
    peak_rss_kib: int
    read_bytes: int
    written_bytes: int
    nearest_us: int
    has_ended: bool
    """Its first thread too."""

    @property
    def cpu_us(self) -> int:
        """At least: its parent is told of all, and what is guessed here must not be counted there once more."""
        return self.user_us + self.system_us

    def complete(self, values: list[int]) -> None:
        """The last row of a process that was looked at: what it did since then, too."""
        missing = self.cpu_us // TICK_US - values[USER] - values[SYSTEM]
        if missing > 0:
            in_kernel = missing * self.system_us // self.cpu_us
            values[SYSTEM] += in_kernel
            values[USER] += missing - in_kernel
        values[PEAK] = max(values[PEAK], self.peak_rss_kib)
        values[READ_BYTES] = max(values[READ_BYTES], self.read_bytes)
        values[WRITE_BYTES] = max(values[WRITE_BYTES], self.written_bytes)


class ShortLived:
    def __init__(self, ends: Ends, spent: Spent) -> None:
        self._ends, self._spent = ends, spent
        self._waiting: dict[int, Ended] = {}
        self._since: dict[int, int] = {}
        self._looks = 0
        self._sums: dict[str, list[int]] = {}
        self._changed: set[str] = set()

    def drain(self) -> None:
        for one in self._ends.drain():
            if one.process not in self._waiting and len(self._waiting) >= WAITING_MOST:
                continue
            known = self._waiting.pop(one.process, None)  # the order is that of their ends
            self._waiting[one.process] = _of_thread(one) if known is None else _joined(known, one)
            self._since[one.process] = self._looks

    def comes(self, watched: Watched) -> None:
        """It is looked at from now on; what was told of its number is an earlier process's, unless it has ended."""
        known = self._waiting.get(watched.pid)
        if known is None or not known.has_ended:
            return
        if watched.values[STATE] == ZOMBIE or not watched.values[RSS]:  # its memory goes before it is a zombie
            watched.had(known.peak_rss_kib)
        else:
            del self._waiting[watched.pid], self._since[watched.pid]

    def of(self, pid: int) -> Ended | None:
        """What was told of a process that was looked at and is gone; it is not told of twice."""
        if pid not in self._waiting:
            self.drain()
        self._since.pop(pid, None)
        return self._waiting.pop(pid, None)

    def settle(self, seen: Mapping[str, tuple[int, Watched]], there: Container[str], roots: Iterable[int]) -> None:
        """Count those that are the job's: their parent is one that was `seen`, or one of `roots`, or counted itself.
        It must be done before a parent that is gone is counted, which knows the time of its children. Who is still
        `there`, as a zombie perhaps, is looked at instead."""
        self._looks += 1
        gone = {}
        for pid, one in self._waiting.items():
            if one.has_ended and str(pid) in seen:
                seen[str(pid)][1].had(one.peak_rss_kib)
            elif one.has_ended and str(pid) not in there:
                gone[pid] = one
        ours = set(roots)
        while True:
            fresh = {pid for pid, one in gone.items() if one.parent in ours or str(one.parent) in seen} - ours
            if not fresh:
                break
            ours |= fresh
        for pid, one in gone.items():
            if pid in ours:
                self._count(pid, one)
                del self._waiting[pid], self._since[pid]
        for pid in [pid for pid, since in self._since.items() if self._looks - since > PATIENCE_LOOKS]:
            if str(pid) not in seen:
                del self._waiting[pid], self._since[pid]

    def points(self, chunk: Rows, *, is_first: bool) -> None:
        """`exits.NAME.count`, and so on; `is_first`: of a chunk, in which each series begins."""
        for name in self._sums if is_first else self._changed:
            start = f"exits.{name}."
            for what, value in zip(WHAT, self._sums[name]):
                if value or what != PEAK_RSS:
                    chunk.point(start + what, value)
        self._changed.clear()
        if self._ends.lost is not None:
            chunk.point("exits.lost", self._ends.lost)

    def close(self) -> None:
        self._ends.close()

    def _count(self, pid: int, one: Ended) -> None:
        # It was told of before this look; who waited for its parent to turn up, before the parent's first one.
        is_late = self._since[pid] == self._looks - 1
        self._spent.unseen(pid, one.parent, one.cpu_us, is_late=is_late)
        name = one.name if one.name in self._sums or len(self._sums) < NAMES_MOST else OTHERS
        sums = self._sums.setdefault(name, [0] * len(WHAT))
        sums[0] += 1
        sums[1] += one.nearest_us
        sums[2] = max(sums[2], one.peak_rss_kib)
        sums[3] += one.read_bytes
        sums[4] += one.written_bytes
        self._changed.add(name)


def _of_thread(one: Exit) -> Ended:
    has_ended = one.thread == one.process
    told = (one.user_us, one.system_us, one.peak_rss_kib, one.read_bytes, one.written_bytes, one.cpu_us)
    return Ended(one.parent, one.name, *told, has_ended)


def _joined(known: Ended, one: Exit) -> Ended:
    """A process has the name of its first thread."""
    is_first = one.thread == one.process
    return Ended(
        one.parent if is_first else known.parent,
        one.name if is_first else known.name,
        known.user_us + one.user_us,
        known.system_us + one.system_us,
        max(known.peak_rss_kib, one.peak_rss_kib),
        known.read_bytes + one.read_bytes,
        known.written_bytes + one.written_bytes,
        known.nearest_us + one.cpu_us,
        known.has_ended or is_first,
    )
