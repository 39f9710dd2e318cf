"""Usage that waited for a price is charged, once, and stands on its job's bill."""

from datetime import timedelta
from decimal import Decimal

from tests.paracloud.jobs.world import EAST, START, open_world, record

from paracloud.billing.check import check
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.identity.product_line import ProductLine
from paracloud.jobs.charge_waiting import charge_waiting
from paracloud.jobs.show import show
from paracloud.kit.identifiers import NativeId, PriceVersionId, new_uuid


async def test_it_is_charged_once_and_stands_on_the_jobs_bill(database):
    """The scheduler moved the job to a queue that nobody sells yet."""
    world = await open_world(database)
    job = (await world.submit()).job
    lease = await world.claim()
    await world.book.intend(lease, limit=5)
    await world.book.submitted(lease, {job: NativeId("7")}, postponed={})
    moved = record(job, "7", queue="elsewhere")
    await world.book.settle(lease, [moved, record(None, "8", queue="nowhere")], alive=[], read_until=None)

    async def waiting() -> tuple[int, int]:
        async with database.begin() as session:
            page = await charge_waiting(session, after=None, now=world.clock.now())
        assert page.after is None
        return page.charged, page.left

    async def on_the_bill() -> int:
        async with database.begin() as session:
            return (await show(session, world.caller, job)).summary.charged.micro

    assert (await waiting(), await on_the_bill()) == ((0, 2), 0)
    price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, Decimal("0.6"), Decimal(0), "CNY")
    async with database.begin() as session:
        await add_price(session, EAST, "elsewhere", price, person="op", now=START, valid_from=START - timedelta(days=1))
    assert (await waiting(), await on_the_bill()) == ((1, 1), 100_000)
    assert (await waiting(), await on_the_bill()) == ((0, 1), 100_000)
    async with database.begin() as session:
        assert await check(session) == []
