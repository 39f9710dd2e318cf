"""What every policy is: it says where a job goes, and hears of what happens."""

import hashlib
from collections.abc import Sequence

from paracloud.simulation.centre import Centre
from paracloud.simulation.grid import Grid


class Policy:
    """Users who do not use the broker, and jobs that fit nowhere else, stay at home; so does everybody under this one.
    `brokered` says of each job whether its user uses the broker."""

    def __init__(self, grid: Grid, *, share: float = 1.0, seed: int = 1) -> None:
        self.grid = grid
        users = _users_within(grid, share, seed)
        self.brokered = [(job.home, job.user) in users for job in grid.jobs]

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


def _users_within(grid: Grid, share: float, seed: int) -> set[tuple[int, str]]:
    """The same users for every policy: by a hash of the name, not by chance."""
    users = {(job.home, job.user) for job in grid.jobs}
    return {user for user in users if _place(user, seed) < share}


def _place(user: tuple[int, str], seed: int) -> float:
    digest = hashlib.sha256(f"{seed}:{user[0]}:{user[1]}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
