"""Where a broker sends each job: ours beside its peers."""

import hashlib
import random
import re
from collections.abc import Callable, Sequence
from math import inf

from paracloud.kit.errors import Invalid
from paracloud.placement.forecast import Outlook, QueueState, Waiting, forecast
from paracloud.simulation.centre import Centre
from paracloud.simulation.grid import Grid

REVIEW_SECONDS = 900.0
WORTH_SECONDS, WORTH_PART = 60.0, 0.8
"""A queued job moves where it would start at least a minute earlier, and within this part of the wait that is left."""
REVIEWED = 64
"""So many of a queue are looked at: those that start next."""
MULTI = re.compile(r"multi-([2-9]|[1-9][0-9])")
NAMES = (
    "local", "random", "round-robin", "least-backlog", "shortest-queue", "earliest-start", "ours", "reroute", "multi-K",
)  # fmt: skip


class Policy:
    """Users who do not use the broker, and jobs that fit nowhere else, stay at home. Among equals home comes first,
    then the earlier centre."""

    def __init__(self, grid: Grid, *, share: float = 1.0, seed: int = 1) -> None:
        self.grid = grid
        self._brokered = _users_within(grid, share, seed)

    def uses_broker(self, job: int) -> bool:
        one = self.grid.jobs[job]
        return (one.home, one.user) in self._brokered

    def choose(self, job: int, now: float) -> Sequence[Centre]:
        home = self.grid.centres[self.grid.jobs[job].home]
        fitting = self.grid.fitting(job)
        if len(fitting) == 1 or not self.uses_broker(job):
            return (home,)
        return self._choose(job, now, fitting)

    def _choose(self, _job: int, _now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        return fitting[:1]

    def review(self, now: float) -> None:
        """Look again at what waits."""


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

    def _choose(self, job: int, now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        best, soonest = fitting[0], inf
        for one in fitting:
            start = self._start(one, job, now, soonest)
            if start < soonest:
                best, soonest = one, start
            if soonest <= now:
                break
        return (best,)

    def _start(self, centre: Centre, job: int, now: float, limit: float) -> float:
        procs = self.grid.procs[job]
        if not centre.queue and procs <= centre.free:
            return now
        waiting = self._as_waiting(job)
        if self.grid.rules.discipline.shortest_first:
            return forecast(self._state(centre, now), now, waiting, limit)
        return self._outlook(centre, now).start(waiting, now, limit)

    def _outlook(self, centre: Centre, now: float) -> Outlook:
        """Kept while nothing happens there that was not expected."""
        version, outlook = self._outlooks.get(centre.at, (-1, None))
        if outlook is None or version != centre.version or outlook.is_current_until <= now:
            outlook = Outlook(self._state(centre, now), now)
            self._outlooks[centre.at] = (centre.version, outlook)
        return outlook

    def _state(self, centre: Centre, _now: float) -> QueueState:
        return self.grid.asked(centre)

    def _as_waiting(self, job: int) -> Waiting:
        """As it will wait: what EASY++ reserves is settled only when it arrives."""
        grid = self.grid
        return Waiting(grid.procs[job], grid.reserved[job], grid.reserved[job])


class Ours(EarliestStart):
    """One submission a job, by what the queues show and by what the past says of run times."""

    def choose(self, job: int, now: float) -> Sequence[Centre]:
        grid = self.grid
        if not grid.rules.clairvoyant:
            grid.expected[job] = grid.past.predict(grid.keys(job), grid.jobs[job].requested).p50
        return super().choose(job, now)

    def _state(self, centre: Centre, now: float) -> QueueState:
        grid = self.grid

        def ends(job: int, start: float, until: float) -> float:
            expected = start + grid.expected[job]
            if expected > now:
                return min(expected, until) if until > now else expected
            # It has outlived what was expected: half as long again, as it has run by now.
            return min(now + max((now - start) / 2, 60), max(until, now + 1))

        return centre.state(ends, grid.expected)

    def _as_waiting(self, job: int) -> Waiting:
        grid = self.grid
        return Waiting(grid.procs[job], grid.reserved[job], grid.expected[job])


class Reroute(Ours):
    """Ours, and what waits moves to where it would start clearly sooner: never two submissions at once."""

    def _choose(self, job: int, now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        self.grid.review_by(now + REVIEW_SECONDS)
        return super()._choose(job, now, fitting)

    def review(self, now: float) -> None:
        for source in self.grid.centres:
            if source.queue:
                self._review(source, now)
        if any(centre.queue for centre in self.grid.centres):
            self.grid.review_by(now + REVIEW_SECONDS)

    def _review(self, source: Centre, now: float) -> None:
        starts = self._outlook(source, now).starts(REVIEWED)
        for at, job in enumerate(source.queue[:REVIEWED]):
            if self.uses_broker(job):
                self._move(job, source, starts.get(at, inf), now)

    def _move(self, job: int, source: Centre, start: float, now: float) -> None:
        limit = now + (start - now) * WORTH_PART - WORTH_SECONDS
        target = None
        for one in self.grid.fitting(job):
            if one is source or limit <= now:
                continue
            sooner = self._start(one, job, now, limit)
            if sooner < limit:
                target, limit = one, sooner
        if target is not None:
            self.grid.move(job, source, target)


class Multi(EarliestStart):
    """Several submissions, to the centres that would start it first; the first start wins, the others are cancelled."""

    copies = 2

    def _choose(self, job: int, now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        starts = {one.at: self._start(one, job, now, inf) for one in fitting}
        return sorted(fitting, key=lambda one: starts[one.at])[: self.copies]


PLAIN: dict[str, type[Policy]] = {
    "local": Policy,
    "random": Random,
    "round-robin": RoundRobin,
    "least-backlog": LeastBacklog,
    "shortest-queue": ShortestQueue,
    "earliest-start": EarliestStart,
    "ours": Ours,
    "reroute": Reroute,
}


def policy(name: str) -> Callable[..., Policy]:
    """Invalid with the names that there are."""
    found = MULTI.fullmatch(name)
    if found is not None:
        return type("Multi", (Multi,), {"copies": int(found[1])})
    if name not in PLAIN:
        words = ", ".join(NAMES)
        raise Invalid(f"{name} is no policy: one of {words}.", f"没有策略 {name}，可选 {words}。", field="policy")
    return PLAIN[name]


def _users_within(grid: Grid, share: float, seed: int) -> set[tuple[int, str]]:
    """The same users for every policy: by a hash of the name, not by chance."""
    users = {(job.home, job.user) for job in grid.jobs}
    return {user for user in users if _place(user, seed) < share}


def _place(user: tuple[int, str], seed: int) -> float:
    digest = hashlib.sha256(f"{seed}:{user[0]}:{user[1]}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
