"""What a policy came to."""

from collections.abc import Iterable
from dataclasses import dataclass

from paracloud.simulation.grid import Grid

TAU_SECONDS = 10.0
"""A shorter run counts as this long: else a job of a second would make the mean."""


@dataclass(frozen=True, slots=True)
class Felt:
    """By users: bounded slowdown is (wait + run) / max(run, 10 s), at least 1."""

    jobs: int
    mean_bounded_slowdown: float
    p95_bounded_slowdown: float
    mean_wait_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """`others`: the users who do not use the broker. `by_centre`: each centre's utilisation over the whole time."""

    all: Felt
    others: Felt | None
    brokered: Felt | None
    utilisation: float
    by_centre: tuple[float, ...]
    moves: int
    submissions_per_job: float


def outcome(grid: Grid, brokered: frozenset[int]) -> Outcome:
    """`brokered`: the jobs of those who use the broker."""
    every = range(len(grid.jobs))
    others = [at for at in every if at not in brokered]
    began = min((job.submitted for job in grid.jobs), default=0.0)
    ended = max(
        (start + job.ran for job, start in zip(grid.jobs, grid.starts, strict=True) if start is not None), default=began
    )
    span = max(ended - began, 1.0)
    work = [0.0] * len(grid.centres)
    for job, where in zip(grid.jobs, grid.where, strict=True):
        if where is not None:
            work[where.at] += job.ran * job.procs
    capacity = sum(one.capacity for one in grid.centres)
    return Outcome(
        felt(grid, every),
        felt(grid, others) if others else None,
        felt(grid, brokered) if brokered else None,
        sum(work) / (capacity * span),
        tuple(done / (one.capacity * span) for done, one in zip(work, grid.centres, strict=True)),
        grid.moves,
        grid.submissions / max(len(grid.jobs), 1),
    )


def felt(grid: Grid, jobs: Iterable[int]) -> Felt:
    """ValueError for a job that never began: there is no outcome then."""
    waits, slowdowns = [], []
    for at in jobs:
        job, start = grid.jobs[at], grid.starts[at]
        if start is None:
            raise ValueError(f"job {at} never began")
        waits.append(start - job.submitted)
        slowdowns.append(max(1.0, (waits[-1] + job.ran) / max(job.ran, TAU_SECONDS)))
    count = len(waits)
    slowdowns.sort()
    p95 = slowdowns[min(int(0.95 * count), count - 1)] if count else 0.0
    return Felt(count, sum(slowdowns) / max(count, 1), p95, sum(waits) / max(count, 1))
