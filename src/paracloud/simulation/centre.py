"""A centre of the simulation: so many processors, one queue, and the scheduler's own rules."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import NamedTuple

from paracloud.placement.forecast import Discipline, QueueState, Waiting, reservation


class Hole(NamedTuple):
    """What the first of a queue leaves to others: `free` processors until `shadow`, `extra` of them for longer."""

    free: int
    shadow: float
    extra: int


class Centre:
    """`queue` is in the order of arrival. `reserved[job]` is how long the scheduler reserves for it (seconds), and
    `begun` is told of each job that starts. `version` is another one after everything that happens. `ends`: when the
    scheduler counts on those that run to end, in order."""

    __slots__ = (
        "_begun", "_discipline", "_procs", "_reserved", "_running", "_starts", "_taken", "at", "capacity", "ends",
        "free", "queue", "version",
    )  # fmt: skip

    def __init__(
        self,
        at: int,
        capacity: int,
        discipline: Discipline,
        procs: Sequence[int],
        reserved: Sequence[float],
        begun: Callable[[int, "Centre", float], None],
    ) -> None:
        self.at, self.capacity, self.free = at, capacity, capacity
        self.queue: list[int] = []
        self._discipline, self._procs, self._reserved, self._begun = discipline, procs, reserved, begun
        self._running: list[tuple[float, int]] = []
        self.ends: list[float] = []
        self._taken: list[int] = []
        """The processors of each, in the same order."""
        self._starts: dict[int, tuple[float, float]] = {}
        self.version = 0

    @property
    def running(self) -> Sequence[tuple[float, int]]:
        """(end that the scheduler counts on, job), in order."""
        return self._running

    def is_running(self, job: int) -> bool:
        return job in self._starts

    def join(self, job: int) -> None:
        self.queue.append(job)
        self.version += 1

    def leave(self, job: int) -> None:
        self.queue.remove(job)
        self.version += 1

    def end(self, job: int) -> None:
        self.version += 1
        _, until = self._starts.pop(job)
        self._drop(job, until)
        self.free += self._procs[job]

    def extend(self, job: int, until: float) -> None:
        """It runs longer than the scheduler thought: it counts on `until` now."""
        self.version += 1
        begun, before = self._starts[job]
        self._drop(job, before)
        self._insert(job, until)
        self._starts[job] = (begun, until)

    def schedule(self, now: float) -> None:
        """Start what may start."""
        first, procs = 0, self._procs
        while first < len(self.queue) and procs[self.queue[first]] <= self.free:
            self._start(self.queue[first], now)
            first += 1
        if first:
            del self.queue[:first]
        if self._discipline is not Discipline.FCFS and self.free and len(self.queue) > 1:
            self._fill(now)

    def hole(self, reserved: Sequence[float] | None = None) -> Hole:
        """What is left to a job that comes now; as an observer sees it, by whom those that run (in their order) end at
        `reserved`."""
        if not self.queue:
            return Hole(self.free, inf, self.free)
        procs = self._procs
        if self._discipline is Discipline.FCFS or procs[self.queue[0]] <= self.free:  # it starts before anybody else
            return Hole(0, -inf, 0)
        if reserved is None:
            ends = list(zip(self.ends, self._taken, strict=True))
        else:
            ends = sorted(zip(reserved, self._taken, strict=True))
        return Hole(self.free, *reservation(ends, self.free, procs[self.queue[0]]))

    def _fill(self, now: float) -> None:
        free, procs = self.free, self._procs
        others = [job for job in self.queue if procs[job] <= free]
        if not others:
            return
        if self._discipline.shortest_first:
            others.sort(key=self._reserved.__getitem__)
        begun = set(passing(others, procs, self._reserved, self.hole(), now))
        for job in others:
            if job in begun:
                self._start(job, now)
        if begun:
            self.queue = [job for job in self.queue if job not in begun]

    def _start(self, job: int, now: float) -> None:
        until = now + self._reserved[job]
        self.version += 1
        self.free -= self._procs[job]
        self._insert(job, until)
        self._starts[job] = (now, until)
        self._begun(job, self, now)

    def _insert(self, job: int, until: float) -> None:
        at = bisect_left(self._running, (until, job))
        self._running.insert(at, (until, job))
        self.ends.insert(at, until)
        self._taken.insert(at, self._procs[job])

    def _drop(self, job: int, until: float) -> None:
        at = bisect_left(self._running, (until, job))
        del self._running[at], self.ends[at], self._taken[at]

    def state(self, ends: Sequence[float], reserved: Sequence[float], waiting: Mapping[int, Waiting]) -> QueueState:
        """As an observer sees it who expects those that run (in their order) to end at `ends`, and at `reserved` at the
        latest, and knows of `waiting` those that wait."""
        running = list(zip(ends, reserved, self._taken, strict=True))
        return QueueState(self.capacity, self.free, running, [waiting[job] for job in self.queue], self._discipline)


def passing(
    jobs: Iterable[int], procs: Sequence[int], reserved: Sequence[float] | Mapping[int, float], hole: Hole, now: float
) -> Iterator[int]:
    """Those that pass the first of a queue without holding it up, when they are looked at in this order."""
    free, shadow, extra = hole
    for job in jobs:
        needed = procs[job]
        if needed > free:
            continue
        if now + reserved[job] > shadow:
            if needed > extra:
                continue
            extra -= needed
        free -= needed
        yield job
        if not free:
            return
