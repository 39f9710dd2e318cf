"""The event loop: jobs arrive, start and end at several centres, as a policy sends them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from heapq import heapify, heappop, heappush
from typing import Protocol

from paracloud.placement.forecast import Discipline
from paracloud.simulation.centre import Centre
from paracloud.simulation.workload import Workload

CORRECTIONS_SECONDS = (60, 300, 900, 1800, 3600, 7200, 18000, 36000, 72000, 180000, 360000)
"""How much longer a job is expected to run each time that it outlives what EASY++ predicted (Tsafrir et al. 2007)."""


class Event(IntEnum):
    """In the order in which those of one moment are handled."""

    END = 0
    ARRIVAL = 1
    OUTLIVED = 2
    REVIEW = 3


@dataclass(frozen=True, slots=True)
class Rules:
    """`clairvoyant`: schedulers and policies know how long each job runs. `past_only`: what a trace does not say of a
    job's time limit, the broker does not see, although the job's scheduler is told (see `TraceJob`)."""

    discipline: Discipline = Discipline.EASY
    clairvoyant: bool = False
    past_only: bool = False


class Broker(Protocol):
    """Who is asked and told while jobs are played (see `policy.Policy`)."""

    def choose(self, job: int, now: float) -> Sequence[Centre]: ...
    def started(self, job: int, now: float) -> None: ...
    def ended(self, job: int) -> None: ...
    def settled(self, now: float) -> None: ...
    def review(self, now: float) -> None: ...


class Grid:
    """The state of a simulation. A policy reads it, and answers with the centres that a job goes to: to none where it
    keeps the job back, to `send` it later."""

    def __init__(self, workload: Workload, rules: Rules) -> None:
        jobs = workload.jobs
        self.jobs, self.rules = jobs, rules
        self.procs = [job.procs for job in jobs]
        self.reserved = [job.ran if rules.clairvoyant else job.requested for job in jobs]
        """How long the scheduler reserves for each job, in seconds."""
        self.starts: list[float | None] = [None] * len(jobs)
        self.where: list[Centre | None] = [None] * len(jobs)
        self.centres = [
            Centre(at, capacity, rules.discipline, self.procs, self.reserved, self._begun)
            for at, capacity in enumerate(workload.capacities)
        ]
        self.submissions = self.moves = 0
        self._fitting: dict[tuple[int, int], Sequence[Centre]] = {}
        self._copies: dict[int, list[Centre]] = {}
        self._last_two: dict[tuple[int, str], tuple[float, float]] = {}
        self._corrections: dict[int, int] = {}
        self._events = [(job.submitted, Event.ARRIVAL, at) for at, job in enumerate(jobs)]
        self._touched: set[int] = set()
        self._review_at: float | None = None
        self._told: Callable[[int, float], None]
        heapify(self._events)

    def run(self, broker: Broker) -> None:
        """Until every job has ended."""
        events, self._told = self._events, broker.started
        while events:
            now = events[0][0]
            while events and events[0][0] == now:
                _, kind, job = heappop(events)
                if kind is Event.END:
                    self._end(job)
                    broker.ended(job)
                elif kind is Event.ARRIVAL:
                    self._arrive(job, now, broker)
                elif kind is Event.OUTLIVED:
                    self._correct(job, now)
                elif now == self._review_at:  # an earlier one was asked for since, otherwise
                    self._review_at = None
                    broker.review(now)
            self._settle(now, broker)

    def _settle(self, now: float, broker: Broker) -> None:
        while self._touched:
            while self._touched:
                for at in sorted(self._touched):
                    self._touched.discard(at)
                    self.centres[at].schedule(now)
            broker.settled(now)

    def fitting(self, job: int) -> Sequence[Centre]:
        """The centres that are large enough, the job's own first."""
        home, procs = key = self.jobs[job].home, self.procs[job]
        found = self._fitting.get(key)
        if found is None:
            others = (*self.centres[:home], *self.centres[home + 1 :])
            found = self._fitting[key] = [one for one in (self.centres[home], *others) if one.capacity >= procs]
        return found

    def review_by(self, moment: float) -> None:
        """The policy wants to look again then, or earlier where that was said before."""
        if self._review_at is None or moment < self._review_at:
            self._review_at = moment
            heappush(self._events, (moment, Event.REVIEW, -1))

    def send(self, job: int, centre: Centre) -> None:
        """Submit what `Broker.choose` kept back."""
        centre.join(job)
        self.submissions += 1
        self._touched.add(centre.at)

    def move(self, job: int, source: Centre, target: Centre) -> None:
        """Take it from one queue to the end of another."""
        source.leave(job)
        self._touched.add(source.at)
        self.send(job, target)
        self.moves += 1

    def _arrive(self, job: int, now: float, broker: Broker) -> None:
        if self.rules.discipline is Discipline.EASY_PP and not self.rules.clairvoyant:
            self.reserved[job] = self._average(job)
        centres = broker.choose(job, now)
        for one in centres:
            one.join(job)
            self._touched.add(one.at)
        self.submissions += len(centres)
        if len(centres) > 1:
            self._copies[job] = list(centres)

    def _begun(self, job: int, centre: Centre, now: float) -> None:
        """The first start wins: the job's other copies are taken back at that moment."""
        one = self.jobs[job]
        self.starts[job], self.where[job] = now, centre
        heappush(self._events, (now + one.ran, Event.END, job))
        if self.reserved[job] < one.ran:
            heappush(self._events, (now + self.reserved[job], Event.OUTLIVED, job))
        for other in self._copies.pop(job, ()):
            if other is not centre:
                other.leave(job)
                self._touched.add(other.at)
        self._told(job, now)

    def _end(self, job: int) -> None:
        centre, one = self.where[job], self.jobs[job]
        assert centre is not None  # noqa: S101  # it began
        centre.end(job)
        self._touched.add(centre.at)
        key = (one.home, one.user)
        self._last_two[key] = (self._last_two.get(key, (-1.0, -1.0))[1], one.ran)

    def _average(self, job: int) -> float:
        """EASY++'s prediction: what the user's last two jobs took, in whole seconds."""
        one = self.jobs[job]
        before, last = self._last_two.get((one.home, one.user), (-1.0, -1.0))
        return one.requested if before < 0 else min((before + last) // 2, one.requested)

    def _correct(self, job: int, now: float) -> None:
        """No pass of the scheduler follows: nothing came free."""
        centre, begun = self.where[job], self.starts[job]
        if centre is None or begun is None or not centre.is_running(job):
            return
        step = CORRECTIONS_SECONDS[min(self._corrections.get(job, 0), len(CORRECTIONS_SECONDS) - 1)]
        self._corrections[job] = self._corrections.get(job, 0) + 1
        until = min(begun + self.jobs[job].requested, now + step)
        centre.extend(job, until)
        if until < begun + self.jobs[job].ran:
            heappush(self._events, (until, Event.OUTLIVED, job))
