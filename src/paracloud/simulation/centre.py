"""A centre of the simulation: so many processors, one queue, and the scheduler's own rules."""

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence

from paracloud.placement.forecast import Discipline, QueueState, Running, Waiting, reservation


class Centre:
    """`queue` is in the order of arrival. `reserved[job]` is how long the scheduler reserves for it (seconds), and
    `begun` is told of each job that starts. `version` is another one after everything that happens."""

    __slots__ = (
        "_begun", "_discipline", "_procs", "_reserved", "_running", "_starts", "at", "capacity", "free", "queue",
        "version",
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
        self._starts: dict[int, tuple[float, float]] = {}
        self.version = 0

    @property
    def running(self) -> Sequence[tuple[float, int]]:
        """(end that the scheduler counts on, job), in order."""
        return self._running

    def started(self, job: int) -> float:
        return self._starts[job][0]

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
        del self._running[bisect_left(self._running, (until, job))]
        self.free += self._procs[job]

    def extend(self, job: int, until: float) -> None:
        """It runs longer than the scheduler thought: it counts on `until` now."""
        self.version += 1
        begun, before = self._starts[job]
        del self._running[bisect_left(self._running, (before, job))]
        insort(self._running, (until, job))
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

    def _fill(self, now: float) -> None:
        procs, reserved = self._procs, self._reserved
        ends = [(until, procs[job]) for until, job in self._running]
        shadow, extra = reservation(ends, self.free, procs[self.queue[0]])
        others = self.queue[1:]
        if self._discipline.shortest_first:
            others.sort(key=reserved.__getitem__)
        begun = set()
        for job in others:
            if procs[job] > self.free:
                continue
            if now + reserved[job] > shadow:
                if procs[job] > extra:
                    continue
                extra -= procs[job]
            self._start(job, now)
            begun.add(job)
            if not self.free:
                break
        if begun:
            self.queue = [job for job in self.queue if job not in begun]

    def _start(self, job: int, now: float) -> None:
        until = now + self._reserved[job]
        self.version += 1
        self.free -= self._procs[job]
        insort(self._running, (until, job))
        self._starts[job] = (now, until)
        self._begun(job, self, now)

    def state(self, ends: Callable[[int, float, float], float], expected: Sequence[float]) -> QueueState:
        """As an observer sees it who expects each running job's end by `ends(job, start, end that is reserved)`."""
        procs, reserved = self._procs, self._reserved
        return QueueState(
            self.capacity,
            self.free,
            [Running(ends(job, self._starts[job][0], until), until, procs[job]) for until, job in self._running],
            [Waiting(procs[job], reserved[job], expected[job]) for job in self.queue],
            self._discipline,
        )
