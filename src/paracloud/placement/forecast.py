"""When a job would start in a queue, by playing the queue forward as its scheduler would. Pure.

Two things are known of every job there: how long its scheduler reserves for it (the time that was asked for), and how
long it is expected to run. The scheduler decides by the first, the jobs end by the second. To play with one of them
alone is wrong either way: with the asked time everything ends too late, with the expected one holes are filled that
the scheduler would keep free.

EASY backfilling: the first job that does not fit gets a reservation at the earliest moment at which it must fit by
what is reserved; another may pass it where it ends before that moment, or leaves enough for it (A. W. Mu'alem and
D. G. Feitelson, IEEE TPDS 12(6), 2001).
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import heapify, heappop, heappush
from math import inf
from typing import NamedTuple


class Discipline(StrEnum):
    """How a centre takes jobs from its queue. EASY_SJF fills holes with the shortest first; EASY_PP does so by what the
    user's last two jobs took (D. Tsafrir, Y. Etsion and D. G. Feitelson, IEEE TPDS 18(6), 2007)."""

    FCFS = "fcfs"
    EASY = "easy"
    EASY_SJF = "easy-sjf"
    EASY_PP = "easy++"

    @property
    def shortest_first(self) -> bool:
        return self in (Discipline.EASY_SJF, Discipline.EASY_PP)


class Running(NamedTuple):
    """Times in seconds of the same clock as `now`; `expected_end` is when it is expected to give its processors back,
    `reserved_end` when it has to."""

    expected_end: float
    reserved_end: float
    procs: int


class Waiting(NamedTuple):
    """`reserved` and `expected`: seconds."""

    procs: int
    reserved: float
    expected: float


@dataclass(frozen=True, slots=True)
class QueueState:
    """What is known of one queue: `capacity` and `free` in processors, `waiting` in the order of arrival."""

    capacity: int
    free: int
    running: Sequence[Running]
    waiting: Sequence[Waiting]
    discipline: Discipline = Discipline.EASY


def forecast(state: QueueState, now: float, job: Waiting, limit: float = inf) -> float:
    """The moment at which the job would start if it came now and nothing else came after it; infinite where it never
    would, or not before `limit`."""
    if job.procs > state.capacity:
        return inf
    if not state.waiting and job.procs <= state.free:
        return now
    starts = _play(state, [*state.waiting, job], now, len(state.waiting), limit)
    return starts.get(len(state.waiting), inf)


def forecast_waiting(state: QueueState, now: float, limit: float = inf) -> dict[int, float]:
    """The moments at which those that wait would start if nothing else came, by their place in `waiting`; what would
    not before `limit` is absent."""
    return _play(state, state.waiting, now, None, limit)


def _play(state: QueueState, jobs: Sequence[Waiting], now: float, wanted: int | None, limit: float) -> dict[int, float]:
    """Until `wanted` starts, or all have."""
    played = _Played(state, jobs, now)
    while played.queue:
        played.take(now)
        if wanted is not None and wanted in played.starts:
            break
        if not played.ends:
            break  # what is left is wider than what there is
        now = played.next_end()
        if now >= limit:
            break
    return played.starts


class _Played:
    """The queue's state while it is played."""

    __slots__ = ("ends", "free", "is_filled", "jobs", "queue", "reserved", "shortest_first", "starts")

    def __init__(self, state: QueueState, jobs: Sequence[Waiting], now: float) -> None:
        self.jobs = jobs
        self.free = state.free
        self.is_filled = state.discipline is not Discipline.FCFS
        self.shortest_first = state.discipline.shortest_first
        self.queue = list(range(len(jobs)))
        self.starts: dict[int, float] = {}
        # What should have ended by now ends next: nobody knows better.
        soon = now + 1
        self.ends = [(max(one.expected_end, soon), one.reserved_end, one.procs) for one in state.running]
        heapify(self.ends)
        self.reserved = sorted((one.reserved_end, one.procs) for one in state.running)

    def take(self, now: float) -> None:
        """Start what may start."""
        first, jobs = 0, self.jobs
        while first < len(self.queue) and jobs[self.queue[first]].procs <= self.free:
            self._start(self.queue[first], now)
            first += 1
        if first:
            del self.queue[:first]
        if self.is_filled and self.free and len(self.queue) > 1:
            self._fill(now)

    def _fill(self, now: float) -> None:
        jobs = self.jobs
        shadow, extra = reservation(self.reserved, self.free, jobs[self.queue[0]].procs)
        others = self.queue[1:]
        if self.shortest_first:
            others.sort(key=lambda at: jobs[at].reserved)
        begun = set()
        for at in others:
            procs, reserved, _ = jobs[at]
            if procs > self.free:
                continue
            if now + reserved > shadow:
                if procs > extra:
                    continue
                extra -= procs
            self._start(at, now)
            begun.add(at)
            if not self.free:
                break
        if begun:
            self.queue = [at for at in self.queue if at not in begun]

    def _start(self, at: int, now: float) -> None:
        procs, reserved, expected = self.jobs[at]
        self.starts[at] = now
        self.free -= procs
        insort(self.reserved, (now + reserved, procs))
        heappush(self.ends, (now + max(expected, 1), now + reserved, procs))

    def next_end(self) -> float:
        now = self.ends[0][0]
        while self.ends and self.ends[0][0] == now:
            _, reserved_end, procs = heappop(self.ends)
            self.free += procs
            del self.reserved[bisect_left(self.reserved, (reserved_end, procs))]
        return now


def reservation(reserved: Sequence[tuple[float, int]], free: int, needed: int) -> tuple[float, int]:
    """From when on the first job of a queue fits for certain, and how many processors it leaves then: `reserved` are
    the ends that the scheduler counts on, with their processors, in order. What ends at that very moment counts."""
    available, shadow = free, inf
    for end, procs in reserved:
        if end > shadow:
            break
        available += procs
        if available >= needed:
            shadow = end
    return shadow, available - needed
