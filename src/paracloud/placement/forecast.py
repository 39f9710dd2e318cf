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
    if not state.discipline.shortest_first:
        return Outlook(state, now).start(job, now, limit)
    last = len(state.waiting)
    played = _Played(state, [*state.waiting, job], now)
    while now < limit:
        played.take(now)
        if last in played.starts:
            return now
        now = played.next_end()
    return inf


class Outlook:
    """What would happen in a queue if nothing else came, played no further than somebody asks. It is good for any
    number of questions until something happens there: a job that comes last is looked at last, so when it starts
    depends on the others, and they start as they would without it until then. (Where the shortest go first it can pass
    others: then it may start earlier than is said here.)"""

    def __init__(self, state: QueueState, now: float) -> None:
        self.state = state
        self._played = _Played(state, state.waiting, now)
        self._next: float = now
        self._passes: list[tuple[float, int, float, int]] = []

    @property
    def is_current_until(self) -> float:
        """The first moment at which something is expected to end: it is out of date then, if nothing did."""
        if not self._passes:
            self._pass()
        return self._passes[1][0] if len(self._passes) > 1 else self._next

    def start(self, job: Waiting, now: float, limit: float = inf) -> float:
        """As `forecast` says it."""
        procs, reserved, _ = job
        at = 0
        while True:
            if at == len(self._passes) and not self._pass():
                return inf
            moment, free, shadow, extra = self._passes[at]
            moment = max(moment, now)
            if moment >= limit:
                return inf
            if procs <= free and (moment + reserved <= shadow or procs <= extra):
                return moment
            at += 1

    def starts(self, most: int | None = None) -> dict[int, float]:
        """When those start that wait, by their place in `waiting`; of the first `most` of them at least. Without those
        that never do."""
        wanted = range(len(self.state.waiting) if most is None else min(most, len(self.state.waiting)))
        found = self._played.starts
        while any(at not in found for at in wanted) and self._pass():
            pass
        return found

    def _pass(self) -> bool:
        """One more pass of the scheduler; false where nothing is left that ends."""
        if self._next == inf:
            return False
        shadow, extra = self._played.take(self._next)
        self._passes.append((self._next, self._played.free, shadow, extra))
        self._next = self._played.next_end()
        return True


class _Played:
    """The queue's state while it is played."""

    __slots__ = ("_is_filled", "_jobs", "_reserved", "_shortest_first", "ends", "free", "queue", "starts")

    def __init__(self, state: QueueState, jobs: Sequence[Waiting], now: float) -> None:
        self._jobs = jobs
        self.free = state.free
        self._is_filled = state.discipline is not Discipline.FCFS
        self._shortest_first = state.discipline.shortest_first
        self.queue = list(range(len(jobs)))
        self.starts: dict[int, float] = {}
        # What should have ended by now ends next: nobody knows better.
        soon = now + 1
        self.ends = [(max(one.expected_end, soon), one.reserved_end, one.procs) for one in state.running]
        heapify(self.ends)
        self._reserved = sorted((one.reserved_end, one.procs) for one in state.running)

    def take(self, now: float) -> tuple[float, int]:
        """Start what may start. Back come the moment by which whoever passes the first of the queue must have ended,
        and what such a one may take for longer."""
        first, jobs = 0, self._jobs
        while first < len(self.queue) and jobs[self.queue[first]].procs <= self.free:
            self._start(self.queue[first], now)
            first += 1
        if first:
            del self.queue[:first]
        if not self.queue:
            return inf, self.free
        if not self._is_filled or not self.free:
            return -inf, 0
        return self._fill(now)

    def _fill(self, now: float) -> tuple[float, int]:
        jobs = self._jobs
        shadow, extra = reservation(self._reserved, self.free, jobs[self.queue[0]].procs)
        others = self.queue[1:]
        if self._shortest_first:
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
        return shadow, extra

    def _start(self, at: int, now: float) -> None:
        procs, reserved, expected = self._jobs[at]
        self.starts[at] = now
        self.free -= procs
        insort(self._reserved, (now + reserved, procs))
        heappush(self.ends, (now + max(expected, 1), now + reserved, procs))

    def next_end(self) -> float:
        """Everything that ends next ends; infinite where nothing does."""
        if not self.ends:
            return inf
        now = self.ends[0][0]
        while self.ends and self.ends[0][0] == now:
            _, reserved_end, procs = heappop(self.ends)
            self.free += procs
            del self._reserved[bisect_left(self._reserved, (reserved_end, procs))]
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
