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
from enum import StrEnum
from itertools import accumulate
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


class QueueState(NamedTuple):
    """What is known of one queue: `capacity` and `free` in processors, `waiting` in the order of arrival."""

    capacity: int
    free: int
    running: Sequence[Running | tuple[float, float, int]]
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
    while played.next_at < limit:
        moment, *_ = played.step()
        if last in played.starts:
            return moment
    return inf


class Outlook:
    """What would happen in a queue if nothing else came, played no further than somebody asks. It is good for any
    number of questions until something happens there: a job that comes last is looked at last, so when it starts
    depends on the others, and they start as they would without it until then. (Where the shortest go first it can pass
    others: then it may start earlier than is said here.)

    `is_current_until`: the first moment at which something is expected to end: it is out of date then, if nothing did.
    """

    __slots__ = ("_frees", "_moments", "_passes", "_played", "_starts", "_widest", "is_current_until", "state")

    def __init__(self, state: QueueState, now: float) -> None:
        self.state = state
        self._passes, self._widest = list[tuple[float, int, float, int]](), list[int]()
        """And the most processors that were free in any of them until then."""
        self._moments, self._frees = list[float](), list[int]()
        """Once nobody waits any more: moments, in order, and what is free from then on."""
        self._played: _Played | None = None
        """While somebody waits."""
        if not state.waiting:
            ends = _ends(state, now)
            self._starts, self.is_current_until = dict[int, float](), ends[0][0] if ends else inf
            self._clear(now, state.free, ends)
            return
        self._played = played = _Played(state, state.waiting, now)
        self._starts = played.starts
        self._pass()
        self.is_current_until = played.next_at

    def start(self, job: Waiting, now: float, limit: float = inf) -> float:
        """As `forecast` says it."""
        procs, reserved, _ = job
        passes = self._passes
        at = bisect_left(self._widest, procs)
        while at < len(passes) or (self._played is not None and self._played.next_at < limit and self._pass()):
            moment, free, shadow, extra = passes[at]
            if procs <= free:
                moment = max(moment, now)
                if moment + reserved <= shadow or procs <= extra:
                    return inf if moment >= limit else moment
            at += 1
        at = bisect_left(self._frees, procs)
        moment = max(self._moments[at], now) if at < len(self._frees) else inf
        return inf if moment >= limit else moment

    def starts(self, most: int | None = None) -> dict[int, float]:
        """When those start that wait, by their place in `waiting`; of the first `most` of them at least. Without those
        that never do."""
        wanted = range(len(self.state.waiting) if most is None else min(most, len(self.state.waiting)))
        while any(at not in self._starts for at in wanted) and self._pass():
            pass
        return self._starts

    def _pass(self) -> bool:
        """One more pass of the scheduler; false where nothing is left that ends, or nobody who waits."""
        played = self._played
        if played is None or played.next_at == inf:
            return False
        moment, free, shadow, extra = played.step()
        self._passes.append((moment, free, shadow, extra))
        self._widest.append(max(free, self._widest[-1]) if self._widest else free)
        if not played.queue:
            self._clear(moment, free, played.ends)
            self._played = None
        return True

    def _clear(self, now: float, free: int, ends: Sequence[tuple[float, float, int]]) -> None:
        """Nobody waits any more."""
        self._moments = [now, *[one[0] for one in ends]]
        self._frees = list(accumulate([one[2] for one in ends], initial=free))


def _ends(state: QueueState, now: float) -> list[tuple[float, float, int]]:
    """Those that run, as they are expected to end. What should have ended by now ends next: nobody knows better."""
    ends: list[tuple[float, float, int]] = sorted(state.running)
    soon = now + 1
    for at, (end, reserved_end, procs) in enumerate(ends):
        if end >= soon:
            break
        ends[at] = soon, reserved_end, procs
    return ends


class _Played:
    """The queue's state while it is played: the scheduler's next pass is at `next_at`, never where that is infinite.
    `queue` are those who wait for it, `ends` those that run, as `_ends` has them."""

    __slots__ = ("_free", "_is_filled", "_jobs", "_reserved", "_shortest_first", "ends", "next_at", "queue", "starts")

    def __init__(self, state: QueueState, jobs: Sequence[Waiting], now: float) -> None:
        self._jobs, self._free, self.next_at, self.ends = jobs, state.free, now, _ends(state, now)
        self._is_filled, self._shortest_first = state.discipline is not Discipline.FCFS, state.discipline.shortest_first
        self.queue, self.starts = list(range(len(jobs))), dict[int, float]()
        self._reserved = sorted([(reserved_end, procs) for _, reserved_end, procs in self.ends])

    def step(self) -> tuple[float, int, float, int]:
        """One pass of the scheduler: who may start starts. If somebody waits still, whatever ends next ends. Back come
        the moment of the pass, what it left free, the moment by which whoever passes the first of the queue must have
        ended, and what such a one may take for longer."""
        now, queue, jobs = self.next_at, self.queue, self._jobs
        while queue and jobs[queue[0]][0] <= self._free:
            self._start(queue.pop(0), now)
        if not queue:
            shadow, extra = inf, self._free
        elif not self._is_filled or not self._free:
            shadow, extra = -inf, 0
        else:
            shadow, extra = reservation(self._reserved, self._free, jobs[queue[0]][0])
            if len(queue) > 1:
                extra = self._fill(now, shadow, extra)
        passed = now, self._free, shadow, extra
        self._end_next()
        return passed

    def _fill(self, now: float, shadow: float, extra: int) -> int:
        """Those start that pass the first. Back comes what they leave of `extra`."""
        jobs, queue = self._jobs, self.queue
        others = [at for at in queue[1:] if jobs[at][0] <= self._free]
        if self._shortest_first:
            others.sort(key=lambda at: jobs[at].reserved)
        begun = set()
        for at in others:
            procs, reserved, _ = jobs[at]
            if procs > self._free:
                continue
            if now + reserved > shadow:
                if procs > extra:
                    continue
                extra -= procs
            self._start(at, now)
            begun.add(at)
            if not self._free:
                break
        if begun:
            self.queue = [at for at in queue if at not in begun]
        return extra

    def _start(self, at: int, now: float) -> None:
        procs, reserved, expected = self._jobs[at]
        self.starts[at] = now
        self._free -= procs
        insort(self._reserved, (now + reserved, procs))
        insort(self.ends, (now + max(expected, 1), now + reserved, procs))

    def _end_next(self) -> None:
        ends, reserved = self.ends, self._reserved
        now = self.next_at = ends[0][0] if ends else inf
        if not self.queue:  # nobody asks any more
            return
        at = 0
        for end, reserved_end, procs in ends:
            if end > now:
                break
            at += 1
            self._free += procs
            del reserved[bisect_left(reserved, (reserved_end, procs))]
        del ends[:at]


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
