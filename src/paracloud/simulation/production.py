"""The product's own choices, on what a cloud sees: its own jobs, and what is free at each centre."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from datetime import timedelta
from math import inf
from typing import NamedTuple

from paracloud.placement.choose import choose
from paracloud.placement.offer import Need, Objective, Offer
from paracloud.placement.reroute import COOL_DOWN, GAIN_LEAST, MOVES_A_JOB, Waiting, better
from paracloud.placement.room import Asks, Room, room_of
from paracloud.simulation.beliefs import Beliefs
from paracloud.simulation.centre import Centre
from paracloud.simulation.grid import Grid
from paracloud.simulation.pictures import FREE, QUEUE, Pictures, name_of
from paracloud.simulation.policy import Policy

REVIEW_SECONDS = 60.0
"""Between two looks at who is late. The product looks more often, at twenty at a time."""


class _Queued(NamedTuple):
    """A job of ours in a queue. `expected`: the wait there that nine in ten do not exceed. `late_at`: it is not moved
    before."""

    expected: timedelta
    late_at: float
    moves: int


class _Hopes(NamedTuple):
    """A centre, for a job that waits elsewhere: the wait in seconds that nine in ten do not exceed, of one that takes
    no more than the `room` there, and of others."""

    capacity: int
    room: int
    with_room: float
    without: float

    def p90(self, needed: int) -> float:
        """Infinite where it does not fit."""
        if needed > self.capacity:
            return inf
        return self.with_room if needed <= self.room else self.without


class Production(Policy):
    """`placement.choose` for the soonest start, by the plain rule's waits (`placement.waits`). Who has to wait where
    others of ours wait already is kept back until a queue has room (`placement.room`), as in `jobs.draw`; and
    `placement.reroute` moves what waits in a queue longer than was expected. What a job asks for is known, and nothing
    of anybody else's jobs. A move takes no time here, and a picture of a queue is as new as the last start or end
    there."""

    def __init__(self, grid: Grid, *, share: float = 1.0, seed: int = 1) -> None:
        super().__init__(grid, share=share, seed=seed)
        self._queued: dict[int, _Queued] = {}
        self._since: dict[int, float] = {}
        self._pictures = Pictures(grid.procs, self._since)
        self._changed_at, self._look_at = 0.0, inf
        self._beliefs = Beliefs(grid)
        self._kept: dict[int, None] = {}
        """As they came."""
        self._shortest: list[tuple[float, int]] = []
        """The same, with how long each is expected to run, in that order."""
        self._seen = [-1] * len(grid.centres)
        """The version of each centre that has no room for any of them."""

    def choose(self, job: int, now: float) -> Sequence[Centre]:
        self._beliefs.arrived(job)
        return super().choose(job, now)

    def ended(self, job: int) -> None:
        self._beliefs.ended(job)

    def _choose(self, job: int, now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        best = self._soonest(job, fitting, now)
        centre = self.grid.centres[int(best.centre)]
        if self.grid.procs[job] + sum(self.grid.procs[one] for one in self._waiting(centre)) <= centre.free:
            return (self._join(job, best, now),)
        self._kept[job] = None
        insort(self._shortest, (self._beliefs.expected[job], job))
        self._seen = [-1] * len(self._seen)
        self.grid.review_by(now)
        return ()

    def _soonest(self, job: int, centres: Sequence[Centre], now: float) -> Offer:
        return choose(self._need(job), self._at(job, centres, now), Objective.SOONEST).fitting[0]

    def _waiting(self, centre: Centre) -> list[int]:
        return [job for job in centre.queue if job in self._queued]

    def started(self, job: int, now: float) -> None:
        self._beliefs.started(job, now)
        queued = self._queued.pop(job, None)
        centre = self.grid.where[job]
        if queued is not None and centre is not None:
            self._pictures.learn(centre, now, now - self._since.pop(job))

    def settled(self, now: float) -> None:
        """One centre at a time: its scheduler acts before the next draws."""
        self._changed_at = now
        self._send_kept(now)
        if self._queued:
            self._look_at = min(self._look_at, now + REVIEW_SECONDS)
            self.grid.review_by(self._look_at)

    def _send_kept(self, now: float) -> None:
        if self._kept and not any(self._draw(centre, now) for centre in self.grid.centres):
            self._send_ahead(now)

    def _draw(self, centre: Centre, now: float) -> bool:
        """Whether it had room for any that is kept back."""
        if not centre.free or self._seen[centre.at] == centre.version:
            return False
        room, procs, asked = self._room(centre, now), self.grid.procs, self.grid.reserved
        drawn = []
        for _, job in self._shortest:
            if not room.free:
                break
            if room.holds(procs[job], asked[job]):
                room.take(procs[job], asked[job])
                drawn.append(job)
        for job in drawn:
            self._send(job, self._pictures.offer(centre, procs[job], now), now)
        if not drawn:
            self._seen[centre.at] = centre.version
        return bool(drawn)

    def _room(self, centre: Centre, now: float) -> Room:
        procs, asked, brokered = self.grid.procs, self.grid.reserved, self.brokered
        running = [Asks(procs[job], until - now) for until, job in centre.running if brokered[job]]
        return room_of(centre.free, running, [Asks(procs[job], asked[job]) for job in self._waiting(centre)])

    def _send_ahead(self, now: float) -> None:
        idle = {centre.at for centre in self.grid.centres if not self._waiting(centre)}
        for job in self._kept if idle else ():
            fitting = [one for one in self.grid.fitting(job) if one.at in idle]
            if fitting:
                self._send(job, self._soonest(job, fitting, now), now)
                return

    def _send(self, job: int, offer: Offer, now: float) -> None:
        del self._kept[job]
        del self._shortest[bisect_left(self._shortest, (self._beliefs.expected[job], job))]
        self.grid.send(job, self._join(job, offer, now))

    def review(self, now: float) -> None:
        """While nothing starts or ends little is expected anew: the longer that lasts, the seldomer it is looked at."""
        self._send_kept(now)
        if now >= self._look_at:
            self._look_at = self._moved_late(now)
        if self._look_at < inf:
            self.grid.review_by(self._look_at)

    def _moved_late(self, now: float) -> float:
        """When to look again."""
        hopes = {one.at: self._hopes(one, now) for one in self.grid.centres}
        late_at = min(self._move_late(centre, hopes, now) for centre in self.grid.centres)
        return max(late_at, now + REVIEW_SECONDS, now + (now - self._changed_at))

    def _move_late(self, centre: Centre, hopes: dict[int, _Hopes], now: float) -> float:
        """The moment at which the next of its queue may be moved."""
        next_at, least = inf, GAIN_LEAST.total_seconds()
        for job in list(centre.queue):
            queued = self._queued.get(job)
            if queued is None or queued.moves >= MOVES_A_JOB:
                continue
            late_at = queued.late_at
            if late_at < now:
                needed = self.grid.procs[job]
                soonest = min((one.p90(needed) for at, one in hopes.items() if at != centre.at), default=inf)
                late_at = self._since[job] + soonest + least
            if late_at >= now:
                next_at = min(next_at, late_at)
            elif (target := self._move(job, centre, now)) is not None:
                hopes |= {one.at: self._hopes(one, now) for one in (centre, target)}
        return next_at

    def _hopes(self, centre: Centre, now: float) -> _Hopes:
        said = [self._pictures.offer(centre, needed, now).prediction for needed in (0, centre.capacity + 1)]
        with_room, without = (one.wait.p90.total_seconds() if one is not None else inf for one in said)
        return _Hopes(centre.capacity, centre.free - self._pictures.waiting(centre), with_room, without)

    def _move(self, job: int, centre: Centre, now: float) -> Centre | None:
        """Where it goes; None: it stays."""
        queued = self._queued[job]
        waited = timedelta(seconds=now - self._since[job])
        waiting = Waiting(
            name_of(centre), QUEUE, Objective.SOONEST, waited, queued.expected, FREE.micro,
            moves=queued.moves, rested=waited if queued.moves else None,
        )  # fmt: skip
        best = better(self._need(job), waiting, self._at(job, self.grid.fitting(job), now))
        if best is None:
            return None
        target = self._join(job, best, now, moves=queued.moves + 1)
        self.grid.move(job, centre, target)
        return target

    def _join(self, job: int, offer: Offer, now: float, *, moves: int = 0) -> Centre:
        assert offer.prediction is not None, "each offer here has one"  # noqa: S101
        expected = offer.prediction.wait.p90
        late_at = now + (max(expected, COOL_DOWN) if moves else expected).total_seconds()
        self._queued[job], self._since[job] = _Queued(expected, late_at, moves), now
        return self.grid.centres[int(offer.centre)]

    def _need(self, job: int) -> Need:
        return Need(self.grid.procs[job], timedelta(seconds=self.grid.reserved[job]))

    def _at(self, job: int, centres: Sequence[Centre], now: float) -> list[Offer]:
        return [self._pictures.offer(one, self.grid.procs[job], now) for one in centres]
