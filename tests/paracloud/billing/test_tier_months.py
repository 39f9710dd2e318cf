"""Volume tiers across months, corrections and reversals: a usage counts in the month in which it was first charged."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, left, metered, record, sound, world

from paracloud.billing.charge import charge
from paracloud.billing.close_period import close_period
from paracloud.billing.decide_usage import decide_usage
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price, Stretch, graduated, stretched
from paracloud.billing.reconcile import reconcile
from paracloud.billing.reverse import reverse
from paracloud.billing.tiers import Tier, Tiers
from paracloud.identity.product_line import ProductLine
from paracloud.kit.identifiers import EntryId, PriceVersionId, new_uuid

DAY = timedelta(days=1)
JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
IN_JULY = datetime(2026, 7, 2, tzinfo=UTC)
TIERS = Tiers((Tier(Decimal(0), Decimal(1)), Tier(Decimal(10), Decimal("0.5"))))
"""From ten yuan of the month on at half price. Of `record`, four cores, each second is a fen of list amount."""
TEN, FOUR = record("1", elapsed_seconds=250), record("2")


@pytest.fixture
async def opened(database):
    opened = await world(database)
    price = Price(
        PriceVersionId(new_uuid()), ProductLine.GENERAL, Decimal(36), Decimal(0), "CNY", project=opened.project,
        tiers=TIERS,
    )  # fmt: skip
    async with database.begin() as session:
        await add_price(session, EAST, "cpu", price, person="op", now=NOW, valid_from=NOW - DAY)
    return replace(opened, price=price)


async def fen(database, opened, one, now=NOW):
    """What it adds to the bill."""
    usages = await metered(database, opened, one)
    async with database.begin() as session:
        return [made.amount_micro // 10_000 for made in await charge(session, usages, pinned={}, now=now)]


async def closed(database):
    async with database.begin() as session:
        await close_period(session, JUNE, person="op", now=IN_JULY)


async def usage_of(database, one):
    async with database.begin() as session:
        return (await session.scalars(text("SELECT id FROM usage WHERE record_id = :id"), {"id": one.record_id})).one()


async def taken_back(database, one, now=NOW):
    usage = await usage_of(database, one)
    query = "SELECT entry_id FROM charges WHERE usage_id = :id AND NOT is_reversal ORDER BY revision DESC LIMIT 1"
    async with database.begin() as session:
        entry = EntryId((await session.execute(text(query), {"id": usage})).scalar_one())
        await reverse(session, entry, reason="wrong node", person="op", now=now)


async def again(database, opened, one, now=NOW):
    usage = await usage_of(database, one)
    async with database.begin() as session:
        made = await decide_usage(session, usage, opened.price.id, reason="as agreed", person="op", now=now)
    return made.amount_micro // 10_000


async def volumes(database):
    async with database.begin() as session:
        rows = await session.execute(text("SELECT period, list_micro FROM volumes WHERE list_micro <> 0"))
        return {period: micro // 10_000 for period, micro in rows}


async def agrees(database, opened, *records):
    """The daily check and the reconciliation find nothing."""
    await sound(database)
    start = NOW.replace(hour=0)
    async with database.begin() as session:
        found = await reconcile(
            session, EAST, records, start=start, end=start + DAY, lent=opened.lent, pinned={},
            since=start,
        )  # fmt: skip
    assert found.mismatches == ()


def in_july(one):
    return replace(one, submitted_at=IN_JULY, started_at=IN_JULY, ended_at=IN_JULY + timedelta(seconds=1))


async def test_a_correction_of_a_closed_month_gives_back_what_was_charged_there(database, opened):
    before = await left(database, opened)
    assert [await fen(database, opened, one) for one in (TEN, FOUR)] == [[1000], [200]]
    await closed(database)
    nothing = replace(FOUR, elapsed_seconds=0)
    assert await fen(database, opened, nothing, IN_JULY) == [-200]
    assert await left(database, opened) == before - 10_000_000
    assert await volumes(database) == {JUNE: 1000}
    await agrees(database, opened, TEN, nothing)
    assert await fen(database, opened, in_july(record("3", elapsed_seconds=300)), IN_JULY) == [1100]
    assert await volumes(database) == {JUNE: 1000, JULY: 1200}


async def test_a_correction_upwards_of_a_closed_month_goes_on_where_that_month_was(database, opened):
    assert await fen(database, opened, TEN) == [1000]
    await closed(database)
    longer = replace(TEN, elapsed_seconds=350)
    assert await fen(database, opened, longer, IN_JULY) == [200]
    await agrees(database, opened, longer)


async def test_a_reversal_in_a_later_month_leaves_that_months_price_alone(database, opened):
    await fen(database, opened, TEN)
    await closed(database)
    await taken_back(database, TEN, IN_JULY)
    assert await fen(database, opened, in_july(record("9", elapsed_seconds=500)), IN_JULY) == [1500]
    assert await volumes(database) == {JULY: 2000}
    await agrees(database, opened, TEN)


async def test_nothing_is_given_back_that_was_not_charged(database, opened):
    """What is taken off the first is at half price, so that the second had less to give back than its list amount."""
    await fen(database, opened, TEN)
    await fen(database, opened, FOUR)
    shorter, nothing = replace(TEN, elapsed_seconds=0), replace(FOUR, elapsed_seconds=0)
    assert await fen(database, opened, shorter) == [-800]
    assert await fen(database, opened, nothing) == [-200]
    assert await volumes(database) == {}
    await agrees(database, opened, shorter, nothing)


@pytest.mark.parametrize("first", [TEN, record("1", elapsed_seconds=125)])
@pytest.mark.parametrize("is_late", [False, True])
async def test_what_is_taken_back_and_charged_again_at_its_price_costs_what_it_cost(database, opened, first, is_late):
    """Also where it was corrected before, beyond the border."""
    ten = replace(FOUR, elapsed_seconds=250)
    costs = (await fen(database, opened, first))[0]
    await fen(database, opened, ten)
    if first != TEN:
        costs += (await fen(database, opened, TEN))[0]
    before = await left(database, opened)
    now = IN_JULY if is_late else NOW
    if is_late:
        await closed(database)
    for _ in range(2):
        await taken_back(database, TEN, now)
        assert await left(database, opened) == before + costs * 10_000
        assert await again(database, opened, TEN, now) == costs
        await agrees(database, opened, TEN, ten)
    assert await left(database, opened) == before == 100_000_000 - 15_000_000
    assert await volumes(database) == {JUNE: 2000}


async def test_what_is_charged_again_in_other_figures_begins_where_it_began(database, opened):
    await fen(database, opened, TEN)
    await fen(database, opened, FOUR)
    await taken_back(database, TEN)
    longer = replace(TEN, elapsed_seconds=300)
    await metered(database, opened, longer)
    assert await again(database, opened, longer) == 1100
    await agrees(database, opened, longer, FOUR)


@given(
    firsts=st.lists(st.integers(0, 10**8), min_size=1, max_size=5),
    changes=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 10**8)), max_size=8),
)
def test_corrections_in_any_order_cost_what_the_tiers_make_of_the_sum_and_give_nothing_away(firsts, changes):
    charged, volume = [], 0
    for one in firsts:
        charged.append([Stretch(volume, one)])
        volume += one
    is_bound = False
    for number, wanted in changes:
        of = charged[number % len(charged)]
        more = wanted - sum(one.list_micro for one in of)
        is_bound |= stretched(TIERS, of) + graduated(TIERS, volume, more) < 0
        of.append(Stretch(volume, more))
        volume += more
    costs = [stretched(TIERS, of) for of in charged]
    assert min(costs) >= 0
    assert is_bound or sum(costs) == graduated(TIERS, 0, volume)
    assert sum(costs) >= graduated(TIERS, 0, volume)
