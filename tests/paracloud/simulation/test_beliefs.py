"""When those that run are expected to end: what is kept of each says the same as reckoning it anew."""

import random
from collections.abc import Sequence
from itertools import accumulate

import pytest

from paracloud.placement.forecast import Discipline
from paracloud.simulation.grid import Grid, Rules
from paracloud.simulation.lifetimes import OUTLIVED_PART, OUTLIVED_SECONDS
from paracloud.simulation.ours import Ours
from paracloud.simulation.workload import TraceJob, Workload


def drawn(count: int) -> Workload:
    """Users run what they ran before, more or less, and ask for much more; two centres of eight."""
    dice = random.Random(4)
    jobs = []
    for at in accumulate(dice.expovariate(1 / 400) for _ in range(count)):
        user, asked = dice.randrange(4), dice.choice((600, 3600, 36000))
        ran = min(asked, (user + 1) * 500 * dice.lognormvariate(0, 1))
        jobs.append(TraceJob(at, ran, dice.randint(1, 6), asked, dice.randrange(2), f"u{user}"))
    return Workload((8, 8), tuple(jobs))


class Foreseen(Ours):
    """Notes, whenever all schedulers have acted, what is expected, and what is by reckoning it anew."""

    def __init__(self, grid: Grid) -> None:
        super().__init__(grid)
        self.seen: list[tuple[Sequence[float], list[float]]] = []

    def settled(self, now: float) -> None:
        for centre in self.grid.centres:
            anew = [self._end(job, until, now) for until, job in centre.running]
            self.seen.append((self.beliefs.expected_ends(centre, now), anew))
        super().settled(now)

    def _end(self, job: int, until: float, now: float) -> float:
        start = self.grid.starts[job]
        assert start is not None
        end = start + self.beliefs.expected[job]
        if end <= now:
            return min(now + max((now - start) * OUTLIVED_PART, OUTLIVED_SECONDS), max(until, now + 1))
        return min(end, until) if until > now else end


@pytest.mark.parametrize("discipline", [Discipline.EASY, Discipline.EASY_PP])
def test_those_that_run_are_expected_to_end_as_the_past_says_and_when_that_is_over_later(
    discipline: Discipline,
) -> None:
    grid = Grid(drawn(150), Rules(discipline))
    sends = Foreseen(grid)
    grid.run(sends)
    assert all(found == anew for found, anew in sends.seen)
    assert len({end for found, _ in sends.seen for end in found}) > 150
