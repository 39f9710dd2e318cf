"""A job is placed among all offers at once just where it would be placed by looking at one after the other."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import islice
from random import Random
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.paracloud.jobs.world import HOST_KEY, START, queue

from paracloud.billing.dedication import Dedication, new_dedication_id
from paracloud.billing.pick import Customer
from paracloud.billing.rate import Price
from paracloud.billing.rule_text import read_rule
from paracloud.billing.tiers import Tier, Tiers
from paracloud.centres.centre import Centre, Health, Provision
from paracloud.identity.product_line import ProductLine
from paracloud.jobs.foresees import Prospects
from paracloud.jobs.hopes import Asked
from paracloud.jobs.market import Market, Stall, open_market
from paracloud.jobs.place import place
from paracloud.jobs.placer import Placer
from paracloud.jobs.quote import weigh
from paracloud.jobs.spec import InputFile, JobSpec
from paracloud.kit.identifiers import BlobId, CentreName, PriceVersionId, ProjectId, UnixAccount, UserId
from paracloud.kit.money import Money
from paracloud.placement.columns import MICROSECOND
from paracloud.placement.constraints import Constraints
from paracloud.placement.offer import Objective, Offer
from paracloud.placement.prediction import Prediction, Quantiles

GIB = 1 << 30
TIERS = Tiers((Tier(Decimal(0), Decimal("1.1")), Tier(Decimal(100), Decimal("0.7"))))
LIN, CHEN = ProjectId(UUID(int=1)), ProjectId(UUID(int=2))
USER = UserId(UUID(int=3))
RULES = [
    {"units": {"max": [{"resource": "cores", "weight": "0.1"}, {"resource": "memory_bytes", "per": "GiB"}]},
     "free": ["nodes", "gpus"]},
    {"units": {"sum": [{"resource": "cores", "weight": "0.07"}, {"resource": "gpus", "weight": "3.3"}]},
     "free": ["nodes", "memory_bytes"]},
    {"units": {"resource": "cores"}, "free": ["nodes", "memory_bytes"]},  # says nothing of cards
    {"units": {"times": "0.3", "of": {"max": [{"resource": "cores", "weight": "0.1"}, {"sum": [
        {"resource": "gpus", "weight": "7"}, {"resource": "memory_bytes", "per": "GB", "weight": "0.01"}]}]}},
     "free": ["nodes"]},
    {"units": {"ceil": {"resource": "cores", "weight": "0.3"}}, "free": ["nodes", "memory_bytes", "gpus"]},
    {"units": {"sum": [{"resource": "node_cores"}, {"resource": "licence.abaqus"}]}, "free": ["memory_bytes", "gpus"]},
    {"units": {"resource": "nodes", "weight": "0.333333333"}, "free": ["cores", "memory_bytes", "gpus"],
     "unit_step": "0.01", "second_step": 60, "least_seconds": 600},
    {"units": {"resource": "cores"}, "free": ["nodes", "memory_bytes", "gpus"], "is_timed": False},
]  # fmt: skip


def centre(name: str, region: str, overrun: int, dialect: str = "slurm") -> Centre:
    return Centre(
        name=CentreName(name), title_en=name, title_zh=name, host="127.0.0.1", port=22, host_key=HOST_KEY,
        dialect=dialect, service_account=UnixAccount("watcher"), commands_per_minute=60, patience=timedelta(minutes=10),
        overrun=timedelta(seconds=overrun), region=region, is_enabled=True,
    )  # fmt: skip


DEMANDS = [
    {"region": "华北"}, {"residency": frozenset({"华东", "华北"})}, {"residency": frozenset()},
    {"applications": frozenset({"lammps"})}, {"least_trust": 1}, {"least_trust": 2}, {"most_cost": Money(2_000_000)},
    {"most_wait": timedelta(hours=1)},
]  # fmt: skip
hours = st.decimals(0, 3, places=9)


def mostly(usual, *rare):
    """The usual one five times in six. The ends of a range are drawn more often than its middle: it stands there."""
    return st.sampled_from([*[usual] * 5 * len(rare), *rare, *[usual] * 5 * len(rare)])


@st.composite
def prices(draw, currency: str = "CNY") -> Price:
    rule = draw(mostly(None, *RULES) | st.sampled_from(RULES))
    core, card = (draw(hours), draw(st.none() | hours)) if rule is None else (Decimal(0), None)
    tiers = draw(mostly(None, TIERS))
    return Price(
        PriceVersionId(draw(st.uuids())), ProductLine.GENERAL, core, card, currency,
        None if rule is None else read_rule(rule), qos=draw(mostly(None, "high")), tiers=tiers,
        project=draw(mostly(None, LIN)),
    )  # fmt: skip


@st.composite
def stalls(draw, number: int) -> Stall:
    whole, each = draw(st.integers(1, 4)), draw(mostly(64, 2, 8))
    cards = draw(mostly(0, 2))
    free = draw(st.integers(0, whole * each))
    info = queue(
        draw(mostly("cpu", "fast")),
        is_up=draw(mostly(True, False)), nodes=whole, cores=whole * each, cores_per_node=each,
        free_cores=free, free_nodes=free // each, free_gpus=cards * (free // each), gpus_per_node=cards,
        gpu_model=draw(st.sampled_from(["a100", "1g.10gb"])) if cards else None,
        memory_per_node_bytes=draw(mostly(64, 4)) * GIB,
        max_wall=draw(mostly(None, timedelta(hours=2))),
        max_nodes=draw(mostly(None, 2)), gives_whole_nodes=draw(st.booleans()),
        gives_each_task_cores=draw(st.sampled_from([False, False, True])),
        threads_per_core=draw(st.sampled_from([1, 1, 2])),
        max_memory_per_core_bytes=draw(st.sampled_from([None, None, GIB + 5])),
        default_memory_per_core_bytes=draw(st.sampled_from([None, None, 2 * GIB + 1])),
        default_memory_per_node_bytes=draw(st.sampled_from([None, None, 3 * GIB])),
    )  # fmt: skip
    silent = Health(START, 9, START - timedelta(hours=1), "x", "x", sick_since=START - timedelta(minutes=50))
    provision = Provision(
        frozenset(draw(st.sets(st.sampled_from(["lammps", "vasp"])))),
        draw(st.sampled_from([None, frozenset(), frozenset({"abaqus"})])),
        draw(st.integers(0, 2)),
        draw(st.sampled_from([None, 10**6, 3])),
    )
    return Stall(
        centre(
            f"c{number}",
            draw(st.sampled_from(["华东", "华北"])),
            draw(st.sampled_from([0, 90])),
            draw(mostly("slurm", "gridengine", "openpbs", "torque")),
        ),
        info,
        tuple(
            draw(
                st.lists(
                    prices(draw(mostly("CNY", "USD"))),
                    min_size=draw(mostly(1, 0)),
                    max_size=2,
                )
            )
        ),
        draw(mostly(None, silent)),
        provision,
    )


class Known:
    """Foresees what it was told of each place."""

    def __init__(self, told: Mapping[str, Prediction]) -> None:
        self.told = told

    async def refresh(self, session: object) -> None: ...

    def predict(self, project, user, spec, offer) -> Prediction:
        return self.told[offer.place]

    def prospects(self, project, user, spec, offers) -> Prospects:
        told = [self.told[one.place] for one in offers]
        rows = [[t // timedelta(microseconds=1) for t in (p.wait.p50, p.wait.p90, p.run.p50, p.run.p90)] for p in told]
        wait_p50, wait_p90, *runs = np.array(rows, dtype=np.int64).reshape(-1, 4).T
        same = [one.item(0) if (one == one[0]).all() else one.take for one in runs]
        return Prospects(wait_p50.take, lambda at: (wait_p50.take(at), wait_p90.take(at)), *same, "told")


spans = st.integers(0, 3 * 3600 * 1000).map(lambda ms: timedelta(milliseconds=ms)) | st.sampled_from(
    [timedelta(0), timedelta(minutes=1)]
)
quantiles = st.tuples(spans, spans).map(lambda two: Quantiles(min(two), max(two)))


@st.composite
def markets(draw) -> Market:
    found = [draw(stalls(number)) for number in range(draw(st.integers(1, 6)))]
    told = {
        f"{one.centre.name}/{one.queue.name}": Prediction(draw(quantiles), draw(quantiles), "told") for one in found
    }
    foresight = draw(st.sampled_from([None, Known(told)]))
    own = [
        Dedication(new_dedication_id(), draw(st.sampled_from([LIN, CHEN])), one.centre.name, one.queue.name,
                   one.queue.nodes, Money(0), 0, START, draw(st.sampled_from([None, START + timedelta(days=1)])))
        for one in found[:1] if draw(mostly(False, True))
    ]  # fmt: skip
    residencies = draw(mostly({}, {LIN: frozenset({"华东"})}))
    return open_market(found, own, START, residencies=residencies, foresight=foresight)


@st.composite
def specs(draw) -> JobSpec:
    objective = draw(st.sampled_from(Objective))
    few = st.lists(st.sampled_from(DEMANDS), max_size=draw(mostly(0, 1, 2)))  # of many hardly one fits
    demands = {name: value for one in draw(few) for name, value in one.items()}
    if objective is Objective.DEADLINE:
        demands["deadline"] = START + timedelta(minutes=draw(st.sampled_from([5, 90, 180, 9000])))
    constraints = Constraints(**demands)
    cards = draw(mostly(0, 1))
    memory = draw(mostly({}, {"memory_per_node_bytes": 3 * GIB}, {"memory_per_core_bytes": GIB + 7}))
    extra = draw(
        mostly(
            {},
            {"qos": "high"},
            {"licenses": "abaqus"},
            {"mincpus": "3"},
            {"mincpus": "9999"},
            {"hint": "nomultithread"},
        )
    )
    sizes = st.integers(0, 10**4) | st.just(1 << 50)
    inputs = (InputFile("in", BlobId("a" * 64), draw(sizes)),)
    return JobSpec(
        "j", "#!/bin/sh\n", draw(mostly(timedelta(minutes=7), timedelta(hours=1), timedelta(hours=30))),
        tasks=draw(st.integers(1, 9)), cores_per_task=draw(st.sampled_from([1, 1, 3])),
        nodes=draw(st.sampled_from([None, None, 1, 2])), gpus_per_node=cards,
        gpu_model=draw(st.sampled_from([None, "a100", "h200"])) if cards else None,
        tasks_per_node=draw(mostly(None, 1, 3)), **memory, exclusive=draw(mostly(False, True)),
        centre=draw(mostly(None, CentreName("c0"))),
        queue=draw(mostly(None, "fast")), objective=objective, constraints=constraints,
        array=draw(st.sampled_from([None, None, "0-6", "1,3"])), inputs=draw(st.sampled_from([(), inputs])),
        extra=extra,
    )  # fmt: skip


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


def price(core_hour: str, **more: object) -> Price:
    return replace(Price(PriceVersionId(UUID(int=9)), ProductLine.GENERAL, Decimal(core_hour), None, "CNY"), **more)


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
