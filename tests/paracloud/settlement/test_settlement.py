"""A closed month is stated to its centres, confirmed or disputed line by line, and paid once."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import EAST, NOW, World, charged, left, metered, record, sound, world

from paracloud.billing import store as ledger
from paracloud.billing.close_period import close_period
from paracloud.billing.contract import Contract, Lent, Month, add_contract
from paracloud.billing.entry import PAID_OUT, SETTLEMENT, payable
from paracloud.billing.reverse import reverse
from paracloud.billing.tiers import Tier, Tiers
from paracloud.identity.create_project import create_project
from paracloud.kit.errors import Conflict, Invalid, NotFound
from paracloud.kit.identifiers import CentreName, ContractId, DisputeId, EntryId, OrganisationId, UsageId, new_uuid
from paracloud.kit.money import Money
from paracloud.settlement.answer_settlement import answer_dispute, confirm, dispute_line, pay
from paracloud.settlement.people import days_of, lines_of, settlement_of
from paracloud.settlement.settled import Charged, Settlement, SettlementState, added
from paracloud.settlement.state_settlements import state_settlements

JUNE = date(2026, 6, 1)
JULY = datetime(2026, 7, 2, tzinfo=UTC)
START = datetime(2026, 6, 1, tzinfo=UTC)
TIERS = Tiers((Tier(Decimal(0), Decimal("0.75")), Tier(Decimal("0.02"), Decimal("0.9"))))


async def stated(database, *, is_closed: bool = True) -> list[Settlement]:
    async with database.begin() as session:
        if is_closed:
            await close_period(session, JUNE, person="op", now=JULY)
        return await state_settlements(session, JUNE, person="op", now=JULY)


async def balance(database, code: str) -> int:
    async with database.begin() as session:
        return await ledger.balance(session, code)


async def do(database, verb, *args, **more):
    async with database.begin() as session:
        return await verb(session, *args, now=JULY, **more)


@pytest.fixture
async def opened(database) -> World:
    found = await world(database)
    await charged(database, await metered(database, found, *(record(str(number)) for number in range(3))))
    return found


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
    more, _, _ = added([one], {one.id: Charged(len(amounts), sum(amounts), share)}, JUNE)
    gross = Fraction(sum(amounts))
    low = min(gross, Fraction(20_000))
    assert share + more == round(low * Fraction(3, 4) + (gross - low) * Fraction(9, 10))


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
    assert added([one], found, JUNE) == expected


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


@pytest.mark.parametrize(
    "wrong",
    [Month(minimum_micro=-1), Month(fixed_micro=-1), Month(Tiers((Tier(Decimal(0), Decimal("1.01")),)))],
)
async def test_terms_that_cannot_be_meant_are_refused(database, wrong):
    await world(database)
    with pytest.raises(Invalid):
        async with database.begin() as session:
            await add_contract(session, EAST, 7500, person="op", now=START, valid_from=START, queue="gpu", month=wrong)


async def test_whoever_lent_nodes_has_the_months_part_in_the_wallet(database):
    opened = await world(database)
    async with database.begin() as session:
        query = text("SELECT organisation_id FROM projects")
        organisation = OrganisationId((await session.execute(query)).scalar_one())
        lender = await create_project(session, organisation, "邻组", now=NOW)
        await add_contract(
            session, EAST, 2000, person="op", now=START, valid_from=START, queue="cpu", lent=Lent(lender, 5000)
        )
    await charged(database, await metered(database, opened, record("1")))
    await stated(database)
    assert await left(database, replace(opened, project=lender)) == 6_858
    assert await stated(database) == []
    assert await left(database, replace(opened, project=lender)) == 6_858
    await sound(database)


async def test_a_statement_is_confirmed_and_paid_once(database, opened):
    (one,) = await stated(database)
    with pytest.raises(Conflict, match="stated, not confirmed"):
        await do(database, pay, one.id, payment="bank-1", person="op")
    for _ in range(2):
        confirmed = await do(database, confirm, one.id, person="east")
    assert confirmed.state is SettlementState.CONFIRMED
    for _ in range(2):
        paid = await do(database, pay, one.id, payment="bank-1", person="op")
    assert (paid.state, paid.payment) == (SettlementState.PAID, "bank-1")
    assert (await balance(database, payable(EAST)), await balance(database, PAID_OUT)) == (0, 30_864)
    with pytest.raises(Conflict):
        await do(database, pay, one.id, payment="bank-2", person="op")
    await sound(database)


async def test_a_disputed_line_is_answered_and_adjusts_the_statement(database, opened):
    (one,) = await stated(database)
    async with database.begin() as session:
        first, second, _ = await lines_of(session, EAST, JUNE, day=None, after=None)
    both = [
        await do(database, dispute_line, one.id, of.usage, reason="节点时间有误", person="east")
        for of in (first, second)
    ]
    with pytest.raises(Conflict, match="disputed already"):
        await do(database, dispute_line, one.id, first.usage, reason="again", person="east")
    with pytest.raises(Conflict, match="waits for its answer"):
        await do(database, confirm, one.id, person="east")
    found = await do(database, answer_dispute, both[0].id, text="是", adjustment=Money(500), person="op")
    assert found.state is SettlementState.DISPUTED
    found = await do(database, answer_dispute, both[1].id, text="no", adjustment=Money(0), person="op")
    assert (found.state, found.adjusted, found.total) == (SettlementState.STATED, 500, 31_364)
    with pytest.raises(Conflict, match="answered before"):
        await do(database, answer_dispute, both[1].id, text="no", adjustment=Money(0), person="op")
    await do(database, confirm, one.id, person="east")
    with pytest.raises(Conflict, match="confirmed"):
        await do(database, dispute_line, one.id, first.usage, reason="late", person="east")
    await do(database, pay, one.id, payment="bank-1", person="op")
    assert (await balance(database, payable(EAST)), await balance(database, PAID_OUT)) == (0, 31_364)
    async with database.begin() as session:
        _, disputes = await settlement_of(session, EAST, JUNE)
    assert [(one.adjusted, one.answer) for one in disputes] == [(500, "是"), (0, "no")]
    await sound(database)


async def test_what_cannot_be_disputed_or_answered_is_refused(database, opened):
    (one,) = await stated(database)
    (usage,) = {usage.usage for usage in [(await _lines(database))[0]]}
    with pytest.raises(Invalid):
        await do(database, dispute_line, one.id, usage, reason=" ", person="east")
    with pytest.raises(NotFound):
        await do(database, dispute_line, one.id, UsageId(new_uuid()), reason="x", person="east")
    with pytest.raises(NotFound):
        await do(database, answer_dispute, DisputeId(new_uuid()), text="x", adjustment=Money(0), person="op")
    made = await do(database, dispute_line, one.id, usage, reason="x", person="east")
    with pytest.raises(Invalid):
        await do(database, answer_dispute, made.id, text="x", adjustment=Money(1, "USD"), person="op")
    with pytest.raises(Invalid):
        await do(database, answer_dispute, made.id, text="", adjustment=Money(1), person="op")


async def _lines(database):
    async with database.begin() as session:
        return await lines_of(session, EAST, JUNE, day=JUNE, after=None)


async def test_a_centre_sees_its_days_and_lines_and_no_customer(database, opened):
    await stated(database)
    async with database.begin() as session:
        (day,) = await days_of(session, EAST, JUNE)
        assert await days_of(session, CentreName("west"), JUNE) == []
        assert await lines_of(session, EAST, JUNE, day=date(2026, 6, 2), after=None) == []
    assert (day.day, day.queue, day.count, day.core_seconds, day.share) == (JUNE, "cpu", 3, 1200, 30_864)
    lines = await _lines(database)
    assert sum(one.share for one in lines) == 30_864
    assert not {"project", "user", "amount", "price"} & set(lines[0].__dataclass_fields__)


async def test_a_reversal_after_the_closing_is_on_the_next_months_statement(database, opened):
    await stated(database)
    async with database.begin() as session:
        entry = (await session.scalars(text("SELECT entry_id FROM charges LIMIT 1"))).one()
        await reverse(session, EntryId(entry), reason="goodwill", person="op", now=JULY)
        await close_period(session, date(2026, 7, 1), person="op", now=JULY + timedelta(days=40))
        (one,) = await state_settlements(session, date(2026, 7, 1), person="op", now=JULY + timedelta(days=40))
    assert (one.charges, one.share) == (1, -10_288)
    await do(database, confirm, one.id, person="east")
    with pytest.raises(Conflict, match="owes"):
        await do(database, pay, one.id, payment="bank-9", person="op")


@pytest.mark.parametrize(
    "forgery",
    ["UPDATE settlements SET share_micro = 0", "DELETE FROM settlements", "UPDATE settlements SET centre = 'x'"],
)
async def test_the_database_keeps_what_was_stated(database, owned, opened, forgery):
    await stated(database)
    for of in (database, owned):
        with pytest.raises(DBAPIError, match=r"permission denied|what was stated"):
            async with of.begin() as session:
                await session.execute(text(forgery))
