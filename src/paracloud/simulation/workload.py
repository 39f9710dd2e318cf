"""What is simulated: jobs of the past, each with the centre that it was sent to then."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

UNKNOWN_USER = "-1"
"""As the Standard Workload Format has it."""


class TraceJob(NamedTuple):
    """Times in seconds from the beginning of the trace. `ran` is never longer than `requested`: a scheduler ends what
    is. Without a request of its own (`has_request`) a job's scheduler is told what it ran, as is usual with traces that
    have none; whether a broker is told so, too, the rules say."""

    submitted: float
    ran: float
    procs: int
    requested: float
    home: int
    user: str
    has_request: bool = True

    @property
    def has_user(self) -> bool:
        return self.user != UNKNOWN_USER


@dataclass(frozen=True, slots=True)
class Workload:
    """`jobs` by submission; `left_out` counts those that never ran, or asked for more than their own centre has.
    `may_count_from_1`: their centres were taken to count from 0, but no job is at the first."""

    capacities: tuple[int, ...]
    jobs: tuple[TraceJob, ...]
    left_out: int = 0
    may_count_from_1: bool = False

    @property
    def without_user(self) -> int:
        """How many jobs do not say whose they are."""
        return sum(not job.has_user for job in self.jobs)

    @property
    def without_request(self) -> int:
        """How many jobs do not say how long they may run."""
        return sum(not job.has_request for job in self.jobs)


def cut(submitted: float, ran: float, procs: int, requested: float, home: int, user: str) -> TraceJob:
    """As it is simulated: the scheduler takes a job that says no requested time to have asked for what it ran."""
    asked = requested if requested > 0 else ran
    return TraceJob(submitted, min(ran, asked), procs, asked, home, user, requested > 0)


def joined(traces: Sequence[tuple[str, int, Sequence[TraceJob]]]) -> Workload:
    """One centre a trace: (name, processors, jobs). All begin at zero. A trace that comes again is shifted by its part
    of the trace's span, around its end, so that no two centres get the same jobs at the same moment: by half of it
    where it comes twice."""
    capacities = tuple(capacity for _, capacity, _ in traces)
    jobs: list[TraceJob] = []
    for home, (name, capacity, trace) in enumerate(traces):
        if not trace:
            continue
        earlier = sum(1 for other, _, _ in traces[:home] if other == name)
        times = sum(1 for other, _, _ in traces if other == name)
        jobs += turned([job._replace(home=home) for job in trace if job.procs <= capacity], earlier / times, trace)
    total = sum(len(trace) for _, _, trace in traces)
    return Workload(capacities, tuple(sorted(jobs, key=lambda job: job.submitted)), total - len(jobs))


def turned(jobs: Iterable[TraceJob], part: float, trace: Sequence[TraceJob]) -> Iterator[TraceJob]:
    """Jobs of a trace that begins at zero, each later by this part of its span, and around its end."""
    begin = min(job.submitted for job in trace)
    span = max(job.submitted for job in trace) - begin + 1
    return (job._replace(submitted=(job.submitted - begin + span * part) % span) for job in jobs)


def within(workload: Workload) -> Workload:
    """Without jobs that are wider than their own centre: a policy that looks elsewhere would run more than another."""
    fitting = tuple(job for job in workload.jobs if job.procs <= workload.capacities[job.home])
    left_out = workload.left_out + len(workload.jobs) - len(fitting)
    return replace(workload, jobs=tuple(sorted(fitting, key=lambda job: job.submitted)), left_out=left_out)
