"""Playing a queue forward: by hand, and against the simulator's own centres."""

from collections.abc import Sequence
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paracloud.placement.forecast import Discipline, Outlook, QueueState, Running, Waiting, forecast, reservation
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


def plainly(state: QueueState, now: float, job: Waiting) -> float:
    """As `forecast`, step by step, all that waits played together with the job."""
    running, queue, free = (
        [(max(one[0], now + 1), *one[1:]) for one in state.running],
        [*state.waiting, job],
        state.free,
    )
    while True:
        head, shadow, extra = len(queue), inf, free
        for at, one in enumerate(list(queue)):
            if at < head and one.procs > free:
                head, (shadow, extra) = at, reservation(sorted(end[1:] for end in running), free, one.procs)
            passes = state.discipline is EASY and (now + one.reserved <= shadow or one.procs <= extra)
            if one.procs > free or not (at < head or passes):
                continue
            if one is job:
                return now
            free, extra = free - one.procs, extra - one.procs * (now + one.reserved > shadow)
            queue.remove(one)
            running.append((now + max(one.expected, 1), now + one.reserved, one.procs))
        if not running:
            return inf
        now = min(running)[0]
        free += sum(procs for end, _, procs in running if end == now)
        running = [one for one in running if one[0] > now]


SECONDS = st.integers(1, 40)


@st.composite
def states(draw: st.DrawFn) -> QueueState:
    """Of eight processors; some that run should have ended, all may end before they have to."""
    running, free = [], 8
    for procs in draw(st.lists(st.integers(1, 4), max_size=6)):
        if procs <= free:
            free -= procs
            early, more = draw(st.integers(-5, 40)), draw(SECONDS)
            running.append(Running(NOW + early, NOW + max(early, 0) + more, procs))
    others = draw(st.lists(st.tuples(st.integers(1, 8), SECONDS, SECONDS), max_size=5))
    waiting = [Waiting(procs, asked, min(asked, ran)) for procs, asked, ran in others]
    return QueueState(8, free, running, waiting, draw(st.sampled_from([FCFS, EASY])))


@given(state=states(), asked=st.lists(st.tuples(st.integers(1, 8), SECONDS, st.integers(0, 120)), max_size=6))
@settings(max_examples=400, deadline=None)
def test_an_outlook_says_up_to_each_limit_what_the_plainest_playing_says(
    state: QueueState, asked: list[tuple[int, int, int]]
) -> None:
    outlook = Outlook(state, NOW)
    for procs, reserved, within in asked:
        job = Waiting(procs, reserved, reserved)
        start = plainly(state, NOW, job)
        assert outlook.start(job, NOW, NOW + within) == (start if start < NOW + within else inf)
        assert outlook.start(job, NOW) == start
