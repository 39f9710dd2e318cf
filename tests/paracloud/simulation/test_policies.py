"""Policies on grids small enough to be worked out by hand, and on random ones."""

import itertools
import random
from collections.abc import Sequence

import pytest

from paracloud.kit.errors import Invalid
from paracloud.placement.forecast import Discipline
from paracloud.simulation.centre import Centre
from paracloud.simulation.grid import Grid, Rules
from paracloud.simulation.ours import Ours, Reroute
from paracloud.simulation.outcome import Outcome
from paracloud.simulation.policies import policy as make
from paracloud.simulation.policy import Policy
from paracloud.simulation.simulate import Asked, simulate
from paracloud.simulation.workload import UNKNOWN_USER, TraceJob, Workload, joined

ALL = (
    "local",
    "random",
    "round-robin",
    "least-backlog",
    "shortest-queue",
    "earliest-start",
    "ours",
    "reroute",
    "production",
    "multi-3",
)


def job(
    at: float, ran: float, procs: int = 4, home: int = 0, user: str = "ann", asked: float | None = None
) -> TraceJob:
    return TraceJob(at, ran, procs, ran if asked is None else asked, home, user)


def played(policy: str, *jobs: TraceJob, capacities: tuple[int, ...] = (4, 4), share: float = 1.0) -> Outcome:
    ((_, found),) = simulate(Workload(capacities, jobs), Asked([policy], Rules(), share))
    return found


def drawn(seed: int, count: int = 400) -> Workload:
    dice = random.Random(seed)
    times = itertools.accumulate(dice.expovariate(1 / 300) for _ in range(count))
    jobs = []
    for at in times:
        asked = dice.choice((600, 3600, 36000))
        home = dice.randrange(3)
        procs = dice.randint(1, (16, 32, 8)[home])
        jobs.append(TraceJob(at, asked * dice.random(), procs, asked, home, f"u{dice.randrange(9)}"))
    return Workload((16, 32, 8), tuple(jobs))


@pytest.mark.parametrize(
    ("policy", "wait"),
    [
        ("local", (0 + 99 + 198) / 3),
        ("round-robin", (0 + 0 + 98) / 3),
        ("shortest-queue", (0 + 99 + 0) / 3),
        ("least-backlog", (0 + 0 + 98) / 3),
        ("earliest-start", (0 + 0 + 98) / 3),
        ("ours", (0 + 0 + 98) / 3),
        ("multi-2", (0 + 0 + 98) / 3),
    ],
)
def test_three_jobs_that_fill_a_centre_each(policy: str, wait: float) -> None:
    found = played(policy, job(0, 100), job(1, 100), job(2, 100))
    assert found.all.mean_wait_s == pytest.approx(wait)
    assert found.submissions_per_job == (2 if policy == "multi-2" else 1)


def test_who_goes_elsewhere_lifts_the_idle_centre() -> None:
    jobs = (job(0, 100), job(0, 100))
    assert played("local", *jobs).by_centre == (1.0, 0.0)
    assert played("ours", *jobs).by_centre == (1.0, 1.0)


def test_ours_learns_that_a_user_asks_for_too_much() -> None:
    past = [job(at, 10, home=0, user="hasty", asked=100) for at in range(0, 100, 10)]
    other = [job(at, 10, home=1, user="true", asked=10) for at in range(0, 100, 10)]
    queued = [job(200, 10, home=0, user="hasty", asked=100), job(201, 40, home=1, user="true", asked=40)]
    new = job(202, 5, procs=4, home=1, user="true", asked=5)
    jobs = tuple(sorted([*past, *other, *queued, new], key=lambda one: one.submitted))
    blind, seeing = played("earliest-start", *jobs), played("ours", *jobs)
    assert seeing.all.mean_wait_s < blind.all.mean_wait_s


class Heard:
    """A broker whose answers are written down, each with the moment and the job."""

    def __init__(self, sends: Policy) -> None:
        self._sends = sends
        self.started, self.ended, self.settled, self.review = sends.started, sends.ended, sends.settled, sends.review
        self.answers: list[tuple[float, int, list[int]]] = []

    def choose(self, job: int, now: float) -> Sequence[Centre]:
        centres = self._sends.choose(job, now)
        self.answers.append((now, job, [one.at for one in centres]))
        return centres


@pytest.mark.parametrize("policy", ["ours", "reroute"])
def test_the_run_time_of_a_job_without_a_request_changes_nothing_before_it_ends(policy: str) -> None:
    """First come, first served: the schedulers, who are told it, do not act on it either."""
    jobs = [one._replace(has_request=False, requested=one.ran) for one in drawn(11).jobs]
    moment = jobs[150].submitted

    def played_by(jobs: list[TraceJob]) -> tuple[Grid, list[object]]:
        grid = Grid(Workload((16, 32, 8), tuple(jobs)), Rules(Discipline.FCFS, past_only=True))
        heard = Heard(make(policy)(grid))
        grid.run(heard)
        began = [(job, at, where.at) for job, (at, where) in enumerate(zip(grid.starts, grid.where, strict=True))
                 if at is not None and where is not None and at < moment]  # fmt: skip
        return grid, [*(answer for answer in heard.answers if answer[0] < moment), *began]

    grid, first = played_by(jobs)
    other = list(jobs)
    for at, (job, start) in enumerate(zip(jobs, grid.starts, strict=True)):
        assert start is not None
        if start + job.ran >= moment:
            ran = moment - start + 7 if at % 2 and start < moment else job.ran * 20
            other[at] = job._replace(ran=ran, requested=ran)
    assert other != jobs
    assert len({where.at for where in grid.where if where is not None}) == 3
    assert played_by(other)[1] == first


def test_what_waits_moves_when_another_centre_comes_free_early_and_never_runs_twice() -> None:
    jobs = (job(0, 5000, home=0), job(0, 100, home=1, asked=9000), job(1, 10, home=0))
    stays, moves = played("ours", *jobs), played("reroute", *jobs)
    assert (stays.moves, moves.moves) == (0, 1)
    assert moves.all.mean_wait_s < stays.all.mean_wait_s
    assert moves.submissions_per_job == pytest.approx(4 / 3)


class Standing(Ours):
    """Notes, whenever all schedulers have acted, who stands behind another one though several centres could take it."""

    behind = 0

    def settled(self, now: float) -> None:
        for centre in self.grid.centres:
            self.behind += sum(len(self.grid.fitting(job)) > 1 for job in centre.queue[1:])
        super().settled(now)


def test_ours_keeps_a_job_back_as_long_as_it_would_stand_behind_another_of_ours() -> None:
    grid = Grid(drawn(7), Rules())
    sends = Standing(grid)
    grid.run(sends)
    assert sum(start != job.submitted for start, job in zip(grid.starts, grid.jobs, strict=True)) > 100
    assert sends.behind == 0
    assert grid.submissions == len(grid.jobs)


def test_what_is_kept_back_goes_into_holes_the_shortest_first_and_the_oldest_is_sent_ahead() -> None:
    full = [job(0, 1000, procs=2), job(0, 9000, procs=4, home=1), job(1, 100, procs=2)]
    ahead, wide, long, short = job(2, 50), job(3, 50), job(4, 400, procs=2), job(5, 300, procs=2)
    grid = Grid(Workload((4, 4), (*full, ahead, wide, long, short)), Rules())
    grid.run(make("ours")(grid))
    assert grid.starts == [0, 0, 1, 1000, 1050, 401, 101]


def test_production_keeps_back_who_finds_no_room_and_one_stands_first_in_each_queue() -> None:
    """The shortest goes into what is left; the two that came first are sent ahead, on the product's own guess."""
    full = [job(0, 1000, procs=2), job(0, 9000, procs=4, home=1), job(1, 100, procs=2)]
    ahead, wide, long, short = job(2, 50), job(3, 50), job(4, 400, procs=2), job(5, 300, procs=2)
    grid = Grid(Workload((4, 4), (*full, ahead, wide, long, short)), Rules())
    grid.run(make("production")(grid))
    assert grid.starts == [0, 0, 1, 1000, 9000, 401, 101]
    assert grid.submissions == len(grid.jobs)


def test_production_moves_what_waits_longer_than_was_expected_to_where_there_is_room() -> None:
    jobs = (job(0, 90000, home=0), job(0, 80000, home=1, asked=90000), job(1, 10, home=0))
    found = played("production", *jobs)
    assert (found.moves, found.submissions_per_job) == (0, 1)
    jobs = (job(0, 900000, home=0), job(0, 80000, home=1, asked=900000), job(1, 10, home=0))
    found = played("production", *jobs)
    assert found.moves == 1
    assert found.submissions_per_job == pytest.approx(4 / 3)
    assert 80000 < found.all.mean_wait_s * 3 < 200000


class Reviewed(Policy):
    """Asks for a late look, then for an earlier one."""

    def _choose(self, job: int, now: float, fitting: Sequence[Centre]) -> Sequence[Centre]:
        self.looks: list[float] = []
        self.grid.review_by(now + 50)
        self.grid.review_by(now + 20)
        return super()._choose(job, now, fitting)

    def review(self, now: float) -> None:
        self.looks.append(now)


def test_a_look_that_an_earlier_one_has_replaced_does_not_come() -> None:
    grid = Grid(Workload((4, 4), (job(0, 100),)), Rules())
    sends = Reviewed(grid)
    grid.run(sends)
    assert sends.looks == [20]


def test_those_who_do_not_use_the_broker_stay_at_home() -> None:
    jobs = tuple(job(at, 100, user=f"u{at}") for at in range(40))
    found = played("ours", *jobs, share=0.5)
    assert found.others is not None
    assert found.brokered is not None
    assert found.others.jobs + found.brokered.jobs == 40
    assert 0 < found.others.jobs < 40
    alone = played("ours", *jobs, share=0.0)
    assert (alone.by_centre[1], alone.brokered) == (0, None)
    assert alone.all == played("local", *jobs).all


def test_nothing_of_theirs_is_moved_either() -> None:
    workload = drawn(5)
    grid = Grid(workload, Rules())
    sends = Reroute(grid, share=0.5)
    grid.run(sends)
    assert grid.moves > 0
    ran_at = [centre.at for centre in grid.where if centre is not None]
    stayed = [at == job.home for at, job, is_brokered in zip(ran_at, grid.jobs, sends.brokered, strict=True)
              if not is_brokered]  # fmt: skip
    assert stayed
    assert all(stayed)


def test_a_job_goes_only_where_it_fits() -> None:
    jobs = (job(0, 100, procs=8, home=1), job(0, 100, procs=8, home=1))
    for policy in ALL:
        found = played(policy, *jobs, capacities=(4, 8))
        assert found.by_centre[0] == 0, policy
        assert found.all.mean_wait_s == 50, policy


@pytest.mark.parametrize("discipline", list(Discipline))
@pytest.mark.parametrize("clairvoyant", [False, True])
def test_every_job_runs_once_and_none_is_forgotten_under_any_policy(
    discipline: Discipline, *, clairvoyant: bool
) -> None:
    workload = drawn(7, 150)
    work = sum(one.ran * one.procs for one in workload.jobs)
    for name, found in simulate(workload, Asked(ALL, Rules(discipline, clairvoyant))):
        assert found.all.jobs == len(workload.jobs), name
        done = sum(part * size for part, size in zip(found.by_centre, workload.capacities, strict=True))
        assert done / sum(workload.capacities) == pytest.approx(found.utilisation)
        assert found.utilisation <= 1
        span = work / (found.utilisation * sum(workload.capacities))
        assert span >= workload.jobs[-1].submitted - workload.jobs[0].submitted, name


def test_a_thousand_centres_are_played_as_four_are() -> None:
    dice = random.Random(1)
    jobs = tuple(job(at, dice.choice((10, 500)), home=dice.randrange(1000), user=f"u{at % 9}") for at in range(600))
    seeing = [name for name in ALL if name != "production"]  # which looks at each offer by itself
    for name, found in simulate(Workload((4,) * 1000, jobs), Asked(seeing, Rules())):
        assert found.all.jobs == 600, name
        assert len(found.by_centre) == 1000, name


def test_the_same_seed_gives_the_same_outcome_and_another_another_one() -> None:
    workload = drawn(3)

    def found(seed: int) -> Outcome:
        return next(iter(simulate(workload, Asked(["random"], Rules(), seed=seed))))[1]

    assert found(1) == found(1)
    assert found(1) != found(2)


def test_a_trace_that_comes_twice_is_shifted_around_its_end_and_keeps_all_jobs() -> None:
    trace = [job(at, 10) for at in (1000, 1010, 1020, 1099)]
    found = joined([("a", 4, trace), ("a", 8, trace), ("b", 2, trace)])
    assert [one.submitted for one in found.jobs if one.home == 0] == [0, 10, 20, 99]
    assert [one.submitted for one in found.jobs if one.home == 1] == [49, 50, 60, 70]
    assert found.left_out == 4  # wider than the last centre


def test_a_policy_that_there_is_not_is_refused_before_anything_is_played() -> None:
    for name in ("best", "multi-1", "multi-", "multi-x"):
        with pytest.raises(Invalid, match="no policy"):
            list(simulate(drawn(1), Asked(["local", name], Rules())))


def test_what_a_trace_does_not_say_is_what_the_job_ran_unless_the_past_alone_may_be_seen() -> None:
    unsaid = [one._replace(has_request=False, requested=one.ran) for one in drawn(11).jobs]
    said = [one._replace(has_request=True) for one in unsaid]

    def both(jobs: list[TraceJob], *, past_only: bool = False) -> dict[str, Outcome]:
        rules = Rules(past_only=past_only)
        return dict(simulate(Workload((16, 32, 8), tuple(jobs)), Asked(["ours", "reroute"], rules)))

    assert both(unsaid) == both(said) != both(unsaid, past_only=True)


def test_jobs_whose_users_are_not_known_use_the_broker_each_by_itself() -> None:
    """Else all of a trace that tells no users apart would, or none."""
    known = [TraceJob(at, 1, 1, 1, 0, "lin") for at in range(200)]
    unknown = [job._replace(user=UNKNOWN_USER) for job in known]
    of_one, of_many = (
        sum(Policy(Grid(Workload((4, 4), tuple(jobs)), Rules()), share=0.4).brokered) for jobs in (known, unknown)
    )
    assert of_one in (0, 200)
    assert 40 < of_many < 120
