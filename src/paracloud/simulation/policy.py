"""What every policy is: it says where a job goes, and hears of what happens."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

from paracloud.simulation.centre import Centre
from paracloud.simulation.grid import Grid
from paracloud.simulation.workload import TraceJob


class Policy:
    """Users who do not use the broker, and jobs that fit nowhere else, stay at home; so does everybody under this one.
    `brokered` says of each job whether its user uses the broker."""

    def __init__(self, grid: Grid, *, share: float = 1.0, seed: int = 1) -> None:
        self.grid = grid
        self.brokered = [_place(_whose(number, job), seed) < share for number, job in enumerate(grid.jobs)]

    def choose(self, job: int, now: float) -> Sequence[Centre]:
        """Where it goes: to all of them, and the first start wins. To none: it is kept back, until `Grid.send`."""
        fitting = self.grid.fitting(job)
        if len(fitting) == 1 or not self.brokered[job]:
            return (self.grid.centres[self.grid.jobs[job].home],)
        return self._choose(job, now, fitting)

    def started(self, job: int, now: float) -> None:
        """It runs, and where is known now. Other jobs may start at the same moment, before or after it."""

    def ended(self, job: int) -> None:
        """It ran, and how long is known now."""

    def settled(self, now: float) -> None:
        """All that happens now has happened, and every scheduler has started what it may."""

    def review(self, now: float) -> None:
        """The moment has come that was asked for by `Grid.review_by`."""

    def _choose(self, _job: int, _now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        """`fitting`: several, the job's home first."""
        return fitting[:1]


def _whose(number: int, job: TraceJob) -> str:
    """Where a trace does not tell users apart, each job is one of its own."""
    return f"{job.home}:{job.user}" if job.has_user else f"{job.home}:{job.user}:{number}"


@lru_cache(maxsize=100_000)
def _place(user: str, seed: int) -> float:
    """The same for every policy: by a hash of the name, not by chance. 0 to 1."""
    digest = hashlib.sha256(f"{seed}:{user}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
