"""What ours is measured against. Among equals home comes first, then the earlier centre."""

import random
from collections.abc import Sequence
from math import inf, nextafter

from paracloud.placement.forecast import Outlook, QueueState, Waiting, forecast
from paracloud.simulation.centre import Centre
from paracloud.simulation.grid import Grid
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
        self._outlooks: dict[int, tuple[int, Outlook]] = {}
        self._waiting: dict[int, Waiting] = {}

    def choose(self, job: int, now: float) -> Sequence[Centre]:
        self._waiting[job] = self._as_waiting(job)
        return super().choose(job, now)

    def ended(self, job: int) -> None:
        del self._waiting[job]

    def _choose(self, job: int, now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        return (self._soonest(job, now, fitting)[0],)

    def _soonest(self, job: int, now: float, fitting: Sequence[Centre]) -> tuple[Centre, float]:
        """The shortest queues are played first: none of the others is played beyond the best start by then."""
        best, soonest = 0, inf
        for at in sorted(range(len(fitting)), key=lambda at: len(fitting[at].queue)):
            start = self._start(fitting[at], job, now, nextafter(soonest, inf) if at < best else soonest)
            if start < soonest or (start == soonest and at < best):
                best, soonest = at, start
        return fitting[best], soonest

    def _start(self, centre: Centre, job: int, now: float, limit: float) -> float:
        """Infinite where it is not before `limit`."""
        if now >= limit:
            return inf
        if not centre.queue and self.grid.procs[job] <= centre.free:
            return now
        if self.grid.rules.discipline.shortest_first:
            return forecast(self._state(centre, now), now, self._waiting[job], limit)
        return self._outlook(centre, now).start(self._waiting[job], now, limit)

    def _outlook(self, centre: Centre, now: float) -> Outlook:
        """Kept while nothing happens there that was not expected."""
        version, outlook = self._outlooks.get(centre.at, (-1, None))
        if outlook is None or version != centre.version or outlook.is_current_until <= now:
            outlook = Outlook(self._state(centre, now), now)
            self._outlooks[centre.at] = (centre.version, outlook)
        return outlook

    def _state(self, centre: Centre, _now: float) -> QueueState:
        """As its own scheduler sees it."""
        return centre.state([until for until, _ in centre.running], self._waiting)

    def _as_waiting(self, job: int) -> Waiting:
        grid = self.grid
        return Waiting(grid.procs[job], grid.reserved[job], grid.reserved[job])


class Multi(EarliestStart):
    """Several submissions, to the centres that would start it first; the first start wins, the others are cancelled."""

    copies = 2

    def _choose(self, job: int, now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        starts = {one.at: self._start(one, job, now, inf) for one in fitting}
        return sorted(fitting, key=lambda one: starts[one.at])[: self.copies]
