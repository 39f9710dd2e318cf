"""Markets, prices and jobs drawn by chance, the odd ones rarely."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
from hypothesis import strategies as st
from tests.paracloud.jobs.world import HOST_KEY, START, queue

from paracloud.billing.dedication import Dedication, new_dedication_id
from paracloud.billing.rate import Price
from paracloud.billing.rule_text import read_rule
from paracloud.billing.tiers import Tier, Tiers
from paracloud.centres.centre import Centre, Health, Provision
from paracloud.identity.product_line import ProductLine
from paracloud.jobs.foresees import Prospects
from paracloud.jobs.market import Market, Stall, open_market
from paracloud.jobs.spec import InputFile, JobSpec
from paracloud.kit.identifiers import BlobId, CentreName, PriceVersionId, ProjectId, UnixAccount, UserId
from paracloud.kit.money import Money
from paracloud.placement.constraints import Constraints
from paracloud.placement.offer import Objective
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


def price(core_hour: str, **more: object) -> Price:
    return replace(Price(PriceVersionId(UUID(int=9)), ProductLine.GENERAL, Decimal(core_hour), None, "CNY"), **more)
