"""A job is placed among all offers at once just where it would be placed by looking at one after the other."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import islice
from random import Random
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.paracloud.jobs.drawn import CHEN, LIN, USER, Known, centre, markets, mostly, price, specs
from tests.paracloud.jobs.world import START, queue

from paracloud.billing.dedication import Dedication, new_dedication_id
from paracloud.billing.pick import Customer
from paracloud.billing.rate import Price
from paracloud.jobs.hopes import Asked
from paracloud.jobs.market import Market, Stall, open_market
from paracloud.jobs.place import place
from paracloud.jobs.placer import Placer
from paracloud.jobs.quote import weigh
from paracloud.jobs.spec import JobSpec
from paracloud.kit.identifiers import CentreName, ProjectId
from paracloud.kit.money import Money
from paracloud.placement.columns import MICROSECOND
from paracloud.placement.constraints import Constraints
from paracloud.placement.offer import Objective, Offer
from paracloud.placement.prediction import Prediction, Quantiles


def require_same_money(placer: Placer, asked: Asked, fitting: tuple[Offer, ...]) -> None:
    """Of all that fit together what it is of each."""
    rates, place_at = placer.rates(asked), partial(placer.at, asked)
    at = np.array([[one.place for one in placer.columns.offers].index(one.place) for one in fitting], dtype=np.int64)
    assert [int(one) for one in rates.most(at, asked.spec.wall_limit, place_at)] == [one.most.micro for one in fitting]
    if fitting and fitting[0].cost is not None:
        runs = np.array([one.prediction.run.p50 // MICROSECOND for one in fitting], dtype=np.int64)
        assert [int(one) for one in rates.ran(at, runs, place_at)] == [one.cost.p50.micro for one in fitting]


@settings(max_examples=200, deadline=None)
@given(market=markets(), each=st.lists(specs(), min_size=1, max_size=3), data=st.data())
def test_all_at_once_is_the_same_choice_in_the_same_order_with_the_same_offers_out(market, each, data) -> None:
    placer = Placer(market)
    for spec in each:
        customer = Customer(data.draw(st.sampled_from([LIN, CHEN])), None)
        only = data.draw(mostly(None, CentreName("c0"), CentreName("absent")))
        plain = weigh(spec, market, customer, only, user=USER)
        placed = place(placer, Asked(spec, customer, USER, only))
        assert placed.need == plain.need
        assert placed.out == len(plain.choice.rejected)
        assert tuple(placed.offers()) == plain.choice.fitting
        assert tuple(islice(placed.offers(), 1)) == plain.choice.fitting[:1]
        require_same_money(placer, Asked(spec, customer, USER, only), plain.choice.fitting)


def said(placer: Placer, asked: Asked) -> tuple[object, ...]:
    placed = place(placer, asked)
    return placed.need, placed.fits, placed.out, tuple(placed.offers())


@settings(max_examples=60, deadline=None)
@given(market=markets(), each=st.lists(specs(), min_size=2, max_size=3), data=st.data())
def test_what_is_kept_of_jobs_before_and_of_an_earlier_reading_changes_no_answer(market, each, data) -> None:
    free = data.draw(st.lists(st.integers(0, 8), min_size=len(market.stalls), max_size=len(market.stalls)))
    moved = [
        replace(one, queue=replace(one.queue, free_cores=now)) for one, now in zip(market.stalls, free, strict=True)
    ]
    dearer = data.draw(st.booleans())
    later = [replace(one, prices=(price("2.5"),)) if dearer else one for one in moved]
    warm = None
    for stalls in (market.stalls, later):
        reading = open_market(
            stalls, market.dedications, START, residencies=market.residencies, foresight=market.foresight
        )
        warm = Placer(reading, warm)
        jobs = [Asked(spec, Customer(project, None), USER) for spec in each for project in (LIN, CHEN)]
        for asked in (*jobs, *reversed(jobs)):
            assert said(warm, asked) == said(Placer(reading), asked)


def market_of(*prices: Price, nodes: int = 4) -> Market:
    found = [
        Stall(centre(f"c{at}", "", 0), queue(nodes=nodes, cores=4 * nodes, max_wall=None), (price,), None)
        for at, price in enumerate(prices)
    ]
    return open_market(found, [], START)


def all_most(market: Market, spec: JobSpec) -> list[int]:
    """At every place, together."""
    placer, asked = Placer(market), Asked(spec, Customer(LIN, None), USER)
    return [
        int(one)
        for one in placer.rates(asked).most(np.arange(len(market.stalls)), spec.wall_limit, partial(placer.at, asked))
    ]


@pytest.mark.parametrize("tasks", [100_000, 1_000_000])
def test_what_64_bits_do_not_hold_is_exact_too(tasks: int) -> None:
    market = market_of(price("999.999999999"), price("999.999999998"), nodes=1_000_000)
    spec = JobSpec("j", "", timedelta(days=366), tasks=tasks)
    fitting = weigh(spec, market, Customer(LIN, None), None, user=USER).choice.fitting
    assert tuple(place(Placer(market), Asked(spec, Customer(LIN, None), USER)).offers()) == fitting
    assert len(fitting) == 2
    assert sorted(all_most(market, spec)) == [min(one.most.micro, 2**63 - 1) for one in fitting]


def test_a_tie_is_rounded_to_the_even_micro_unit() -> None:
    """Two minutes of a core at these prices are 0.5, 1.5, 2.5 and 3.5 micro-units."""
    market = market_of(*(price(text) for text in ("0.000015", "0.000045", "0.000075", "0.000105")))
    spec = JobSpec("j", "", timedelta(minutes=2))
    assert all_most(market, spec) == [0, 2, 2, 4]
    fitting = weigh(spec, market, Customer(LIN, None), None, user=USER).choice.fitting
    assert sorted(one.most.micro for one in fitting) == [0, 2, 2, 4]


def test_what_is_dearer_by_the_second_is_cheaper_where_it_can_run_on_for_less() -> None:
    """Of many, so that those that are dearer still are not even looked at."""
    market = market_of(*(price(f"{100 + at}") for at in range(40)))
    overruns = [300, 300, 60, *[300] * 36, 0]
    stalls = [
        replace(one, centre=replace(one.centre, overrun=timedelta(seconds=seconds)))
        for one, seconds in zip(market.stalls, overruns, strict=True)
    ]
    market, asked = (
        open_market(stalls, [], START),
        Asked(JobSpec("j", "", timedelta(hours=1)), Customer(LIN, None), USER),
    )
    fitting = weigh(asked.spec, market, asked.customer, None, user=USER).choice.fitting
    assert next(place(Placer(market), asked).offers()) == fitting[0]
    assert fitting[0].centre == "c2"


def many_places(rng: Random) -> Market:
    """More than are asked about at once; a few of them large."""
    found = [
        Stall(
            centre(f"c{at}", "", rng.choice([0, 60, 300])),
            queue(nodes=9 if at % 40 == 7 else 1, cores=36 if at % 40 == 7 else 4, free_cores=rng.randint(0, 4)),
            (price(f"0.{rng.randint(10, 40)}"),),
            None,
        )
        for at in range(80)
    ]

    def two() -> Quantiles:
        p50 = timedelta(seconds=rng.randint(60, 9000))
        return Quantiles(p50, p50 * rng.choice([1, 2, 5]))

    told = {f"{one.centre.name}/{one.queue.name}": Prediction(two(), two(), "told") for one in found}
    return open_market(found, [], START, foresight=Known(told))


@pytest.mark.parametrize("objective", Objective)
@pytest.mark.parametrize("tasks", [1, 30])
def test_among_many_places_too_where_many_fit_and_where_few_do(objective: Objective, tasks: int) -> None:
    for seed in range(12):
        rng = Random(seed)
        market, wall = many_places(rng), timedelta(minutes=rng.choice([5, 60, 600]))
        deadline = START + timedelta(minutes=rng.choice([3, 30, 60, 120, 1000]))
        demands = Constraints(deadline=deadline if objective is Objective.DEADLINE else None)
        spec = JobSpec("j", "", wall, tasks=tasks, objective=objective, constraints=demands)
        fitting = weigh(spec, market, Customer(LIN, None), None, user=USER).choice.fitting
        placed = place(Placer(market), Asked(spec, Customer(LIN, None), USER))
        assert len(fitting) == (80 if tasks == 1 else 2)
        assert next(placed.offers()) == fitting[0]
        assert tuple(placed.offers()) == fitting


def test_the_cheapest_that_is_in_time_is_found_behind_many_that_are_late() -> None:
    bare = market_of(*(price(f"{1 + at}") for at in range(80)))
    run, late = Quantiles(timedelta(minutes=30), timedelta(minutes=30)), Quantiles(*[timedelta(hours=9)] * 2)
    waits = {at: Quantiles(timedelta(0), timedelta(0)) for at in (36, 50)}
    told = {one.place: Prediction(waits.get(at, late), run, "told") for at, one in enumerate(bare.bare)}
    market = open_market(bare.stalls, [], START, foresight=Known(told))
    demands = Constraints(deadline=START + timedelta(hours=1))
    spec = JobSpec("j", "", timedelta(hours=1), objective=Objective.DEADLINE, constraints=demands)
    found = [one.centre for one in place(Placer(market), Asked(spec, Customer(LIN, None), USER)).offers()]
    assert found[:2] == ["c36", "c50"]


def test_nobody_is_placed_on_nodes_that_are_anothers() -> None:
    stalls = market_of(price("1"), price("2")).stalls
    theirs = Dedication(new_dedication_id(), CHEN, stalls[0].centre.name, "cpu", 4, Money(0), 0, START, None)
    market = open_market(stalls, [theirs], START)
    for project, first in ((LIN, "c1"), (CHEN, "c0")):
        asked = Asked(JobSpec("j", "", timedelta(hours=1)), Customer(project, None), USER)
        assert next(place(Placer(market), asked).offers()).centre == first


def test_a_projects_own_price_is_nobody_elses() -> None:
    market = market_of(price("1"))
    both = replace(market.stalls[0], prices=(price("1"), price("0.2", project=LIN)))
    placer = Placer(open_market([both], [], START))
    for project, micro in ((LIN, 200_000), (CHEN, 1_000_000), (LIN, 200_000)):
        asked = Asked(JobSpec("j", "", timedelta(hours=1)), Customer(project, None), USER)
        assert next(place(placer, asked).offers()).most == Money(micro)


def test_customers_whom_nothing_names_share_what_is_worked_out() -> None:
    """One that is named is unlike them at its own places alone."""
    stalls = market_of(price("1"), price("2"), price("3")).stalls
    own = replace(stalls[1], prices=(price("2"), price("0.5", project=LIN)))
    theirs = Dedication(new_dedication_id(), CHEN, stalls[2].centre.name, "cpu", 4, Money(0), 0, START, None)
    placer = Placer(open_market([stalls[0], own, stalls[2]], [theirs], START))
    spec, at, wall = JobSpec("j", "", timedelta(hours=1)), np.arange(3), timedelta(hours=1)
    found = [
        placer.rates(Asked(spec, Customer(ProjectId(UUID(int=number)), None), USER))
        for number in (77, 78, LIN.int, CHEN.int)
    ]
    assert found[0] is found[1]
    assert [one.is_offered.tolist() for one in found[1:]] == [[True, True, False], [True, True, False], [True] * 3]
    never = partial(pytest.fail, "nothing here is odd")
    costs = [one.most(at, wall, never).tolist() for one in found[1:]]
    assert costs == [[10**6, 2 * 10**6, 3 * 10**6], [10**6, 500_000, 3 * 10**6], [10**6, 2 * 10**6, 0]]
