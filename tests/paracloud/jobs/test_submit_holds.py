"""What is held for a job, and at which price it is offered."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from tests.paracloud.jobs.world import EAST, SCRIPT, START, WEST, connect, open_world, person, queue, record

from paracloud.billing.dedication import Dedication, dedicate, new_dedication_id
from paracloud.billing.post_fees import pay_first_fee
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.billing.rule_text import read_rule
from paracloud.centres.account import account_for
from paracloud.centres.store import keep_queues
from paracloud.identity.change_product_line import change_product_line
from paracloud.identity.product_line import ProductLine
from paracloud.jobs.show import show
from paracloud.jobs.state import JobState
from paracloud.kit.database import Database
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import CentreName, NativeId, PriceVersionId, new_uuid
from paracloud.kit.money import MICRO, Money

FULL = 1000 * MICRO


async def test_an_accepted_job_holds_the_most_it_can_cost_and_says_where_and_why(database: Database) -> None:
    world = await open_world(database)
    accepted = await world.submit(ntasks="4", job_name="熔体 $(x)|'")
    assert accepted.held.micro == 4 * 360_000
    assert (accepted.centre, accepted.queue) == (EAST, "cpu")
    assert await world.held() == accepted.held.micro
    assert await world.wallet() == FULL - accepted.held.micro
    async with database.begin() as session:
        detail = await show(session, world.caller, accepted.job)
    assert detail.summary.state is JobState.ACCEPTED
    assert detail.summary.name == detail.spec.name == "熔体 $(x)|'"
    assert detail.spec.script == SCRIPT
    assert detail.summary.why_en
    assert detail.summary.why_zh
    assert [event.to_state for event in detail.events] == [JobState.ACCEPTED]


async def test_own_nodes_are_free_for_what_fits_on_them_alone(database: Database) -> None:
    world = await open_world(database)
    own = Dedication(new_dedication_id(), world.project, EAST, "cpu", 4, Money(0), 0, START, None)
    async with database.begin() as session:
        await dedicate(session, own, person="op", now=START)
        await keep_queues(session, EAST, [queue(nodes=8, cores=32)], START)  # the centre adds nodes
    fitting = await world.submit(centre=EAST, nodes="4")
    larger = await world.submit(centre=EAST, nodes="5")
    assert (fitting.held.micro, larger.held.micro) == (0, 5 * 360_000)
    lease = await world.claim()
    await world.book.intend(lease, limit=10)
    await world.book.submitted(lease, {fitting.job: NativeId("7"), larger.job: NativeId("8")}, postponed={})
    done = [record(fitting.job, "7", nodes=4, cores=4), record(larger.job, "8", nodes=5, cores=5)]
    await world.book.settle(lease, done, alive=[], read_until=None)
    charged = [
        await world.one("SELECT charged_micro FROM jobs WHERE id = :job", job=of.job) for of in (fitting, larger)
    ]
    assert charged == [0, 5 * 60_000]


async def test_nobody_else_is_offered_the_nodes_of_who_has_them_alone(database: Database) -> None:
    world = await open_world(database)
    async with database.begin() as session:
        other, _ = await person(session, "chen")
        theirs = Dedication(new_dedication_id(), other, EAST, "cpu", 4, Money(0), 0, START, START + timedelta(hours=1))
        await dedicate(session, theirs, person="op", now=START)
    with pytest.raises(Invalid, match="its nodes are dedicated to another customer"):
        await world.submit(centre=EAST)
    assert (await world.submit()).centre == WEST
    world.clock.forward(timedelta(hours=1))
    assert (await world.submit(centre=EAST)).held.micro == 360_000


async def test_where_own_nodes_have_an_end_a_job_holds_for_all_that_may_run_after_it(database: Database) -> None:
    world = await open_world(database)
    end = START + timedelta(hours=20)
    async with database.begin() as session:
        own = Dedication(new_dedication_id(), world.project, EAST, "cpu", 4, Money(0), 0, START, end)
        await dedicate(session, own, person="op", now=START)
    accepted = await world.submit(centre=EAST)
    assert accepted.held.micro == 360_000
    lease = await world.claim()
    await world.book.intend(lease, limit=10)
    await world.book.submitted(lease, {accepted.job: NativeId("7")}, postponed={})
    at = end - timedelta(minutes=1)
    late = record(accepted.job, "7", started_at=at, ended_at=at + timedelta(minutes=10))
    await world.book.settle(lease, [late], alive=[], read_until=None)
    assert await world.one("SELECT charged_micro FROM jobs") == 54_000  # nine of its ten minutes
    assert (await world.held(), await world.ledger_sum()) == (0, 0)


async def test_a_month_of_own_nodes_that_is_not_paid_is_not_free_for_a_moment(database: Database) -> None:
    """The record is settled before any chore has asked for the new month's fee."""
    world = await open_world(database, funds="40")
    async with database.begin() as session:
        own = Dedication(new_dedication_id(), world.project, EAST, "cpu", 4, Money.parse("36"), 0, START, None)
        await dedicate(session, own, person="op", now=START)
        await pay_first_fee(session, own, now=START)
    lease = await world.leases(ttl=timedelta(days=90)).claim(EAST)
    assert lease is not None
    async with database.begin() as session:
        await account_for(session, EAST, world.project, now=START)
    july = datetime(2026, 7, 1, tzinfo=UTC)
    world.clock.forward(july + timedelta(minutes=20) - world.clock.now())
    start = july - timedelta(minutes=5)
    across = record(None, "7", submitted_at=start, started_at=start, ended_at=start + timedelta(minutes=10))
    await world.book.settle(lease, [across], alive=[], read_until=None)
    assert await world.one("SELECT amount_micro FROM charges") == 30_000  # the half that is July's


async def test_an_array_holds_for_every_task_and_an_exclusive_job_for_whole_nodes(database: Database) -> None:
    world = await open_world(database)
    assert (await world.submit(array="0-9%2")).held.micro == 10 * 360_000
    assert (await world.submit(exclusive="")).held.micro == 4 * 360_000
    assert (await world.submit(exclusive="", ntasks="5")).held.micro == 8 * 360_000


async def test_a_job_that_asks_for_more_cores_on_each_node_holds_for_them(database: Database) -> None:
    world = await open_world(database)
    assert (await world.submit(mincpus="4")).held.micro == 4 * 360_000


MEMORY_RULE = {
    "units": {"max": [{"resource": "cores", "weight": "0.1"}, {"resource": "memory_bytes", "per": "GiB"}]},
    "free": ["nodes"],
}


async def test_a_hold_covers_the_most_that_a_rule_can_charge(database: Database) -> None:
    """Of memory that nobody asked for, a scheduler may give a whole node's."""
    world = await open_world(database)
    south = CentreName("south")
    async with database.begin() as session:
        await connect(session, south, rule=read_rule(MEMORY_RULE))
    here = {"centre": south}
    assert (await world.submit(mem="2G", **here)).held.micro == 2 * MICRO
    assert (await world.submit(mem_per_cpu="2G", ntasks="3", **here)).held.micro == 6 * MICRO
    assert (await world.submit(**here)).held.micro == 8 * MICRO
    assert (await world.submit(nodes="2", ntasks="2", mem="3G", **here)).held.micro == 6 * MICRO


async def test_where_a_price_says_nothing_of_a_job_it_is_not_offered(database: Database) -> None:
    world = await open_world(database)
    south = CentreName("south")
    cards = queue(gpus_per_node=2, gpu_model="a100", free_gpus=8)
    async with database.begin() as session:
        await connect(session, south, rule=read_rule(MEMORY_RULE), queues=(cards,))
    with pytest.raises(Invalid, match="does not cover such a job: the rule says nothing of gpus"):
        await world.submit(centre=south, gres="gpu:1")


async def test_where_a_price_says_nothing_of_cards_only_a_job_without_any_is_offered(database: Database) -> None:
    world = await open_world(database)
    south = CentreName("south")
    cards = queue(gpus_per_node=2, gpu_model="a100", free_gpus=8)
    async with database.begin() as session:
        await connect(session, south, card=None, queues=(cards,))
    with pytest.raises(Invalid, match="the price says nothing of cards"):
        await world.submit(centre=south, gres="gpu:1")
    assert (await world.submit(centre=south, partition="cpu")).held.micro == 360_000
    nodes = Dedication(new_dedication_id(), world.project, south, "cpu", 4, Money(0), 0, START, None)
    async with database.begin() as session:
        await dedicate(session, nodes, person="op", now=START)
    assert (await world.submit(centre=south, gres="gpu:1")).held.micro == 0


async def test_a_job_is_offered_held_and_charged_at_the_price_of_its_projects_product_line(database: Database) -> None:
    world = await open_world(database)
    dear = Price(PriceVersionId(new_uuid()), ProductLine.AI, Decimal(36), Decimal(0), "CNY")
    async with database.begin() as session:
        await add_price(session, EAST, "cpu", dear, person="op", now=START, valid_from=START - timedelta(days=1))
    assert (await world.submit(centre=EAST)).held.micro == 360_000
    async with database.begin() as session:
        await change_product_line(session, world.project, ProductLine.AI, person="boss", now=START)
    accepted = await world.submit(centre=EAST)
    assert (accepted.held.micro, (await world.submit()).centre) == (36_000_000, WEST)
    lease = await world.claim()
    await world.book.intend(lease, limit=5)
    await world.book.submitted(lease, {accepted.job: NativeId("7")}, postponed={})
    later = START + timedelta(minutes=1)
    async with database.begin() as session:
        await change_product_line(session, world.project, ProductLine.GENERAL, person="boss", now=later)
    await world.book.settle(lease, [record(accepted.job, "7")], alive=[], read_until=None)
    assert await world.one("SELECT charged_micro FROM jobs WHERE id = :job", job=accepted.job) == 6_000_000
