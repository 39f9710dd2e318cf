from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.jobs.world import EAST, SCRIPT, START, WEST, connect, open_world, person, queue, record

from paracloud.billing.dedication import Dedication, dedicate, new_dedication_id
from paracloud.billing.post_fees import pay_first_fee
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.billing.rule_text import read_rule
from paracloud.billing.top_up import top_up
from paracloud.centres.account import account_for
from paracloud.centres.store import keep_queues
from paracloud.data.blobs import Blob
from paracloud.data.keep import keep
from paracloud.identity.caller import Role
from paracloud.identity.change_product_line import change_product_line
from paracloud.identity.product_line import ProductLine
from paracloud.jobs.build import build
from paracloud.jobs.market import MarketReader, read_market
from paracloud.jobs.quote import quote
from paracloud.jobs.show import list_jobs, show
from paracloud.jobs.spec import InputFile
from paracloud.jobs.state import JobState
from paracloud.jobs.wish import cancel, hold, release
from paracloud.kit.database import Database
from paracloud.kit.errors import Conflict, Forbidden, Invalid, NotEnoughFunds, NotFound
from paracloud.kit.identifiers import BlobId, CentreName, JobId, NativeId, PriceVersionId, new_uuid
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


async def test_too_little_money_is_refused_with_what_is_missing_and_changes_nothing(database: Database) -> None:
    world = await open_world(database, funds="1")
    with pytest.raises(NotEnoughFunds) as caught:
        await world.submit(ntasks="4")
    assert caught.value.missing_micro == 440_000
    assert await world.one("SELECT count(*) FROM jobs") == 0
    assert await world.wallet() == MICRO
    assert await world.held() == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"partition": "nonsense"}, "cpu"),
        ({"ntasks": "17"}, "16"),
        ({"time": "2-00:00:00"}, "1-00:00:00"),
        ({"gres": "gpu:1"}, "GPU"),
        ({"centre": "north"}, "north"),
    ],
)
async def test_what_no_partition_can_run_is_refused_with_the_reason(database: Database, options, told) -> None:
    world = await open_world(database)
    with pytest.raises(Invalid) as caught:
        await world.submit(**options)
    assert told in caught.value.en
    assert await world.one("SELECT count(*) FROM jobs") == 0


async def test_a_foreign_project_is_not_found_and_a_viewer_may_not_submit(database: Database) -> None:
    world = await open_world(database)
    async with database.begin() as session:
        _, stranger = await person(session, "wang")
        other, _ = await person(session, "chen")
        viewer = await person(session, "zhao", Role.VIEWER)
    with pytest.raises(NotFound):
        await world.submit(caller=stranger)
    world.project = viewer[0]
    with pytest.raises(Forbidden):
        await world.submit(caller=viewer[1])
    assert other


async def test_a_job_of_another_project_looks_like_none(database: Database) -> None:
    world = await open_world(database)
    accepted = await world.submit()
    async with database.begin() as session:
        _, stranger = await person(session, "wang")
        assert await list_jobs(session, stranger) == []
        for attempt in (
            show(session, stranger, accepted.job),
            cancel(session, stranger, accepted.job, now=START),
            hold(session, stranger, accepted.job, now=START),
            release(session, stranger, accepted.job, now=START),
            show(session, stranger, JobId(uuid4())),
        ):
            with pytest.raises(NotFound):
                await attempt
    assert await world.state(accepted.job) == "accepted"


async def test_a_viewer_sees_a_job_and_cannot_cancel_it(database: Database) -> None:
    world = await open_world(database)
    accepted = await world.submit()
    async with database.begin() as session:
        _, viewer = await person(session, "zhao", Role.VIEWER)
        seeing = type(viewer)(
            viewer.user, viewer.token, viewer.login, False, viewer.scopes, {world.project: Role.VIEWER}
        )
        assert (await show(session, seeing, accepted.job)).summary.job == accepted.job
        with pytest.raises(Forbidden):
            await cancel(session, seeing, accepted.job, now=START)


async def test_a_job_cancelled_before_submission_ends_at_once_and_its_hold_returns(database: Database) -> None:
    world = await open_world(database)
    accepted = await world.submit()
    async with database.begin() as session:
        assert await cancel(session, world.caller, accepted.job, now=START) is JobState.CANCELLED
    async with database.begin() as session:
        assert await cancel(session, world.caller, accepted.job, now=START) is JobState.CANCELLED
    assert await world.wallet() == FULL
    assert await world.held() == 0
    async with database.begin() as session:
        with pytest.raises(Conflict):
            await hold(session, world.caller, accepted.job, now=START)


async def test_pages_follow_each_other_without_gap_or_repetition(database: Database) -> None:
    world = await open_world(database)
    jobs = [(await world.submit()).job for _ in range(5)]
    seen: list[JobId] = []
    before = None
    async with database.begin() as session:
        while page := await list_jobs(session, world.caller, before=before, limit=2):
            seen += [one.job for one in page]
            before = seen[-1]
    assert seen == jobs[::-1]


async def test_an_input_must_have_been_uploaded_to_this_project(database: Database) -> None:
    world = await open_world(database)
    blob = Blob(BlobId("b" * 64), 5)
    async with database.begin() as session:
        other, stranger = await person(session, "wang")
        await keep(session, stranger, other, blob, START)
    with pytest.raises(Invalid, match="not uploaded"):
        await world.submit(inputs=[InputFile("in.melt", blob.id, 5)])
    async with database.begin() as session:
        await keep(session, world.caller, world.project, blob, START)
    with pytest.raises(Invalid, match="5 bytes"):
        await world.submit(inputs=[InputFile("in.melt", blob.id, 6)])
    assert (await world.submit(inputs=[InputFile("in.melt", blob.id, 5)])).job


async def test_a_dependency_keeps_the_job_at_the_same_centre(database: Database) -> None:
    world = await open_world(database)
    first = await world.submit(centre=WEST)
    second = await world.submit(dependency=f"afterok:{first.job}")
    assert second.centre == WEST
    with pytest.raises(Invalid, match="depend"):
        await world.submit(dependency=f"afterok:{uuid4()}")
    async with database.begin() as session:
        other, stranger = await person(session, "wang")
        await top_up(session, other, Money(FULL), key="second", person="operator", now=START)
    mine, world.project = world.project, other
    foreign = await world.submit(caller=stranger)
    world.project = mine
    with pytest.raises(Invalid, match="does not exist"):
        await world.submit(dependency=f"afterok:{foreign.job}")
    third = await world.submit(centre=EAST)
    with pytest.raises(Invalid, match="different centres"):
        await world.submit(dependency=f"afterok:{first.job}:{third.job}")


async def test_a_quote_shows_every_offer_and_takes_nothing(database: Database) -> None:
    world = await open_world(database)
    spec = build(SCRIPT, {"ntasks": "4"}, centre="east").spec
    async with database.begin() as session:
        found = await quote(session, world.caller, world.project, spec, market=await read_market(session, START))
    assert [offer.place for offer in found.choice.fitting] == ["east/cpu"]
    assert [one.centre for one in found.choice.rejected] == [WEST]
    assert found.choice.fitting[0].most.micro == 1_440_000
    assert await world.wallet() == FULL


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


async def test_when_a_centre_has_no_account_left_the_next_one_takes_the_job(
    database: Database, owned: Database
) -> None:
    world = await open_world(database)
    async with owned.begin() as session:
        await session.execute(text("DELETE FROM centre_accounts WHERE centre = 'east'"))
    assert (await world.submit()).centre == WEST
    with pytest.raises(Conflict, match="east"):
        await world.submit(centre=EAST)


async def test_the_market_is_read_again_only_after_a_while(database: Database) -> None:
    world = await open_world(database)
    reader = MarketReader(database, world.clock)
    first = await reader.now()
    assert await reader.now() is first
    world.clock.forward(timedelta(seconds=3))
    assert await reader.now() is not first


async def test_every_move_is_on_record_each_from_where_the_last_one_led(database: Database) -> None:
    world = await open_world(database)
    job = (await world.submit()).job
    lease = await world.claim()
    await world.book.intend(lease, limit=5)
    await world.book.submitted(lease, {job: NativeId("7")}, postponed={})
    await world.book.settle(lease, [record(job, "7")], alive=[], read_until=None)
    async with database.begin() as session:
        events = (await show(session, world.caller, job)).events
    assert [event.to_state for event in events] == ["accepted", "submitting", "queued", "completed"]
    assert [event.from_state for event in events[1:]] == [event.to_state for event in events[:-1]]


async def test_the_record_of_moves_can_neither_change_nor_vanish(database: Database, owned: Database) -> None:
    world = await open_world(database)
    await world.submit()
    for statement in ("UPDATE job_events SET note = 'x'", "DELETE FROM job_events", "TRUNCATE job_events"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with owned.begin() as session:
                await session.execute(text(statement))


async def test_a_queue_that_is_down_takes_no_job(database: Database, owned: Database) -> None:
    world = await open_world(database)
    async with owned.begin() as session:
        await session.execute(text("UPDATE queues SET is_up = false"))
    with pytest.raises(Invalid, match="down"):
        await world.submit()
    assert queue().is_up
