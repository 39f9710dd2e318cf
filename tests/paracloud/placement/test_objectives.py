"""By what an offer is preferred, when something is expected of it; and what a job may demand beside a queue."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paracloud.placement.test_choose import CPU, NEED

from paracloud.centres.centre import Provision
from paracloud.kit.identifiers import CentreName
from paracloud.kit.money import Money
from paracloud.placement.choose import choose
from paracloud.placement.constraints import Constraints, narrowed
from paracloud.placement.expected import expected, likelihood
from paracloud.placement.explain import Bound, explain
from paracloud.placement.offer import Need, Objective, Offer
from paracloud.placement.prediction import Costs, Prediction, Quantiles

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def offer(name: str, cost: int, wait: tuple[int, int], run: tuple[int, int] = (10, 20), **more: object) -> Offer:
    """Minutes, and micro-yuan of the median run; twice as much at P90 and at the most."""
    expects = Prediction(
        Quantiles(wait[0] * MINUTE, wait[1] * MINUTE), Quantiles(run[0] * MINUTE, run[1] * MINUTE), "m"
    )
    known = {"prediction": expects, "cost": Costs(Money(cost), Money(2 * cost)), "most": Money(3 * cost)}
    return replace(CPU, centre=CentreName(name), **{**known, **more})


def demanding(**constraints: object) -> Need:
    return replace(NEED, constraints=Constraints(**constraints), asked_at=NOW)


def first(need: Need, offers: list[Offer], objective: Objective) -> str:
    return choose(need, offers, objective).fitting[0].centre


DEAR_NOW, MIDDLE, CHEAP_LATE = offer("dear", 300, (0, 1)), offer("middle", 200, (4, 30)), offer("cheap", 100, (50, 90))
ALL = [CHEAP_LATE, DEAR_NOW, MIDDLE]


def test_the_soonest_is_expected_to_start_first_whatever_is_free() -> None:
    full = replace(DEAR_NOW, free_cores=0)
    assert first(NEED, [CHEAP_LATE, full], Objective.SOONEST) == "dear"


def test_of_two_that_start_together_the_cheaper_is_the_soonest() -> None:
    other = offer("other", 299, (0, 1))
    assert first(NEED, [DEAR_NOW, other], Objective.SOONEST) == "other"


def test_of_two_that_cost_the_same_at_most_the_one_expected_to_cost_less_is_the_cheapest() -> None:
    costs = Costs(Money(99), Money(100))
    brief = replace(offer("brief", 100, (60, 90)), cost=costs)
    assert first(NEED, [CHEAP_LATE, brief], Objective.CHEAPEST) == "brief"


@pytest.mark.parametrize(
    ("minutes", "chosen"),
    [
        (200, "cheap"),  # all are done: the cheapest
        (110, "cheap"),  # 90 + 20, at the very moment
        (109, "middle"),
        (49, "dear"),
        (21, "dear"),
    ],
)
def test_before_a_deadline_the_cheapest_is_taken_whose_p90_is_in_time(minutes: int, chosen: str) -> None:
    need = demanding(deadline=NOW + minutes * MINUTE)
    assert first(need, ALL, Objective.DEADLINE) == chosen


def test_where_nothing_is_certain_to_be_done_in_time_the_likeliest_is_taken_and_it_is_said() -> None:
    need = demanding(deadline=NOW + 15 * MINUTE)
    choice = choose(need, [CHEAP_LATE, MIDDLE, DEAR_NOW], Objective.DEADLINE)
    assert [one.centre for one in choice.fitting] == ["dear", "middle", "cheap"]
    en, zh = explain(need, choice)
    assert "not certain to be done before 2026-06-01 08:15 UTC" in en
    assert "均无法确保" in zh


def test_one_that_is_early_on_average_but_seldom_in_time_is_less_likely_than_a_steady_one() -> None:
    steady, wild = offer("steady", 1, (2, 2), (10, 11)), offer("wild", 1, (0, 60), (9, 90))
    need = demanding(deadline=NOW + timedelta(minutes=12, seconds=50))
    assert first(need, [wild, steady], Objective.DEADLINE) == "steady"


def test_a_deadline_without_a_moment_is_no_objective() -> None:
    with pytest.raises(ValueError, match="no deadline"):
        choose(NEED, ALL, Objective.DEADLINE)


@pytest.mark.parametrize(("wait", "chosen"), [(9, "slow"), (11, "fast")])
def test_balanced_pays_twice_as_much_for_what_is_done_in_less_than_half_the_time(wait: int, chosen: str) -> None:
    fast, slow = offer("fast", 200, (0, 0)), offer("slow", 100, (wait, 99))  # done in 10 minutes, in 19 or 21
    assert first(NEED, [slow, fast], Objective.BALANCED) == chosen


@given(
    costs=st.lists(st.integers(1, 10**9), min_size=2, max_size=5),
    waits=st.lists(st.integers(0, 10**4), min_size=5, max_size=5),
    money=st.sampled_from([2, 4, 1024]),
    time=st.sampled_from([2, 4, 64]),
)
def test_balanced_knows_no_unit_of_money_or_time(costs: list[int], waits: list[int], money: int, time: int) -> None:
    def offers(money: int, time: int) -> list[Offer]:
        return [
            offer(f"c{at}", cost * money, (waits[at] * time, waits[at] * time), (10 * time, 20 * time))
            for at, cost in enumerate(costs)
        ]

    def order(found: list[Offer]) -> list[str]:
        return [one.centre for one in choose(NEED, found, Objective.BALANCED).fitting]

    assert order(offers(1, 1)) == order(offers(money, time))


def test_the_way_of_the_files_is_waited_for_too() -> None:
    far = replace(DEAR_NOW, centre=CentreName("far"), moving=5 * MINUTE)
    assert first(NEED, [far, MIDDLE], Objective.SOONEST) == "middle"
    assert expected(NEED, far).finish == Quantiles(15 * MINUTE, 26 * MINUTE)


def test_without_a_prediction_a_job_is_taken_to_run_to_its_limit_and_to_wait_where_nothing_is_free() -> None:
    full = replace(CPU, free_cores=0)
    assert expected(NEED, CPU).finish.p90 == NEED.wall_limit
    assert expected(NEED, full).start.p50 == timedelta(days=7)


def test_likelihood_is_even_at_the_median_and_certain_where_nothing_varies() -> None:
    assert likelihood(Quantiles(10 * MINUTE, 20 * MINUTE), 10 * MINUTE) == 0
    assert likelihood(Quantiles(10 * MINUTE, 20 * MINUTE), 20 * MINUTE) == pytest.approx(1.2816)
    assert likelihood(Quantiles(10 * MINUTE, 10 * MINUTE), 10 * MINUTE) == float("inf")
    assert likelihood(Quantiles(10 * MINUTE, 10 * MINUTE), 9 * MINUTE) == float("-inf")
    assert likelihood(Quantiles(10 * MINUTE, 20 * MINUTE), timedelta(0)) == float("-inf")


HERE = replace(
    offer("here", 100, (5, 40)),
    region="华东",
    provision=Provision(frozenset({"lammps", "gromacs"}), frozenset({"abaqus"}), 2),
)


@pytest.mark.parametrize(
    ("kept", "broken", "words"),
    [
        ({"region": "华东"}, {"region": "华北"}, ("华北", "华东")),
        ({"residency": frozenset({"华东", "华南"})}, {"residency": frozenset({"华南"})}, ("华南", "华东")),
        ({"residency": frozenset({"华东"})}, {"residency": frozenset()}, ("no region", "华东")),
        (
            {"applications": frozenset({"lammps", "gromacs"})},
            {"applications": frozenset({"vasp", "lammps"})},
            ("have vasp;", "gromacs, lammps"),
        ),
        ({"licences": frozenset({"abaqus"})}, {"licences": frozenset({"matlab"})}, ("matlab", "abaqus")),
        ({"least_trust": 2}, {"least_trust": 3}, ("3", "2")),
        ({"most_cost": Money(300)}, {"most_cost": Money(299)}, ("0.000300", "0.000299")),
        ({"most_cost": Money(300)}, {"most_cost": Money(300, "USD")}, ("CNY", "USD")),
        ({"most_wait": 40 * MINUTE}, {"most_wait": 39 * MINUTE}, ("00:40:00", "00:39:00")),
    ],
)
def test_what_a_job_demands_is_kept_or_said(kept: dict, broken: dict, words: tuple[str, str]) -> None:
    assert choose(demanding(**kept), [HERE], Objective.CHEAPEST).fitting == (HERE,)
    (out,) = choose(demanding(**broken), [HERE], Objective.CHEAPEST).rejected
    assert all(word in out.en for word in words)
    assert out.zh
    assert out.zh != out.en


def test_of_a_centre_whose_licences_nobody_told_its_scheduler_decides() -> None:
    untold = replace(HERE, provision=Provision())
    assert choose(demanding(licences=frozenset({"matlab"})), [untold], Objective.CHEAPEST).fitting


def test_where_two_restrict_the_regions_both_must_allow_one() -> None:
    both = Constraints(residency=frozenset({"a", "b"}))
    assert narrowed(both, frozenset({"b", "c"})) == {"b"}
    assert narrowed(both, None) == {"a", "b"}
    assert narrowed(Constraints(), frozenset({"c"})) == {"c"}
    assert narrowed(Constraints(), None) is None


def test_the_explanation_says_what_is_expected_and_what_packages_pay() -> None:
    en, zh = explain(NEED, choose(NEED, [MIDDLE], Objective.BALANCED), Bound(Money(700), Money(50)))
    assert "at most 0.000700 CNY, of which packages and credits pay all but 0.000050" in en
    assert "expected 0.000200 (P90 0.000400), start in 00:04:00 (P90 00:30:00), done in 00:14:00 (P90 00:50:00)" in en
    assert "资源包" in zh
    assert "P90 00:50:00" in zh
    plain, _ = explain(NEED, choose(NEED, [MIDDLE], Objective.CHEAPEST))
    assert "at most 0.000600 CNY," in plain
    assert "packages" not in plain
