"""What centres show of their queues changes under the jobs: one goes with jobs in it, and there may be a thousand."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from tests.paracloud.jobs.full_east import Office
from tests.paracloud.jobs.world import EAST, START, World, connect, open_world, queue, record

from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.centres.store import keep_queues, seen_queues
from paracloud.identity.product_line import ProductLine
from paracloud.jobs.book import Move
from paracloud.jobs.build import build
from paracloud.jobs.market import read_market
from paracloud.jobs.quote import quote
from paracloud.jobs.state import JobState
from paracloud.jobs.vacate_queue import vacate_job, waiting_for
from paracloud.kit.errors import Conflict, Invalid, NotFound
from paracloud.kit.identifiers import CentreName, NativeId, PriceVersionId, new_uuid, submit_tag

MANY, LAST = 1000, CentreName("north")


async def test_a_queue_that_disappears_takes_its_jobs_to_their_end_and_no_new_one(database):
    world = await open_world(database)
    accepted = await world.submit(centre=EAST)
    lease = await world.claim()
    await world.book.intend(lease, limit=10)
    await world.book.submitted(lease, {accepted.job: NativeId("7")}, postponed={})
    async with database.begin() as session:
        await keep_queues(session, EAST, (queue("other"),), START)
    with pytest.raises(Invalid):
        await world.submit(centre=EAST)
    run = record(accepted.job, "7", elapsed_seconds=600)
    await world.book.settle(lease, [run], alive=(), read_until=START + timedelta(hours=1))
    assert await world.state(accepted.job) == "completed"
    assert (await world.held(), await world.wallet()) == (0, 1000 * 10**6 - 600 * 100)


async def test_no_queue_at_all_is_told_as_such_and_what_comes_back_is_offered(database):
    world = await open_world(database)
    async with database.begin() as session:
        await keep_queues(session, EAST, (), START)
    with pytest.raises(Invalid, match="No partition"):
        await world.submit(centre=EAST)
    async with database.begin() as session:
        await keep_queues(session, EAST, (queue(),), START)
    assert (await world.submit(centre=EAST)).queue == "cpu"


async def test_among_a_thousand_queues_the_only_one_that_fits_is_found_and_the_others_say_why(database):
    world = await open_world(database)
    small = [queue(f"q{number:03}", cores_per_node=1) for number in range(MANY - 1)]
    async with database.begin() as session:
        await connect(session, LAST, queues=(*small, queue("wide")))
        assert sum(one.centre == LAST for one in await seen_queues(session)) == MANY
    spec = build("#!/bin/sh\n#SBATCH --time=60 -n 1 -c 4\ntrue\n", {}, centre=LAST).spec
    async with database.begin() as session:
        market = await read_market(session, START)
        found = await quote(session, world.caller, world.project, spec, market=market, limit=MANY + 9)
    assert [one.place for one in found.choice.fitting] == ["north/wide"]
    assert sum(one.centre == LAST for one in found.rejected) == MANY - 1
    assert all(one.en and one.zh for one in found.rejected)


async def test_who_waits_for_a_queue_that_is_gone_for_good_moves_or_ends_and_who_runs_runs_on(database):
    world = await open_world(database)
    office = await Office.open(world)
    runs, bound, free = await office.queued("7"), await office.queued("8", movable=False), await office.queued("9")
    now = world.clock.now()
    await world.book.observed(office.lease, [Move(runs, JobState.RUNNING, "RUNNING", "", now, "n1", now)])
    unsent, unsent_bound = await office.accepted(), await office.accepted(movable=False)
    with pytest.raises(Conflict, match="still shows cpu"):
        await vacated(world)
    async with database.begin() as session:
        await keep_queues(session, EAST, (queue("other"),), START)
    assert await vacated(world) == {"moved": 1, "leaving": 1, "ended": 1, "cancelling": 1}
    assert (await office.job("centre", unsent), await world.state(unsent_bound)) == ("west", "cancelled")
    assert [(one.job, one.step.value) for one in await world.book.departures(office.lease)] == [(free, "holding")]
    assert [(one.job, one.kind) for one in await world.book.wishes(office.lease)] == [(bound, "cancel")]
    assert await world.state(runs) == "running"
    why = "east has no queue cpu any more"
    assert await office.job("reason", unsent_bound) == why
    assert await office.job("why_en", unsent) == f"moved from east/cpu to west/cpu because {why}"
    assert await vacated(world) == {}
    assert await office.untrue() == {}


async def renamed(database) -> None:
    """The queue has another name now, and there is no other centre."""
    async with database.begin() as session:
        await session.execute(text("DELETE FROM queues WHERE centre = 'west'"))
        await keep_queues(session, EAST, (queue("other"),), START)
        version = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, Decimal("0.36"), None, "CNY")
        await add_price(session, EAST, "other", version, person="op", now=START, valid_from=START - timedelta(days=1))


async def test_who_waits_for_a_queue_with_a_new_name_goes_there_once(database):
    world = await open_world(database)
    office = await Office.open(world)
    sent, unsent = await office.queued("7"), await office.accepted()
    await renamed(database)
    assert await vacated(world) == {"leaving": 1, "moved": 1}
    assert (await office.job("centre", unsent), await office.job("queue", unsent)) == ("east", "other")
    await office.leave(sent)
    await office.depart(sent)
    assert (await office.job("state", sent), await office.job("queue", sent)) == ("accepted", "other")
    await world.book.intend(office.lease, limit=10)
    await world.book.submitted(office.lease, {sent: NativeId("8"), unsent: NativeId("9")}, postponed={})
    tags = {submit_tag(sent): "7", submit_tag(sent, 1): "8", submit_tag(unsent, 1): "9"}
    told = [record(sent, id_, tag=tag, name=f"pc-{tag}", queue="other") for tag, id_ in tags.items()]
    await world.book.settle(office.lease, told, alive=(), read_until=world.clock.now())
    assert {await world.state(sent), await world.state(unsent)} == {"completed"}
    charged = "SELECT count(*) FROM usage WHERE reference = :job"
    assert [await world.one(charged, job=str(one)) for one in (sent, unsent)] == [1, 1]
    assert await office.untrue() == {}


async def test_a_name_that_no_job_was_ever_sent_to_is_refused(database):
    await open_world(database)
    async with database.begin() as session:
        with pytest.raises(NotFound, match="No job was ever sent"):
            await waiting_for(session, EAST, "mistyped")


async def vacated(world: World) -> dict[str, int]:
    """How many went each way. Each in a transaction of its own, as they do."""
    async with world.database.begin() as session:
        market = await read_market(session, world.clock.now())
        jobs = await waiting_for(session, EAST, "cpu")
    ways = []
    for job in jobs:
        async with world.database.begin() as session:
            ways.append(await vacate_job(session, job, (EAST, "cpu"), market=market, now=world.clock.now()))
    return dict(Counter(way.value for way in ways if way is not None))
