"""The broker's own policies: one submission of a job at a time, by what the queues show and what the past says."""

from collections.abc import Sequence
from math import inf

from paracloud.placement.forecast import Waiting
from paracloud.placement.reroute import COOL_DOWN
from paracloud.simulation.beliefs import Beliefs
from paracloud.simulation.centre import Centre, passing
from paracloud.simulation.grid import Grid
from paracloud.simulation.outlooks import Outlooks
from paracloud.simulation.peers import EarliestStart
from paracloud.simulation.policy import Policy

NOW_WAITS = 2.0
"""No queue needs to be played for longer than a second where some centre stands idle."""
COOL_DOWN_SECONDS = COOL_DOWN.total_seconds()
REVIEW_SECONDS = 900.0
OVERDUE_SECONDS, OVERDUE_PART = 3600.0, 1.0
"""A job is overdue when it has waited an hour longer than foreseen, and twice as long."""
WORTH_PART = 0.5
"""It queues elsewhere, then, where it would start within half of the wait that is left."""


class Ours(EarliestStart):
    """Where a job starts first by two outlooks: the one of the schedulers, who count on what was asked for, and the
    likely one, in which jobs run as long as the past says. Neither comes true; what is soon by both is soon."""

    def __init__(self, grid: Grid, *, share: float = 1.0, seed: int = 1) -> None:
        super().__init__(grid, share=share, seed=seed)
        self.beliefs = Beliefs(grid)
        reserved = self.beliefs.reserved_ends
        self.asked = Outlooks(grid, reserved, reserved)
        self.likely = Outlooks(grid, self.beliefs.expected_ends, reserved)

    def choose(self, job: int, now: float) -> Sequence[Centre]:
        self.beliefs.arrived(job)
        procs, reserved = self.grid.procs[job], self.beliefs.reserved[job]
        self.asked.waiting[job] = Waiting(procs, reserved, reserved)
        self.likely.waiting[job] = Waiting(procs, reserved, self.beliefs.expected[job])
        return Policy.choose(self, job, now)

    def ended(self, job: int) -> None:
        super().ended(job)
        self.beliefs.ended(job)
        del self.likely.waiting[job]

    def _choose(self, job: int, now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        return (self._soonest(job, now, fitting)[0],)

    def _soonest(self, job: int, now: float, fitting: Sequence[Centre]) -> tuple[Centre, float]:
        """And when it is likely to start there. By the product of both waits, each a second longer: one that is twice
        as long by one outlook, and half as long by the other, is the same."""
        needed = self.grid.procs[job]
        is_idle = any(not one.queue and needed <= one.free for one in fitting)
        best, found, least = fitting[0], inf, NOW_WAITS if is_idle else inf
        for one in fitting:
            start = self.likely.start(one, job, now, now + least - 1)
            asked = self.asked.start(one, job, now, now + least / (start - now + 1) - 1)
            waits = (start - now + 1) * (asked - now + 1)
            if waits < least:
                best, least, found = one, waits, start
            if found <= now:
                break
        return best, found


class Reroute(Ours):
    """Ours, and what waits moves into a hole that another centre's own queue leaves, whoever is done soonest first.
    Nothing is cancelled on a guess: a moved job starts at that moment. Since holes stay open to it, a job that has to
    wait anyway does so at home, unless it would wait longer for that than it runs: whoever queues elsewhere for little
    is in the way there. Only a job that waits far longer than foreseen also moves from queue to queue, since a wide one
    finds no hole. Never two submissions at once."""

    def __init__(self, grid: Grid, *, share: float = 1.0, seed: int = 1) -> None:
        super().__init__(grid, share=share, seed=seed)
        self._overdue_at: dict[int, float] = {}
        self._moved_at: dict[int, float] = {}
        self._narrow_first = sorted(grid.centres, key=lambda one: one.capacity)

    def ended(self, job: int) -> None:
        super().ended(job)
        self._overdue_at.pop(job, None)
        self._moved_at.pop(job, None)

    def settled(self, now: float) -> None:
        """One hole at a time: schedulers act before the next is looked at."""
        queued = [one for one in self.grid.centres if one.queue]
        if not queued:
            return
        for centre in self._narrow_first:
            moved = self._into(centre, queued, now) if centre.free else ()
            for job, source in moved:
                self.grid.move(job, source, centre)
                self._moved_at[job] = now
            if moved:
                return

    def _into(self, centre: Centre, queued: Sequence[Centre], now: float) -> list[tuple[int, Centre]]:
        """Those of other queues that its scheduler would start now, as far as that can be told: one of which it cannot
        may be wrong there, and is not moved on at the same moment."""
        free, procs = centre.free, self.grid.procs
        brokered, moved_at = self.brokered, self._moved_at
        pause = 0.0 if self.beliefs.sees_requests else COOL_DOWN_SECONDS
        expected, at_most = self.beliefs.expected, self.beliefs.at_most
        waiting = {
            job: source
            for source in queued
            if source is not centre
            for job in source.queue
            if procs[job] <= free and brokered[job] and now - moved_at.get(job, -inf) >= pause
        }
        if not waiting:
            return []
        hole = self.beliefs.hole(centre, now)
        order = sorted(waiting, key=lambda job: (expected[job], job))
        return [(job, waiting[job]) for job in passing(order, procs, at_most, hole, now)]

    def _choose(self, job: int, now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        target, start = self._soonest(job, now, fitting)
        if start > now:
            at_home = self.likely.start(fitting[0], job, now, start + self.beliefs.expected[job])
            if at_home < inf:
                target, start = fitting[0], at_home
            self._foresee(job, start, now)
        return (target,)

    def _foresee(self, job: int, start: float, now: float) -> None:
        self._overdue_at[job] = start + max(OVERDUE_SECONDS, (start - now) * OVERDUE_PART)
        self.grid.review_by(now + REVIEW_SECONDS)

    def review(self, now: float) -> None:
        for source in self.grid.centres:
            for job in [job for job in source.queue if self._overdue_at.get(job, inf) < now]:
                self._move(job, source, now)
        if any(centre.queue for centre in self.grid.centres):
            self.grid.review_by(now + REVIEW_SECONDS)

    def _move(self, job: int, source: Centre, now: float) -> None:
        here = self.likely.queued(source, job, now)
        target, start = self._soonest(job, now, [one for one in self.grid.fitting(job) if one is not source])
        if start - now < (here - now) * WORTH_PART:
            self.grid.move(job, source, target)
            here = start
        self._foresee(job, here, now)
