"""What a job asks for beside cores and cards is priced before it runs, or not offered."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paracloud.jobs.world import EAST, START, connect, open_world, queue, record

from paracloud.billing.funding import Funding, set_funding
from paracloud.billing.rule_text import read_rule
from paracloud.dialects.records import NativePhase
from paracloud.dialects.resources import frozen
from paracloud.jobs.book import Move
from paracloud.jobs.build import build
from paracloud.jobs.fund import Funder
from paracloud.jobs.licences import read_licences
from paracloud.jobs.state import JobState
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import CentreName, NativeId

SOUTH = CentreName("south")
RULE = {
    "units": {
        "sum": [
            {"resource": "cores", "weight": "0.36"},
            {"resource": "licence.matlab", "weight": "3.6"},
            {"resource": "gpu_slices.a100_3g.20gb", "weight": "7.2"},
        ]
    },
    "free": ["nodes", "memory_bytes"],
}


async def south(database, **changes) -> None:
    async with database.begin() as session:
        await connect(session, SOUTH, rule=read_rule(RULE), **changes)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("matlab", {"licence.matlab": 1}),
        ("matlab:3,ansys@flex1:2", {"licence.ansys": 2, "licence.matlab": 3}),
        ("matlab@a:1;matlab@b:2", {"licence.matlab": 3}),
        ("a+b:1", {"licence.a_b": 1}),
    ],
)
def test_licences_are_read_as_sbatch_reads_them(text, found):
    assert dict(read_licences(text)) == found


@pytest.mark.parametrize(
    "text", ["matlab:0", "matlab:-1", "a|b", "matlab:many", "a b", "@x", ",".join("abcdefghijklmnopqrstu")]
)
def test_what_cannot_be_priced_is_refused_by_name(text):
    with pytest.raises(Invalid) as refused:
        build("#!/bin/sh\ntrue\n", {"licenses": text})
    assert refused.value.field == "licenses"


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text):
    with suppress(Invalid):
        assert all(count > 0 for count in read_licences(text).values())


async def test_the_hold_takes_what_the_licences_can_cost_of_every_task(database):
    world = await open_world(database)
    await south(database)
    assert (await world.submit(centre=SOUTH)).held.micro == 360_000
    assert (await world.submit(centre=SOUTH, licenses="matlab@flex:2")).held.micro == 360_000 + 7_200_000
    assert (await world.submit(centre=SOUTH, licenses="matlab", array="0-9")).held.micro == 10 * 3_960_000


async def test_where_the_price_says_nothing_of_a_licence_the_job_is_not_offered(database):
    world = await open_world(database)
    await south(database)
    with pytest.raises(Invalid, match=r"the price says nothing of licence\.matlab"):
        await world.submit(centre=EAST, licenses="matlab")
    with pytest.raises(Invalid, match=r"the rule says nothing of licence\.ansys"):
        await world.submit(centre=SOUTH, licenses="ansys")
    assert (await world.submit(licenses="matlab")).centre == SOUTH


async def test_slices_are_held_for_by_their_own_price(database):
    world = await open_world(database)
    cards = queue(gpus_per_node=4, gpu_model="a100_3g.20gb", free_gpus=4)
    await south(database, queues=(cards,))
    for asked in ("gpu:a100_3g.20gb:2", "gpu:2"):
        assert (await world.submit(centre=SOUTH, nodes="1", gres=asked)).held.micro == 360_000 + 14_400_000


async def test_each_slice_of_the_hold_takes_the_licences_too(database):
    world = await open_world(database)
    await south(database)
    async with database.begin() as session:
        await set_funding(session, world.project, Funding(hold=timedelta(minutes=10), grace=timedelta(minutes=5)))
    job, lease = (await world.submit(centre=SOUTH, licenses="matlab")).job, await world.claim(SOUTH)
    assert await world.held() == 900 * 1_100
    await world.book.intend(lease, limit=10)
    await world.book.submitted(lease, {job: NativeId("7")}, postponed={})
    await world.book.observed(lease, [Move(job, JobState.RUNNING, "RUNNING", "", START, "n1", START)])
    world.clock.forward(timedelta(seconds=570))
    await Funder(database, world.clock).round(lease, {job: START})
    assert await world.held() == 1_500 * 1_100


async def test_what_was_held_for_licences_pays_for_them(database):
    world = await open_world(database, funds="3.96")
    await south(database)
    job, lease = (await world.submit(centre=SOUTH, licenses="matlab")).job, await world.claim(SOUTH)
    await world.book.intend(lease, limit=10)
    await world.book.submitted(lease, {job: NativeId("7")}, postponed={})
    assert await world.wallet() == 0
    hour = {"ended_at": START + timedelta(hours=1), "elapsed_seconds": 3600, "phase": NativePhase.COMPLETED}
    world.clock.forward(timedelta(hours=1))
    account = await world.one("SELECT account FROM jobs WHERE id = :job", job=job)
    told = record(job, "7", account=account, resources=frozen({"licence.matlab": 1}), **hour)
    await world.book.settle(lease, [told], alive=frozenset(), read_until=None)
    assert await world.one("SELECT charged_micro FROM jobs WHERE id = :job", job=job) == 3_960_000
    assert (await world.wallet(), await world.held()) == (0, 0)
