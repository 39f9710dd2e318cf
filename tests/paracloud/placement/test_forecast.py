"""Playing a queue forward: by hand, and against the simulator's own centres."""

from collections.abc import Sequence
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paracloud.placement.forecast import Discipline, Outlook, QueueState, Running, Waiting, forecast
from paracloud.simulation.centre import Centre
from paracloud.simulation.grid import Grid, Rules
from paracloud.simulation.peers import EarliestStart
from paracloud.simulation.workload import TraceJob, Workload

EASY, SJF, FCFS = Discipline.EASY, Discipline.EASY_SJF, Discipline.FCFS
WIDE, HEAD = Running(100, 100, 6), Waiting(8, 50, 50)
"""Of ten processors six are taken until 100; the first that waits needs eight."""


def state(*waiting: Waiting, discipline: Discipline = EASY, running: tuple[Running, ...] = (WIDE,)) -> QueueState:
    return QueueState(10, 10 - sum(one.procs for one in running), running, waiting, discipline)


@pytest.mark.parametrize(
    ("job", "discipline", "start"),
    [
        (Waiting(4, 100, 100), EASY, 0),  # it ends when the first begins
        (Waiting(4, 101, 101), EASY, 150),  # it would hold the first up
        (Waiting(2, 999, 999), EASY, 0),  # what the first leaves is enough
        (Waiting(4, 100, 100), FCFS, 150),
        (Waiting(10, 1, 1), EASY, 150),
        (Waiting(11, 1, 1), EASY, inf),
    ],
)
def test_a_job_passes_the_first_only_where_that_is_not_held_up(
    job: Waiting, discipline: Discipline, start: float
) -> None:
    assert forecast(state(HEAD, discipline=discipline), 0, job) == start


def test_holes_are_filled_with_the_shortest_first_where_the_scheduler_does_so() -> None:
    before = Waiting(4, 90, 90)
    assert forecast(state(HEAD, before, discipline=EASY), 0, Waiting(4, 10, 10)) == 90
    assert forecast(state(HEAD, before, discipline=SJF), 0, Waiting(4, 10, 10)) == 0


def test_the_scheduler_decides_by_what_is_reserved_and_jobs_end_by_what_is_expected() -> None:
    early = Running(expected_end=30, reserved_end=100, procs=6)
    assert forecast(state(HEAD, running=(early,)), 0, Waiting(4, 100, 5)) == 0
    assert forecast(state(HEAD, running=(early,)), 0, Waiting(4, 101, 5)) == 80
    assert Outlook(state(HEAD, running=(early,)), 0).starts() == {0: 30}


def test_what_should_have_ended_ends_next() -> None:
    late = Running(expected_end=-50, reserved_end=100, procs=6)
    assert Outlook(state(HEAD, running=(late,)), 7).starts() == {0: 8}


def test_nothing_is_played_beyond_the_limit() -> None:
    assert forecast(state(HEAD), 0, Waiting(10, 1, 1), limit=150) == inf
    assert forecast(state(HEAD), 0, Waiting(10, 1, 1), limit=151) == 150


JOBS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 40), st.integers(1, 8)), min_size=1, max_size=25)
DISCIPLINES = st.sampled_from([FCFS, EASY, SJF])
NOW = 60.0


class Watched(EarliestStart):
    """Keeps what the centre shows at NOW, before a job that arrives then has joined, and who waits there."""

    shown: tuple[QueueState, list[int]] | None = None

    def choose(self, job: int, now: float) -> Sequence[Centre]:
        if now == NOW:
            self.review(now)
        self.grid.review_by(NOW)
        return super().choose(job, now)

    def review(self, now: float) -> None:
        centre = self.grid.centres[0]
        if self.shown is None:
            centre.schedule(now)
            self.shown = self.asked.state(centre, now), list(centre.queue)


def seen(
    jobs: list[tuple[int, int, int]], discipline: Discipline, *last: TraceJob
) -> tuple[Grid, QueueState, list[int]]:
    """A centre of eight, what it shows at NOW, and who waits then."""
    trace = tuple(TraceJob(at, ran, procs, ran, 0, "u") for at, ran, procs in sorted(jobs))
    grid = Grid(Workload((8,), (*trace, *last)), Rules(discipline))
    watched = Watched(grid)
    grid.run(watched)
    assert watched.shown is not None
    return grid, *watched.shown


@given(jobs=JOBS, discipline=DISCIPLINES, ran=st.integers(1, 40), procs=st.integers(1, 8))
@settings(max_examples=300, deadline=None)
def test_it_says_when_the_centre_then_starts_a_job_where_requests_are_true_and_nothing_comes_after(
    jobs: list[tuple[int, int, int]], discipline: Discipline, ran: int, procs: int
) -> None:
    grid, state, _ = seen(jobs, discipline, TraceJob(NOW, ran, procs, ran, 0, "u"))
    assert forecast(state, NOW, Waiting(procs, ran, ran)) == grid.starts[-1]


@given(jobs=JOBS, discipline=DISCIPLINES)
@settings(max_examples=300, deadline=None)
def test_it_says_when_all_start_that_wait(jobs: list[tuple[int, int, int]], discipline: Discipline) -> None:
    grid, state, waiting = seen(jobs, discipline)
    assert Outlook(state, NOW).starts() == {at: grid.starts[job] for at, job in enumerate(waiting)}


@given(
    jobs=JOBS,
    discipline=st.sampled_from([FCFS, EASY]),
    asked=st.lists(st.tuples(st.integers(1, 40), st.integers(1, 8))),
)
@settings(max_examples=100, deadline=None)
def test_an_outlook_says_the_same_however_much_was_asked_of_it(
    jobs: list[tuple[int, int, int]], discipline: Discipline, asked: list[tuple[int, int]]
) -> None:
    _, state, _ = seen(jobs, discipline)
    outlook = Outlook(state, NOW)
    for ran, procs in asked:
        job = Waiting(procs, ran, ran)
        assert outlook.start(job, NOW) == forecast(state, NOW, job)
