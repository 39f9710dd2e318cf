"""`./run bench placement`: jobs placed a second among 100 centres with 10 queues each, by one process on one core.

A placement is all that an accepted job asks of it: the most that it costs at every queue, which queues fit it, the
choice by its objective under its constraints, what is expected of it there, and the explanation in both languages. In
the clock too: every fiftieth of the jobs has a shape that no job had before (`new_shapes` of them; their prices at all
queues are worked out then), and a new reading of the market after each --fresh placements. Not in it: the database, and
how predictions come about: they are looked up in a table by queue and size of the job. `learned_per_s` has it in: a
model as the platform trains it, on waits that are made up, is asked for every queue that fits (--learned jobs).

`placements_per_cpu_s` is by the processor's own clock: what the process would do on a core that nobody else uses.
The peer is the plain loop over all offers, on the same jobs; `same` counts those of which both make the same choice.

--jobs N    (20000)
--learned N (5000)
--plain N   of them by the plain loop, too (40)
--fresh N   (20000, as many as in the two seconds that a reading is good for)
--seed N    (1)
"""

import argparse
import gc
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import quantiles
from uuid import UUID

import numpy as np

from benchmarks.parts.figures import say
from paracloud.billing.pick import Customer
from paracloud.billing.rate import Price
from paracloud.billing.rule_text import read_rule
from paracloud.centres.centre import Centre, Provision
from paracloud.dialects.records import QueueInfo
from paracloud.identity.product_line import ProductLine
from paracloud.jobs.experience import Experience
from paracloud.jobs.foresees import Times
from paracloud.jobs.hopes import Asked
from paracloud.jobs.market import Market, Stall, open_market
from paracloud.jobs.place import place
from paracloud.jobs.placer import Placers
from paracloud.jobs.quote import weigh
from paracloud.jobs.sight import Sight
from paracloud.jobs.spec import JobSpec
from paracloud.kit.identifiers import CentreName, PriceVersionId, ProjectId, UnixAccount, UserId, new_uuid
from paracloud.placement.columns import Whole
from paracloud.placement.constraints import Constraints
from paracloud.placement.explain import explain, explain_best
from paracloud.placement.offer import Objective, Offer
from paracloud.placement.prediction import Prediction, Quantiles
from paracloud.placement.train_waits import Waited, train
from paracloud.placement.wait_model import TreeWaits, read_model
from paracloud.placement.waits import Features

CENTRES, QUEUES = 100, 10
NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
CUSTOMER, USER = Customer(ProjectId(UUID(int=1)), None), UserId(UUID(int=2))
GIB = 1 << 30
REGIONS = ("华东", "华北", "华南", "西南")
APPLICATIONS = ("lammps", "gromacs", "vasp", "openfoam", "cp2k")
MEMORY_RULE = {
    "units": {
        "max": [
            {"resource": "cores", "weight": "0.1"},
            {"resource": "memory_bytes", "per": "GiB", "weight": "0.03"},
        ]
    },
    "free": ["nodes", "gpus"],
}  # fmt: skip
SIZES, MICROSECOND = 16, timedelta(microseconds=1)
OBJECTIVES = (*Objective, Objective.CHEAPEST)
NEW_SHAPES = 50


class Table:
    """Predictions by queue and size of a job: cores, in powers of two. The run is a part of the limit."""

    def __init__(self, market: Sequence[Stall], rng: random.Random) -> None:
        base = np.array([rng.lognormvariate(7, 2) for _ in market])
        waits = base[:, None] * np.arange(1, SIZES + 1)[None, :]
        self._p50 = np.ascontiguousarray(np.round(waits.T * 1e6).astype(np.int64))
        self._p90 = self._p50 * 6
        self._at = {f"{one.centre.name}/{one.queue.name}": at for at, one in enumerate(market)}

    async def refresh(self, session: object) -> None: ...

    def predict(self, project: ProjectId, user: UserId, spec: JobSpec, offer: Offer) -> Prediction:
        at, size = self._at[offer.place], spec.cores.bit_length()
        wait = Quantiles(int(self._p50[size, at]) * MICROSECOND, int(self._p90[size, at]) * MICROSECOND)
        return Prediction(wait, Quantiles(spec.wall_limit // 4, spec.wall_limit * 3 // 4), "table")

    async def keep(self, *_told: object, **_more: object) -> None: ...

    model = "table"

    def many(self, project: ProjectId, user: UserId, spec: JobSpec, offers: Sequence[Offer], at: Whole) -> Times:
        size, wall = spec.cores.bit_length(), spec.wall_limit
        half, nine = (np.full(at.size, run // MICROSECOND) for run in (wall // 4, wall * 3 // 4))
        return Times(self._p50[size].take(at), self._p90[size].take(at), half, nine)


class Learned(Sight):
    """By a model, at a cloud that has seen nothing yet."""

    def __init__(self, model: TreeWaits) -> None:
        super().__init__(Experience(), model, NOW)

    async def refresh(self, session: object) -> None: ...
    async def keep(self, *_told: object, **_more: object) -> None: ...


def main(arguments: Sequence[str]) -> int:
    asked = _asked(arguments)
    rng = random.Random(asked.seed)
    stalls = [_stall(rng, number) for number in range(CENTRES * QUEUES)]
    table = Table(stalls, rng)
    jobs = _jobs(rng, asked.jobs)
    say(f"placing {asked.jobs} jobs at {CENTRES} centres with {QUEUES} queues each")
    placers, took, said = Placers(), [], []
    gc.collect()
    gc.freeze()  # a server has no list of jobs to come
    began, began_cpu = time.perf_counter(), time.process_time()
    market = open_market(stalls, [], NOW, foresight=table)
    for number, job in enumerate(jobs):
        start = time.perf_counter()
        if number and number % asked.fresh == 0:
            market = open_market(_moved(stalls, rng), [], NOW, foresight=table)
        said.append(_place(placers, market, job))
        took.append(time.perf_counter() - start)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - began_cpu
    say("training a model, and placing with it")
    learned_per_s = asked.learned / _learned_seconds(stalls, jobs[: asked.learned], rng)
    first = open_market(stalls, [], NOW, foresight=table)
    began = time.perf_counter()
    plainly = [_plain(first, job) for job in jobs[: asked.plain]]
    plain_seconds = time.perf_counter() - began
    figures = {
        "placements_per_s": round(asked.jobs / seconds),
        "placements_per_cpu_s": round(asked.jobs / cpu_seconds),
        "p50_ms": round(quantiles(took, n=100)[49] * 1000, 3),
        "p99_ms": round(quantiles(took, n=100)[98] * 1000, 3),
        "learned_per_s": round(learned_per_s),
        "plain_per_s": round(asked.plain / plain_seconds, 1),
        "times_plain": round(asked.jobs / seconds / (asked.plain / plain_seconds), 1),
        "same": sum(one == other for one, other in zip(plainly, said, strict=False)),
        "plain": asked.plain,
        "placed": sum(one is not None for one in said),
        "new_shapes": len({_shape(one) for one in jobs}),
    }
    print(json.dumps({"bench": "placement", "jobs": asked.jobs, "queues": len(stalls)} | figures), flush=True)
    return 0


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run bench placement", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    for name, default in (
        ("--jobs", 20_000),
        ("--learned", 5_000),
        ("--plain", 40),
        ("--fresh", 20_000),
        ("--seed", 1),
    ):
        parser.add_argument(name, type=int, default=default)
    return parser.parse_args(arguments)


def _place(placers: Placers, market: Market, job: JobSpec) -> tuple[str, str] | None:
    placed = place(placers.of(market), Asked(job, CUSTOMER, USER))
    best = next(placed.offers(), None)
    if best is None:
        return None
    return explain_best(placed.need, best, placed.objective, (placed.fits, placed.out))


def _learned_seconds(stalls: Sequence[Stall], jobs: Sequence[JobSpec], rng: random.Random) -> float:
    placers, market = Placers(), open_market(stalls, [], NOW, foresight=Learned(_trained(rng)))
    began = time.perf_counter()
    for job in jobs:
        _place(placers, market, job)
    return time.perf_counter() - began


def _trained(rng: random.Random) -> TreeWaits:
    """On waits that grow with the cores of the job and of those before it."""
    waited = []
    for number in range(2_000):
        cores, before = 1 << rng.randint(0, 9), rng.randint(0, 5_000)
        drawn = [float(rng.randint(0, 1_000)) for _ in Features._fields]
        features = Features._make(drawn)._replace(
            cores=cores, waiting_cores=before, wall_seconds=rng.randint(300, 172_800), hour=number % 24
        )
        waited.append(Waited(features, number * 600.0, (cores + before) * rng.lognormvariate(0, 1)))
    found = train(waited)
    assert found is not None, "there are enough of them"
    return read_model("made up", found.model)


def _plain(market: Market, job: JobSpec) -> tuple[str, str] | None:
    found = weigh(job, market, CUSTOMER, None, user=USER)
    return explain(found.need, found.choice) if found.choice.fitting else None


def _stall(rng: random.Random, number: int) -> Stall:
    name = f"c{number // QUEUES}"
    each, nodes = rng.choice([32, 64, 96, 128]), rng.randint(4, 400)
    cards = rng.choice([0, 0, 0, 4, 8])
    free = rng.randint(0, nodes) if rng.random() < 0.4 else 0
    info = QueueInfo(
        name=f"q{number % QUEUES}", is_up=rng.random() < 0.98, is_default=False, nodes=nodes, cores=nodes * each,
        free_cores=free * each, free_nodes=free, cores_per_node=each, memory_per_node_bytes=each * 4 * GIB,
        gpus_per_node=cards, gpu_model=rng.choice(["a100", "h200"]) if cards else None, free_gpus=free * cards,
        max_wall=rng.choice([timedelta(hours=4), timedelta(days=2), timedelta(days=7), None]), max_nodes=None,
        gives_whole_nodes=rng.random() < 0.2,
    )  # fmt: skip
    has = frozenset(rng.sample(APPLICATIONS, 3))
    provision = Provision(has, None, rng.randint(0, 3), rng.choice([None, 10**8]))
    rule = read_rule(MEMORY_RULE) if rng.random() < 0.2 else None
    core = Decimal(rng.randint(50, 400)) / 1000 if rule is None else Decimal(0)
    card = Decimal(rng.randint(2, 9)) if rule is None else None
    price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, core, card, "CNY", rule)
    centre = Centre(
        name=CentreName(name), title_en=name, title_zh=name, host="h", port=22, host_key="", dialect="slurm",
        service_account=UnixAccount("watcher"), commands_per_minute=60, patience=timedelta(minutes=10),
        overrun=timedelta(seconds=120), region=REGIONS[number // QUEUES % len(REGIONS)], is_enabled=True,
    )  # fmt: skip
    return Stall(centre, info, (price,), None, provision)


def _moved(stalls: Sequence[Stall], rng: random.Random) -> list[Stall]:
    """As the next probe sees them: something else is free."""
    return [
        replace(one, queue=replace(one.queue, free_cores=rng.randint(0, one.queue.nodes) * one.queue.cores_per_node))
        for one in stalls
    ]


def _jobs(rng: random.Random, count: int) -> list[JobSpec]:
    usual = [_shaped(rng, 1 << rng.randint(0, 9)) for _ in range(100)]
    return [
        _demanding(rng, usual[rng.randrange(100)] if number % NEW_SHAPES else _shaped(rng, rng.randint(1, 700)))
        for number in range(count)
    ]


def _shaped(rng: random.Random, cores: int) -> JobSpec:
    cards = rng.choice([0, 0, 0, 0, 1, 4])
    memory = rng.choice([None, None, rng.randint(1, 256) * GIB])
    nodes = -(-cores // 32) if rng.random() < 0.3 else None
    return JobSpec(
        "j", "#!/bin/sh\n", timedelta(hours=1), tasks=cores, nodes=nodes, gpus_per_node=cards,
        memory_per_node_bytes=memory,
    )  # fmt: skip


def _demanding(rng: random.Random, shape: JobSpec) -> JobSpec:
    objective = rng.choice(OBJECTIVES)
    constraints = Constraints(
        region=rng.choice([None, None, None, *REGIONS]),
        applications=frozenset([rng.choice(APPLICATIONS)]) if rng.random() < 0.3 else frozenset(),
        least_trust=rng.choice([0, 0, 1]),
        most_wait=timedelta(hours=8) if rng.random() < 0.1 else None,
        deadline=NOW + timedelta(hours=rng.randint(1, 100)) if objective is Objective.DEADLINE else None,
    )
    wall = timedelta(minutes=rng.randint(5, 2880))
    return replace(shape, wall_limit=wall, objective=objective, constraints=constraints)


def _shape(job: JobSpec) -> tuple[object, ...]:
    return job.tasks, job.nodes, job.gpus_per_node, job.memory_per_node_bytes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
