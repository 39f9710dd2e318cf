"""What ours is measured against. Among equals home comes first, then the earlier centre."""

import random
from collections.abc import Sequence
from math import inf, nextafter

from paracloud.placement.forecast import Waiting
from paracloud.simulation.centre import Centre
from paracloud.simulation.grid import Grid
from paracloud.simulation.outlooks import Outlooks
from paracloud.simulation.policy import Policy


class Random(Policy):
    def __init__(self, grid: Grid, *, share: float = 1.0, seed: int = 1) -> None:
        super().__init__(grid, share=share, seed=seed)
        self._dice = random.Random(seed)  # noqa: S311  # nothing secret depends on it

    def _choose(self, _job: int, _now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        return (self._dice.choice(fitting),)


class RoundRobin(Policy):
    _next = 0

    def _choose(self, _job: int, _now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        centres = self.grid.centres
        while True:
            one = centres[self._next % len(centres)]
            self._next += 1
            if one in fitting:
                return (one,)


class ShortestQueue(Policy):
    def _choose(self, _job: int, _now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        return (min(fitting, key=lambda one: len(one.queue)),)


class LeastBacklog(Policy):
    """By the work that is asked for and not yet done, for each processor."""

    def _choose(self, _job: int, now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        return (min(fitting, key=lambda one: backlog(self.grid, one, now)),)


def backlog(grid: Grid, centre: Centre, now: float) -> float:
    """Seconds that all of its processors would take for the work that is asked for and not yet done."""
    procs, reserved = grid.procs, grid.reserved
    running = sum(procs[job] * max(until - now, 1) for until, job in centre.running)
    return (running + sum(procs[job] * reserved[job] for job in centre.queue)) / centre.capacity


class EarliestStart(Policy):
    """The centre whose own scheduler would start it first, by all that it knows."""

    def __init__(self, grid: Grid, *, share: float = 1.0, seed: int = 1) -> None:
        super().__init__(grid, share=share, seed=seed)
        self.asked = Outlooks(grid)

    def choose(self, job: int, now: float) -> Sequence[Centre]:
        reserved = self.grid.reserved[job]
        self.asked.waiting[job] = Waiting(self.grid.procs[job], reserved, reserved)
        return super().choose(job, now)

    def ended(self, job: int) -> None:
        del self.asked.waiting[job]

    def _choose(self, job: int, now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        """The shortest queues are played first: none of the others is played beyond the best start by then."""
        best, soonest = 0, inf
        for at in sorted(range(len(fitting)), key=lambda at: len(fitting[at].queue)):
            limit = nextafter(soonest, inf) if at < best else soonest
            start = self.asked.start(fitting[at], job, now, limit)
            if start < limit:
                best, soonest = at, start
        return (fitting[best],)


class Multi(EarliestStart):
    """Several submissions, to the centres that would start it first; the first start wins, the others are cancelled."""

    copies = 2

    def _choose(self, job: int, now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        starts = {one.at: self.asked.start(one, job, now) for one in fitting}
        return sorted(fitting, key=lambda one: starts[one.at])[: self.copies]
