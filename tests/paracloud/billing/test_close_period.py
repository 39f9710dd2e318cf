"""A month is closed once, and stays as it is."""

import asyncio
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import EAST, NOW, charged, left, metered, record, sound, world
from tests.paracloud.billing.paying import DAY, JULY, JUNE, closed, dedicated, nodes

from paracloud.billing.period import is_closed, month_of
from paracloud.billing.periods import periods
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.billing.reverse import reverse
from paracloud.billing.unrated import unrated_page
from paracloud.identity.product_line import ProductLine
from paracloud.kit.errors import Conflict, Invalid
from paracloud.kit.identifiers import EntryId, PriceVersionId, new_uuid


async def test_what_is_charged_after_a_month_was_closed_falls_into_the_next(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1")))
    assert [await closed(database), await closed(database)] == [True, False]
    await charged(database, await metered(database, opened, record("1", elapsed_seconds=50), record("2")))
    async with database.begin() as session:
        rows = (
            await session.execute(text("SELECT period, amount_micro FROM charges ORDER BY charged_at, revision"))
        ).all()
        assert await is_closed(session, JUNE)
    assert sorted((f"{row.period:%m}", row.amount_micro) for row in rows) == [
        ("06", 13_717), ("07", -6_858), ("07", 13_717),
    ]  # fmt: skip
    await sound(database)


async def test_a_reversal_falls_into_an_open_month_too(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1")))
    await closed(database)
    async with database.begin() as session:
        (entry,) = await session.scalars(text("SELECT entry_id FROM charges"))
        await reverse(session, EntryId(entry), reason="goodwill", person="op", now=JULY)
        (period,) = await session.scalars(text("SELECT period FROM charges WHERE is_reversal"))
    assert period == month_of(JULY)


async def test_unrated_usage_blocks_the_closing_of_its_month_and_of_later_ones_only(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1", queue="new", ended_at=NOW + 40 * DAY)))
    assert await closed(database)
    with pytest.raises(Conflict, match="Usages of 2026-07 or before that are unrated: 1;"):
        await closed(database, date(2026, 7, 1), JULY + 31 * DAY)
    price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, Decimal(1), Decimal(0), "CNY")
    async with database.begin() as session:
        await add_price(session, EAST, "new", price, person="op", now=NOW, valid_from=NOW - DAY)
        waiting = [one.usage for one in await unrated_page(session)]
    await charged(database, waiting)
    assert await closed(database, date(2026, 7, 1), JULY + 31 * DAY)


async def test_a_month_lists_its_own_unrated_usage_and_what_came_too_late_for_a_closed_one(database):
    opened = await world(database)

    async def counted() -> list[tuple[date, int]]:
        async with database.begin() as session:
            return [(one.month, one.unrated) for one in await periods(session)]

    later = [record(id_, queue="new", ended_at=NOW + 40 * DAY) for id_ in ("1", "2")]
    await charged(database, await metered(database, opened, *later))
    assert await closed(database)
    await charged(database, await metered(database, opened, record("3", queue="new")))
    last = record("4", queue="new", ended_at=NOW + 70 * DAY)
    await charged(database, await metered(database, opened, last))
    assert await counted() == [(date(2026, 8, 1), 1), (date(2026, 7, 1), 3), (JUNE, 0)]
    with pytest.raises(Conflict, match="Usages of 2026-07 or before that are unrated: 3;"):
        await closed(database, date(2026, 7, 1), JULY + 31 * DAY)


async def test_a_month_is_closed_after_it_is_over_and_after_the_months_before(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1")))
    for month, now in ((JUNE, NOW), (date(2026, 6, 2), JULY)):
        with pytest.raises(Invalid, match="a month that is over"):
            await closed(database, month, now)
    with pytest.raises(Conflict, match="2026-06 is still open"):
        await closed(database, date(2026, 7, 1), JULY + 31 * DAY)


async def test_closing_a_month_posts_the_fees_that_were_due(database):
    opened = await world(database)
    await dedicated(database, nodes(opened))
    await closed(database)
    assert await left(database, opened) == 70_000_000


async def test_charging_and_closing_at_one_moment_leave_no_charge_in_a_closed_month(database):
    opened = await world(database)
    usages = [await metered(database, opened, record(str(number))) for number in range(8)]
    work = [charged(database, one) for one in usages]
    await asyncio.gather(*work[:4], closed(database), *work[4:])
    async with database.begin() as session:
        query = text("SELECT count(*) FROM charges JOIN billing_periods USING (period) WHERE charged_at > closed_at")
        assert (await session.scalars(query)).one() == 0
        assert (await session.scalars(text("SELECT count(*) FROM charges"))).one() == 8


@pytest.mark.parametrize(
    ("forgery", "why"),
    [
        ("UPDATE billing_periods SET closed_at = NULL, closed_by = NULL", "stays closed"),
        ("DELETE FROM billing_periods", "stays closed"),
        (
            "INSERT INTO charges SELECT (jsonb_populate_record(NULL::charges, "
            "to_jsonb(charges) || '{\"revision\": 2}')).* FROM charges",
            "period is closed",
        ),
    ],
)
async def test_the_database_keeps_a_closed_month_closed(database, owned, forgery, why):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1")))
    await closed(database)
    with pytest.raises(DBAPIError, match=why):
        async with owned.begin() as session:
            await session.execute(text(forgery))
