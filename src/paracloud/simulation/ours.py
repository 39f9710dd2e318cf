"""The broker's own policies: one submission of a job at a time, by what the queues show and what the past says."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from math import inf

from paracloud.placement.forecast import Waiting
from paracloud.placement.reroute import COOL_DOWN
from paracloud.simulation.beliefs import Beliefs
from paracloud.simulation.centre import Centre, passing
from paracloud.simulation.grid import Grid
from paracloud.simulation.outlooks import Outlooks
from paracloud.simulation.policy import Policy

COOL_DOWN_SECONDS = COOL_DOWN.total_seconds()


class Ours(Policy):
    """Backfilling over all centres at once: who has to wait does so at the broker, and is sent when it starts or is the
    next in its queue. A place in a queue binds a job to a guess of which centre will be free first; behind another of
    ours it gains nothing by standing there before somebody else does.

    - A job that a centre would start at once goes there; of several home first, for to spread narrow jobs over all
      centres leaves no room for wide ones.
    - What a centre's own queue leaves free goes to those that wait, whoever is expected to be done soonest first.
    - So that nobody is passed for ever, the one that has waited longest is sent ahead to where it starts first, once
      nobody of ours stands last there: the centre's scheduler keeps a place for it. It starts first where the product
      is smallest of its waits by two outlooks: the one of the schedulers, who count on what was asked for, and the
      likely one, in which jobs run as long as the past says. Neither comes true; what is soon by both is soon.

    Where others come to a queue behind one of ours, the next of ours follows them: it is late by one place at most."""

    def __init__(self, grid: Grid, *, share: float = 1.0, seed: int = 1) -> None:
        super().__init__(grid, share=share, seed=seed)
        self.beliefs = Beliefs(grid)
        reserved = self.beliefs.reserved_ends
        self._asked = Outlooks(grid, reserved, reserved)
        self._likely = Outlooks(grid, self.beliefs.expected_ends, reserved)
        self._held: dict[int, None] = {}
        """Those that wait at the broker, as they came."""
        self._shortest: list[tuple[float, int]] = []
        """The same, with how long each is expected to run, in that order."""
        self._seen = [-1] * len(grid.centres)
        """The version of each centre in which nobody who waits found a hole: with time alone none opens."""

    def choose(self, job: int, now: float) -> Sequence[Centre]:
        self.beliefs.arrived(job)
        procs, reserved = self.grid.procs[job], self.beliefs.reserved[job]
        self._asked.waiting[job] = Waiting(procs, reserved, reserved)
        self._likely.waiting[job] = Waiting(procs, reserved, self.beliefs.expected[job])
        return super().choose(job, now)

    def started(self, job: int, now: float) -> None:
        self.beliefs.started(job, now)

    def ended(self, job: int) -> None:
        self.beliefs.ended(job)
        del self._asked.waiting[job], self._likely.waiting[job]

    def _choose(self, job: int, now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        at_once = next((one for one in fitting if self._passing([job], one, now)), None)
        target = at_once or self._soonest(job, now, fitting)
        if at_once or self._is_open(target):
            return (target,)
        self._held[job] = None
        insort(self._shortest, (self.beliefs.expected[job], job))
        return ()

    def settled(self, now: float) -> None:
        """One centre at a time: its scheduler acts before the next is looked at."""
        for centre in self.grid.centres:
            if centre.free and self._seen[centre.at] != centre.version and self._fill(centre, now):
                return
        if self._held:
            self._send_ahead(now)

    def _fill(self, centre: Centre, now: float) -> bool:
        begin = self._passing(self._waiting(centre, now), centre, now)
        for job in begin:
            self._send(job, centre, now)
        if not begin:
            self._seen[centre.at] = centre.version
        return bool(begin)

    def _waiting(self, _centre: Centre, _now: float) -> Sequence[int]:
        """Who may go there, in the order in which it is offered a hole."""
        return [job for _, job in self._shortest]

    def _passing(self, jobs: Sequence[int], centre: Centre, now: float) -> list[int]:
        """Those that its scheduler would start now, as far as that can be told, were they to come in this order."""
        procs, free = self.grid.procs, centre.free
        narrow = [job for job in jobs if procs[job] <= free]
        if not narrow:
            return []
        return list(passing(narrow, procs, self.beliefs.at_most, self.beliefs.hole(centre, now), now))

    def _send_ahead(self, now: float) -> None:
        if any(self._is_open(centre) for centre in self.grid.centres):
            job = next(iter(self._held))
            target = self._soonest(job, now, self.grid.fitting(job))
            if self._is_open(target):
                self._send(job, target, now)

    def _is_open(self, centre: Centre) -> bool:
        return not centre.queue or not self.brokered[centre.queue[-1]]

    def _send(self, job: int, centre: Centre, _now: float) -> None:
        del self._held[job]
        del self._shortest[bisect_left(self._shortest, (self.beliefs.expected[job], job))]
        self.grid.send(job, centre)

    def _soonest(self, job: int, now: float, fitting: Sequence[Centre]) -> Centre:
        """Each wait counts as a second longer than it is: else one by which it starts at once would decide alone."""
        best, least = fitting[0], inf
        for one in fitting:
            likely = self._likely.start(one, job, now, now + least - 1)
            asked = self._asked.start(one, job, now, now + least / (likely - now + 1) - 1)
            waits = (likely - now + 1) * (asked - now + 1)
            if waits < least:
                best, least = one, waits
        return best


class Reroute(Ours):
    """Ours, and who was sent ahead moves into a hole that another centre's own queue leaves, if it would wait longer
    where it is than it runs: who goes elsewhere for little is in the way there. Nothing is cancelled on a guess: a
    moved job starts at that moment. Never two submissions at once."""

    def __init__(self, grid: Grid, *, share: float = 1.0, seed: int = 1) -> None:
        super().__init__(grid, share=share, seed=seed)
        self._moved_at: dict[int, float] = {}
        self._pause = 0.0 if self.beliefs.sees_requests else COOL_DOWN_SECONDS
        """Where it cannot be told for certain that a job starts, the hole may be too small, and it waits on."""

    def ended(self, job: int) -> None:
        super().ended(job)
        self._moved_at.pop(job, None)

    def _waiting(self, centre: Centre, now: float) -> Sequence[int]:
        expected, rested = self.beliefs.expected, now - self._pause
        elsewhere = [
            (expected[job], job)
            for other in self.grid.centres
            if other is not centre and other.queue
            for at, job in enumerate(other.queue)
            if self.brokered[job]
            and self._moved_at.get(job, -inf) <= rested
            and self._likely.queued(other, at, now) - now > expected[job]
        ]
        return [job for _, job in sorted([*elsewhere, *self._shortest])] if elsewhere else super()._waiting(centre, now)

    def _send(self, job: int, centre: Centre, now: float) -> None:
        if job in self._held:
            super()._send(job, centre, now)
            return
        source = next(one for one in self.grid.centres if job in one.queue)
        self.grid.move(job, source, centre)
        self._moved_at[job] = now
