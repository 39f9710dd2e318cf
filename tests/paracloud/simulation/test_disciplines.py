"""What a centre's scheduler does with one queue, by hand."""

import pytest

from paracloud.placement.forecast import Discipline
from paracloud.simulation.grid import Grid, Rules
from paracloud.simulation.policy import Policy
from paracloud.simulation.workload import TraceJob, Workload


def starts(
    discipline: Discipline, *jobs: tuple[float, float, int, float], clairvoyant: bool = False
) -> list[float | None]:
    """Jobs of one user as (submitted, ran, processors, requested), at a centre of ten."""
    trace = tuple(TraceJob(at, ran, procs, asked, 0, "ann") for at, ran, procs, asked in jobs)
    grid = Grid(Workload((10,), trace), Rules(discipline, clairvoyant))
    grid.run(Policy(grid))
    return grid.starts


FOUR = ((0, 100, 6, 200), (1, 50, 8, 50), (2, 150, 2, 180), (3, 90, 4, 150))
"""The second waits for the first; the third passes it within what is reserved; the fourth finds no room."""
HASTY = ((0, 100, 6, 100), (1, 50, 8, 50), (2, 50, 4, 500))
"""The third asks for far more than it needs."""
PAST = ((0, 50, 1, 500), (0, 50, 1, 500), (100, 100, 6, 100), (100, 50, 8, 50), (100, 50, 4, 500))


@pytest.mark.parametrize(
    ("discipline", "jobs", "expected"),
    [
        (Discipline.FCFS, FOUR, [0, 100, 100, 150]),
        (Discipline.EASY, FOUR, [0, 100, 2, 150]),
        (Discipline.EASY, HASTY, [0, 100, 150]),
        (Discipline.EASY, PAST, [0, 0, 100, 200, 250]),
        (Discipline.EASY_PP, PAST, [0, 0, 100, 200, 100]),
    ],
)
def test_what_passes_the_first_of_a_queue(
    discipline: Discipline, jobs: tuple[tuple[float, float, int, float], ...], expected: list[float]
) -> None:
    assert starts(discipline, *jobs) == expected


def test_a_scheduler_that_knows_the_future_fills_more_holes() -> None:
    assert starts(Discipline.EASY, *HASTY, clairvoyant=True) == [0, 100, 2]


def test_a_hole_goes_to_whoever_came_first_or_is_shortest() -> None:
    jobs = ((0, 100, 6, 100), (1, 50, 8, 50), (2, 80, 4, 80), (2, 10, 4, 10))
    assert starts(Discipline.EASY, *jobs) == [0, 100, 2, 82]
    assert starts(Discipline.EASY_SJF, *jobs) == [0, 100, 12, 2]


def test_what_outlives_its_prediction_is_counted_on_a_little_longer_each_time() -> None:
    """The last one is predicted to take 50 s: it takes 1000, and whoever waits for it begins when it ends."""
    jobs = ((0, 50, 1, 500), (0, 50, 1, 500), (100, 1000, 6, 2000), (101, 10, 8, 10), (102, 400, 4, 400))
    found = starts(Discipline.EASY_PP, *jobs)
    assert found[3] == 1100
    assert found[4] is not None
