"""A grid to place jobs in, made by a seed: 100 centres with 10 queues each, and the jobs of many users.

As varied as what a cloud meets: of the queues a fifth is priced by a charging rule and a tenth by tiers, a hundredth
has one project's own price, and two are one project's alone. Of the jobs a tenth bring files, a twentieth are arrays.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from paracloud.billing.dedication import Dedication
from paracloud.billing.pick import Customer
from paracloud.billing.rate import Price
from paracloud.billing.rule_text import read_rule
from paracloud.billing.tiers import Tier, Tiers
from paracloud.centres.centre import Centre, Provision
from paracloud.dialects.records import QueueInfo
from paracloud.identity.product_line import ProductLine
from paracloud.jobs.hopes import Asked
from paracloud.jobs.market import Stall
from paracloud.jobs.spec import InputFile, JobSpec
from paracloud.kit.identifiers import (
    BlobId,
    CentreName,
    DedicationId,
    PriceVersionId,
    ProjectId,
    UnixAccount,
    UserId,
    new_uuid,
)
from paracloud.kit.money import Money
from paracloud.placement.constraints import Constraints
from paracloud.placement.offer import Objective

CENTRES, QUEUES = 100, 10
PROJECTS, USERS = 40, 400
NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
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
TIERS = Tiers((Tier(Decimal(0), Decimal(1)), Tier(Decimal(100_000), Decimal("0.8"))))
OBJECTIVES = (*Objective, Objective.CHEAPEST)
SHAPES, NEW_SHAPES = 100, 50
"""Shapes of jobs that are usual; every so manieth job has a shape of its own."""


def grid(rng: random.Random) -> list[Stall]:
    return [_stall(rng, number) for number in range(CENTRES * QUEUES)]


def alone(stalls: Sequence[Stall]) -> list[Dedication]:
    """Nodes that are one project's alone: one queue for each of two projects."""
    return [
        Dedication(
            DedicationId(UUID(int=at)), project(at), one.centre.name, one.queue.name, one.queue.nodes, Money(0), 0, NOW,
            None,
        )
        for at, one in enumerate(stalls[:2])
    ]  # fmt: skip


def moved(stalls: Sequence[Stall], rng: random.Random) -> list[Stall]:
    """As the next probe sees them: something else is free."""
    return [
        replace(one, queue=replace(one.queue, free_cores=rng.randint(0, one.queue.nodes) * one.queue.cores_per_node))
        for one in stalls
    ]


def jobs(rng: random.Random, count: int) -> list[Asked]:
    usual = [_shaped(rng, 1 << rng.randint(0, 9)) for _ in range(SHAPES)]
    return [
        _asked(rng, usual[rng.randrange(SHAPES)] if number % NEW_SHAPES else _shaped(rng, rng.randint(1, 700)))
        for number in range(count)
    ]


def shape(job: JobSpec) -> tuple[object, ...]:
    return job.tasks, job.nodes, job.gpus_per_node, job.memory_per_node_bytes, job.array


def project(number: int) -> ProjectId:
    return ProjectId(UUID(int=1 + number))


def user(number: int) -> UserId:
    return UserId(UUID(int=1000 + number))


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
    centre = Centre(
        name=CentreName(name), title_en=name, title_zh=name, host="h", port=22, host_key="", dialect="slurm",
        service_account=UnixAccount("watcher"), commands_per_minute=60, patience=timedelta(minutes=10),
        overrun=timedelta(seconds=rng.choice([60, 120, 300])), region=REGIONS[number // QUEUES % len(REGIONS)],
        is_enabled=True,
    )  # fmt: skip
    price = _price(rng)
    own = (_price(rng, of=project(rng.randrange(PROJECTS))),) if rng.random() < 0.01 else ()
    return Stall(centre, info, (price, *own), None, provision)


def _price(rng: random.Random, of: ProjectId | None = None) -> Price:
    rule = read_rule(MEMORY_RULE) if rng.random() < 0.2 else None
    core = Decimal(rng.randint(50, 400)) / 1000 if rule is None else Decimal(0)
    card = Decimal(rng.randint(2, 9)) if rule is None else None
    tiers = TIERS if rng.random() < 0.1 else None
    number = PriceVersionId(new_uuid())
    return Price(number, ProductLine.GENERAL, core, card, "CNY", rule, project=of, tiers=tiers)


def _shaped(rng: random.Random, cores: int) -> JobSpec:
    cards = rng.choice([0, 0, 0, 0, 1, 4])
    memory = rng.choice([None, None, rng.randint(1, 256) * GIB])
    nodes = -(-cores // 32) if rng.random() < 0.3 else None
    array = f"0-{rng.randint(1, 99)}" if rng.random() < 0.05 else None
    return JobSpec(
        "j", "#!/bin/sh\n", timedelta(hours=1), tasks=cores, nodes=nodes, gpus_per_node=cards,
        memory_per_node_bytes=memory, array=array,
    )  # fmt: skip


def _asked(rng: random.Random, shape: JobSpec) -> Asked:
    objective, whose = rng.choice(OBJECTIVES), rng.randrange(USERS)
    constraints = Constraints(
        region=rng.choice([None, None, None, *REGIONS]),
        applications=frozenset([rng.choice(APPLICATIONS)]) if rng.random() < 0.3 else frozenset(),
        least_trust=rng.choice([0, 0, 1]),
        most_cost=Money(rng.randint(1, 10**4) * 10**6) if rng.random() < 0.05 else None,
        most_wait=timedelta(hours=8) if rng.random() < 0.1 else None,
        deadline=NOW + timedelta(hours=rng.randint(1, 100)) if objective is Objective.DEADLINE else None,
    )
    inputs = (InputFile("in", BlobId("a" * 64), rng.randint(1, 1 << 36)),) if rng.random() < 0.1 else ()
    wanted = replace(
        shape, name=f"job-{rng.randrange(4)}", script=f"#!/bin/sh\n./case {rng.randrange(4)}\n",
        wall_limit=timedelta(minutes=rng.randint(5, 2880)), objective=objective, constraints=constraints, inputs=inputs,
    )  # fmt: skip
    return Asked(wanted, Customer(project(whose % PROJECTS), None), user(whose))
