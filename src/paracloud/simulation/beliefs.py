"""What the broker takes jobs for, by what they asked for and by what ran before them; never by how long they run."""

from collections.abc import Sequence

from paracloud.placement.past import RunTimes
from paracloud.simulation.centre import Centre, Hole
from paracloud.simulation.grid import Grid
from paracloud.simulation.lifetimes import OUTLIVED_PART, OUTLIVED_SECONDS, Lifetimes
from paracloud.simulation.outlooks import as_reserved


class Beliefs:
    """Of each job from its arrival to its end, in seconds: for how long its scheduler is taken to reserve, how long it
    is expected to run, and how long at most. Where the rules say so, what the scheduler reserves for a job without a
    request, which is its run time (see `TraceJob`), is not looked at, but guessed; and whoever must not outstay a hole
    is taken to run as long as nine in ten do not exceed."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._knows_all = grid.rules.clairvoyant
        is_told = self._knows_all or not grid.rules.past_only
        self._says = [is_told or job.has_request for job in grid.jobs]
        self.sees_requests = all(self._says)
        self._past, self._lifetimes = RunTimes(), Lifetimes()
        self._holes: dict[int, tuple[int, Hole]] = {}
        self.reserved: dict[int, float] = {}
        self.expected: dict[int, float] = {}
        self.at_most: dict[int, float] = {}

    def arrived(self, job: int) -> None:
        grid, one = self._grid, self._grid.jobs[job]
        if self._knows_all:
            self.reserved[job], self.expected[job] = grid.reserved[job], one.ran
        elif self._says[job]:
            self.reserved[job] = grid.reserved[job]
            self.expected[job] = self._past.predict(self._keys(job), one.requested).p50
        else:
            self.expected[job], self.at_most[job] = self._lifetimes.expected(self._keys(job))
            self.reserved[job] = self.expected[job]
            return
        self.at_most[job] = self.reserved[job]

    def ended(self, job: int) -> None:
        del self.reserved[job], self.expected[job], self.at_most[job]
        one = self._grid.jobs[job]
        if self._says[job]:
            self._past.learn(self._keys(job), one.requested, one.ran)
        else:
            self._lifetimes.learn(self._keys(job), one.ran)

    def reserved_ends(self, centre: Centre, now: float) -> Sequence[float]:
        """By when those that run there, in their order, have to end as far as it can be told."""
        if self.sees_requests:
            return as_reserved(centre, now)
        return self._ends(centre, now, 0)

    def expected_ends(self, centre: Centre, now: float) -> Sequence[float]:
        """When they are expected to end."""
        says, expected, ends = self._says, self.expected, []
        for until, job in centre.running:
            if not says[job]:
                ends.append(self._guessed_end(job, centre, now)[0])
                continue
            start = centre.started(job)
            end = start + expected[job]
            if end > now:
                ends.append(min(end, until) if until > now else end)
            else:
                later = now + max((now - start) * OUTLIVED_PART, OUTLIVED_SECONDS)
                ends.append(min(later, max(until, now + 1)))
        return ends

    def hole(self, centre: Centre, now: float) -> Hole:
        """What the first of its queue leaves to others, as far as it can be told."""
        if not self.sees_requests:
            return centre.hole(self._ends(centre, now, 1))
        version, hole = self._holes.get(centre.at, (-1, None))
        if hole is None or version != centre.version:
            hole = centre.hole()
            self._holes[centre.at] = (centre.version, hole)
        return hole

    def _ends(self, centre: Centre, now: float, which: int) -> list[float]:
        """Of those without a request by the mean (0), or by what nine in ten do not exceed (1)."""
        says = self._says
        return [until if says[job] else self._guessed_end(job, centre, now)[which] for until, job in centre.running]

    def _guessed_end(self, job: int, centre: Centre, now: float) -> tuple[float, float]:
        start = centre.started(job)
        mean, late = self._lifetimes.expected(self._keys(job), now - start)
        return start + mean, start + late

    def _keys(self, job: int) -> tuple[tuple[int | str, ...], ...]:
        """Whose past tells how long a job runs: its user's jobs of that size, and that asked as long; its user's, its
        centre's, all."""
        one = self._grid.jobs[job]
        users = ((one.home, one.user, one.procs), (one.home, one.user), (one.home,))
        return ((one.home, one.user, one.procs, int(one.requested)), *users) if self._says[job] else users
