"""A closed month is stated to its centres once, with what each is due by its contracts, and kept as it was stated."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import EAST, charged, left, metered, record, sound, world
from tests.paracloud.settlement.months import JULY, JUNE, START, TIERS, balance, neighbour, stated

from paracloud.billing.close_period import close_period
from paracloud.billing.contract import Contract, Lent, Month, add_contract
from paracloud.billing.entry import SETTLEMENT, payable
from paracloud.billing.reverse import reverse
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import (
    ContractId,
    EntryId,
    new_uuid,
)
from paracloud.settlement.settled import Charged, sums, sums_of
from paracloud.settlement.state_settlements import state_settlements


async def test_a_month_is_stated_once_with_what_the_centre_is_due(database, opened):
    (one,) = await stated(database)
    assert (one.centre, one.charges, one.gross, one.share, one.total) == (EAST, 3, 41_151, 30_864, 30_864)
    assert await stated(database) == []
    assert await balance(database, payable(EAST)) == 30_864
    await sound(database)


async def test_an_open_month_is_not_stated(database, opened):
    with pytest.raises(Conflict, match="close it first"):
        await stated(database, is_closed=False)


async def test_two_who_state_at_once_state_each_centre_once(database, opened):
    async with database.begin() as session:
        await close_period(session, JUNE, person="op", now=JULY)
    made = await asyncio.gather(*(stated(database, is_closed=False) for _ in range(4)))
    assert sorted(map(len, made)) == [0, 0, 0, 1]


def a_contract(**changes) -> Contract:
    plain = Contract(ContractId(new_uuid()), EAST, None, 7500, None, 0, START - timedelta(days=40), None)
    return replace(plain, **changes)


@given(amounts=st.lists(st.integers(0, 10**9), max_size=20))
def test_shares_and_the_tiers_difference_are_the_graduated_share_of_the_month(amounts):
    one = a_contract(month=Month(share_tiers=TIERS))
    share = sum(round(Fraction(amount * 7500, 10_000)) for amount in amounts)
    found = sums(one, Charged(len(amounts), sum(amounts), share), JUNE)
    gross = Fraction(sum(amounts))
    low = min(gross, Fraction(20_000))
    assert share + found.tiers == round(low * Fraction(3, 4) + (gross - low) * Fraction(9, 10))
    back = sums(one, Charged(len(amounts), -sum(amounts), -share), JUNE)
    assert -share + back.tiers == -(share + found.tiers)


@pytest.mark.parametrize(
    ("own", "late", "tiers", "minimum", "total"),
    [
        ((41_151, 30_864), (0, 0), None, 100_000 - 30_864, 100_000),
        ((41_151, 30_864), (-13_717, -10_288), None, 100_000 - 30_864, 100_000 - 10_288),
        ((41_151, 30_864), (-137_170, -102_880), None, 100_000 - 30_864, 100_000 - 102_880),
        ((41_151, 30_864), (13_717, 10_288), None, 100_000 - 30_864, 100_000 + 10_288),
        ((0, 0), (-13_717, -10_288), None, 100_000, 100_000 - 10_288),
        ((137_170, 102_880), (-137_170, -102_880), None, 0, 0),
        ((0, 0), (-10_000, -7_500), TIERS, 100_000, 100_000 - 7_500),
        ((30_000, 22_500), (-10_000, -7_500), TIERS, 100_000 - 24_000, 100_000 - 9_000),
    ],
)
def test_what_earlier_months_take_back_comes_on_top_of_the_minimum(own, late, tiers, minimum, total):
    one = a_contract(month=Month(tiers, minimum_micro=100_000))
    charged = Charged(4, own[0] + late[0], own[1] + late[1], *late)
    found = sums(one, charged, JUNE)
    assert (found.minimum, charged.share + found.tiers + found.minimum) == (minimum, total)


@pytest.mark.parametrize(
    ("month", "valid_from", "expected"),
    [
        (Month(minimum_micro=100_000), START, (0, 69_136, 0)),
        (Month(minimum_micro=30_000), START, (0, 0, 0)),
        (Month(minimum_micro=100_000), datetime(2026, 6, 16, tzinfo=UTC), (0, 50_000 - 30_864, 0)),
        (Month(fixed_micro=3_000_000), datetime(2026, 6, 21, tzinfo=UTC), (0, 0, 1_000_000)),
        (Month(fixed_micro=3_000_000, minimum_micro=100_000), datetime(2026, 7, 1, tzinfo=UTC), (0, 0, 0)),
    ],
)
def test_a_minimum_and_a_fixed_cost_count_for_the_part_of_the_month(month, valid_from, expected):
    one = a_contract(month=month, valid_from=valid_from)
    found = {one.id: Charged(3, 41_151, 30_864 if valid_from.month == 6 else 0)}
    (found,) = sums_of([one], found, JUNE)
    assert (found.tiers, found.minimum, found.fixed) == expected


async def test_what_a_contract_adds_is_posted_and_its_terms_come_back_as_themselves(database):
    opened = await world(database)
    month = Month(TIERS, minimum_micro=100_000, fixed_micro=5_000)
    async with database.begin() as session:
        await add_contract(session, EAST, 7500, person="op", now=START, valid_from=START, queue="cpu", month=month)
    await charged(database, await metered(database, opened, *(record(str(number)) for number in range(3))))
    (one,) = await stated(database)
    graduated = round(Fraction(20_000) * Fraction(3, 4) + Fraction(21_151) * Fraction(9, 10))
    assert (one.share + one.tiers, one.minimum, one.fixed) == (graduated, 100_000 - graduated, 5_000)
    assert one.total == 105_000
    assert await balance(database, payable(EAST)) == 105_000
    assert await balance(database, SETTLEMENT) == -one.added
    await sound(database)


async def test_whoever_lent_nodes_has_the_months_part_in_the_wallet(database):
    opened = await world(database)
    lender = await neighbour(database, opened)
    async with database.begin() as session:
        await add_contract(
            session, EAST, 2000, person="op", now=START, valid_from=START, queue="cpu", lent=Lent(lender, 5000)
        )
    await charged(database, await metered(database, opened, record("1")))
    await stated(database)
    assert await left(database, replace(opened, project=lender)) == 6_858
    assert await stated(database) == []
    assert await left(database, replace(opened, project=lender)) == 6_858
    await sound(database)


async def test_a_month_of_reversals_takes_back_by_tiers_and_keeps_its_minimum(database):
    opened = await world(database)
    async with database.begin() as session:
        await add_contract(
            session,
            EAST,
            7500,
            person="op",
            now=START,
            valid_from=START,
            queue="cpu",
            month=Month(TIERS, minimum_micro=5_000),
        )
    await charged(database, await metered(database, opened, *(record(str(number)) for number in range(3))))
    (june,) = await stated(database)
    assert (june.share + june.tiers, june.minimum) == (34_036, 0)
    july, august = date(2026, 7, 1), JULY + timedelta(days=40)
    async with database.begin() as session:
        for entry, usage in (await session.execute(text("SELECT entry_id, usage_id FROM charges"))).all():
            await reverse(session, EntryId(entry), reason="goodwill", person="op", now=JULY, usage=usage)
    fresh = record("9", elapsed_seconds=10, ended_at=JULY, started_at=JULY, submitted_at=JULY)
    usages = await metered(database, opened, fresh)
    await charged(database, usages)
    async with database.begin() as session:
        await close_period(session, july, person="op", now=august)
        (one,) = await state_settlements(session, july, person="op", now=august)
    own, late = 1_372, -41_151
    assert one.gross == own + late
    assert one.share + one.tiers == -(15_000 + round(Fraction(19_779) * Fraction(9, 10)))
    assert one.minimum == 5_000 - round(Fraction(own) * Fraction(3, 4))
    await sound(database)


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE settlements SET share_micro = 0",
        "DELETE FROM settlements",
        "UPDATE settlements SET centre = 'x'",
        "UPDATE settlement_contracts SET gross_micro = 0",
        "DELETE FROM settlement_contracts",
    ],
)
async def test_the_database_keeps_what_was_stated(database, owned, opened, forgery):
    await stated(database)
    for of in (database, owned):
        with pytest.raises(DBAPIError, match=r"permission denied|what was stated|append-only"):
            async with of.begin() as session:
                await session.execute(text(forgery))
