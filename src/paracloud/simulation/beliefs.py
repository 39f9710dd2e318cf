"""What the broker takes jobs for, by what they asked for and by what ran before them; never by how long they run."""

from collections.abc import Sequence
from math import inf

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
        self._keys: dict[int, tuple[tuple[int | str, ...], ...]] = {}
        self._due: dict[int, tuple[float, float]] = {}
        """Of those that run: when each began, and by when it is to end by what is expected of it and what its scheduler
        counts on first; minus infinity where that changes with what ends."""

    def arrived(self, job: int) -> None:
        grid, one = self._grid, self._grid.jobs[job]
        self._keys[job] = self._whose_past(job)
        if self._knows_all:
            self.reserved[job], self.expected[job] = grid.reserved[job], one.ran
        elif self._says[job]:
            self.reserved[job] = grid.reserved[job]
            self.expected[job] = self._past.predict(self._keys[job], one.requested).p50
        else:
            self.expected[job], self.at_most[job] = self._lifetimes.expected(self._keys[job])
            self.reserved[job] = self.expected[job]
            return
        self.at_most[job] = self.reserved[job]

    def started(self, job: int, now: float) -> None:
        end = now + min(self.expected[job], self._grid.reserved[job]) if self._says[job] else -inf
        self._due[job] = now, end

    def ended(self, job: int) -> None:
        del self.reserved[job], self.expected[job], self.at_most[job], self._due[job]
        one, keys = self._grid.jobs[job], self._keys.pop(job)
        if self._says[job]:
            self._past.learn(keys, one.requested, one.ran)
        else:
            self._lifetimes.learn(keys, one.ran)

    def reserved_ends(self, centre: Centre, now: float) -> Sequence[float]:
        """By when those that run there, in their order, have to end as far as it can be told."""
        if self.sees_requests:
            return as_reserved(centre, now)
        return self._ends(centre, now, 0)

    def expected_ends(self, centre: Centre, now: float) -> Sequence[float]:
        """When they are expected to end."""
        due, ends = self._due, []
        for until, job in centre.running:
            start, end = due[job]
            ends.append(end if end > now else self._late_end(job, start, until, now))
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
        return [until if self._says[job] else self._guessed_end(job, self._due[job][0], now)[which]
                for until, job in centre.running]  # fmt: skip

    def _late_end(self, job: int, start: float, until: float, now: float) -> float:
        """Of one that runs longer than was expected of it, or of which only the past tells."""
        if not self._says[job]:
            return self._guessed_end(job, start, now)[0]
        end = start + self.expected[job]
        if end > now:
            return min(end, until) if until > now else end
        later = now + max((now - start) * OUTLIVED_PART, OUTLIVED_SECONDS)
        return min(later, max(until, now + 1))

    def _guessed_end(self, job: int, start: float, now: float) -> tuple[float, float]:
        mean, late = self._lifetimes.expected(self._keys[job], now - start)
        return start + mean, start + late

    def _whose_past(self, job: int) -> tuple[tuple[int | str, ...], ...]:
        """Whose past tells how long a job runs: its user's jobs of that size, and that asked as long; its user's, its
        centre's, all."""
        one = self._grid.jobs[job]
        users = ((one.home, one.user, one.procs), (one.home, one.user), (one.home,))
        return ((one.home, one.user, one.procs, int(one.requested)), *users) if self._says[job] else users
