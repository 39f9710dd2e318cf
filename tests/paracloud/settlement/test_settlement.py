"""A closed month is stated to its centres, confirmed or disputed line by line, and paid once."""

import asyncio
import json
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
from paracloud.billing.tiers import Tier, Tiers, write_tiers
from paracloud.identity.create_project import create_project
from paracloud.kit.errors import Conflict, Invalid, NotFound
from paracloud.kit.identifiers import (
    CentreName,
    ContractId,
    DisputeId,
    EntryId,
    OrganisationId,
    ProjectId,
    UsageId,
    new_uuid,
)
from paracloud.kit.money import Money
from paracloud.settlement.answer_settlement import answer_dispute, confirm, open_dispute, pay
from paracloud.settlement.people import contracts_in, days_of, lines_of, settlement_of
from paracloud.settlement.settled import Charged, Settlement, SettlementState, sums, sums_of
from paracloud.settlement.state_settlements import state_settlements
from paracloud.settlement.store_lines import FIRST, Key, Line

JUNE = date(2026, 6, 1)
JULY = datetime(2026, 7, 2, tzinfo=UTC)
START = datetime(2026, 6, 1, tzinfo=UTC)
TIERS = Tiers((Tier(Decimal(0), Decimal("0.75")), Tier(Decimal("0.02"), Decimal("0.9"))))

FORGED_CONTRACT = text("""
    INSERT INTO contracts (id, centre, queue, share_basis_points, owner_project_id, owner_basis_points, valid_from,
                           share_tiers)
    VALUES (gen_random_uuid(), 'east', 'big', 5000, :lender, 3000, now(), CAST(:tiers AS jsonb))
""")


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


async def neighbour(database, opened: World) -> ProjectId:
    """A project that lends its nodes."""
    async with database.begin() as session:
        query = text("SELECT organisation_id FROM projects WHERE id = :project")
        organisation = (await session.execute(query, {"project": opened.project})).scalar_one()
        return await create_project(session, OrganisationId(organisation), "邻组", now=NOW)


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


@pytest.mark.parametrize(
    "wrong",
    [Month(minimum_micro=-1), Month(fixed_micro=-1), Month(Tiers((Tier(Decimal(0), Decimal("1.01")),)))],
)
async def test_terms_that_cannot_be_meant_are_refused(database, wrong):
    await world(database)
    with pytest.raises(Invalid):
        async with database.begin() as session:
            await add_contract(session, EAST, 7500, person="op", now=START, valid_from=START, queue="gpu", month=wrong)


async def test_a_tier_and_the_lenders_part_come_to_100_percent_at_most(database):
    lender = await neighbour(database, await world(database))
    for rate, queue, is_well in (("0.7", "gpu", True), ("0.700000001", "big", False), ("0.9", "big", False)):
        month = Month(Tiers((Tier(Decimal(0), Decimal("0.5")), Tier(Decimal(10), Decimal(rate)))))
        more = {"valid_from": START, "queue": queue, "lent": Lent(lender, 3000), "month": month}
        if is_well:
            async with database.begin() as session:
                await add_contract(session, EAST, 5000, person="op", now=START, **more)
            continue
        with pytest.raises(Invalid, match="share_tiers"):
            async with database.begin() as session:
                await add_contract(session, EAST, 5000, person="op", now=START, **more)
        tiers = json.dumps(write_tiers(month.share_tiers))
        with pytest.raises(DBAPIError, match="more than 100 %"):
            async with database.begin() as session:
                await session.execute(FORGED_CONTRACT, {"lender": lender, "tiers": tiers})


@pytest.mark.parametrize("end", [START, START - timedelta(days=1)])
async def test_a_contract_that_ends_before_it_begins_is_refused(database, end):
    await world(database)
    with pytest.raises(Invalid, match="valid_to: it must be later"):
        async with database.begin() as session:
            await add_contract(session, EAST, 7500, person="op", now=START, valid_from=START, valid_to=end, queue="gpu")


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


async def test_a_transfer_pays_one_statement(database, opened):
    (june,) = await stated(database)
    july, august = date(2026, 7, 1), JULY + timedelta(days=40)
    fresh = record("9", ended_at=JULY, started_at=JULY, submitted_at=JULY)
    await charged(database, await metered(database, opened, fresh))
    async with database.begin() as session:
        await close_period(session, july, person="op", now=august)
        (other,) = await state_settlements(session, july, person="op", now=august)
    for one in (june, other):
        await do(database, confirm, one.id, person="east")
    await do(database, pay, june.id, payment="bank-1", person="op")
    with pytest.raises(Conflict, match="bank-1 paid another statement"):
        await do(database, pay, other.id, payment=" bank-1", person="op")
    assert await balance(database, payable(EAST)) == other.total
    await do(database, pay, other.id, payment="bank-2", person="op")
    await sound(database)


async def test_a_disputed_line_is_answered_and_adjusts_the_statement(database, opened):
    (one,) = await stated(database)
    async with database.begin() as session:
        first, second, _ = await lines_of(session, EAST, JUNE, day=None)
    both = [
        await do(database, open_dispute, one.id, of.usage, reason="节点时间有误", person="east")
        for of in (first, second)
    ]
    with pytest.raises(Conflict, match="disputed already"):
        await do(database, open_dispute, one.id, first.usage, reason="again", person="east")
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
        await do(database, open_dispute, one.id, first.usage, reason="late", person="east")
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
        await do(database, open_dispute, one.id, usage, reason=" ", person="east")
    with pytest.raises(NotFound):
        await do(database, open_dispute, one.id, UsageId(new_uuid()), reason="x", person="east")
    with pytest.raises(NotFound):
        await do(database, answer_dispute, DisputeId(new_uuid()), text="x", adjustment=Money(0), person="op")
    made = await do(database, open_dispute, one.id, usage, reason="x", person="east")
    with pytest.raises(Invalid):
        await do(database, answer_dispute, made.id, text="x", adjustment=Money(1, "USD"), person="op")
    with pytest.raises(Invalid):
        await do(database, answer_dispute, made.id, text="", adjustment=Money(1), person="op")


async def _lines(database, *, after: Key = FIRST) -> list[Line]:
    async with database.begin() as session:
        return await lines_of(session, EAST, JUNE, day=JUNE, after=after)


async def test_a_centre_sees_its_days_and_lines_and_no_customer(database, opened):
    await stated(database)
    async with database.begin() as session:
        (day,) = await days_of(session, EAST, JUNE)
        assert await days_of(session, CentreName("west"), JUNE) == []
        assert await lines_of(session, EAST, JUNE, day=date(2026, 6, 2)) == []
    assert (day.day, day.queue, day.count, day.core_seconds, day.share) == (JUNE, "cpu", 3, 1200, 30_864)
    lines = await _lines(database)
    assert sum(one.share for one in lines) == 30_864
    assert not {"project", "user", "price"} & set(lines[0].__dataclass_fields__)


async def test_a_reversal_after_the_closing_is_on_the_next_months_statement(database, opened):
    await stated(database)
    async with database.begin() as session:
        entry = (await session.scalars(text("SELECT entry_id FROM charges LIMIT 1"))).one()
        await reverse(session, EntryId(entry), reason="goodwill", person="op", now=JULY)
        await close_period(session, date(2026, 7, 1), person="op", now=JULY + timedelta(days=40))
        (one,) = await state_settlements(session, date(2026, 7, 1), person="op", now=JULY + timedelta(days=40))
    assert (one.charges, one.share) == (1, -10_288)
    await do(database, confirm, one.id, person="east")
    with pytest.raises(Conflict, match=r"owes 0.010288 CNY.*--from-centre"):
        await do(database, pay, one.id, payment="bank-9", person="op")
    before = await balance(database, payable(EAST))
    for _ in range(2):
        paid = await do(database, pay, one.id, payment="theirs-1", person="op", from_centre=True)
    assert (paid.state, paid.payment) == (SettlementState.PAID, "theirs-1")
    assert (await balance(database, payable(EAST)), await balance(database, PAID_OUT)) == (before + 10_288, -10_288)
    await sound(database)


async def test_what_the_centre_gets_is_not_booked_as_paid_by_it(database, opened):
    (one,) = await stated(database)
    await do(database, confirm, one.id, person="east")
    with pytest.raises(Conflict, match="owes nothing"):
        await do(database, pay, one.id, payment="bank-1", person="op", from_centre=True)


@pytest.mark.parametrize("micro", [13_718, -13_718, -9_999_999_000_000])
async def test_an_adjustment_of_more_than_the_charge_is_knowingly_made(database, opened, micro):
    (one,) = await stated(database)
    line = (await _lines(database))[0]
    made = await do(database, open_dispute, one.id, line.usage, reason="x", person="east")
    more = {"text": "是", "adjustment": Money(micro), "person": "op"}
    with pytest.raises(Invalid, match=r"it is about, 0.013717; .*--beyond-charge"):
        await do(database, answer_dispute, made.id, **more)
    found = await do(database, answer_dispute, made.id, **more, beyond_charge=True)
    assert found.adjusted == micro
    with pytest.raises(Conflict, match="answered on 2026-07-02"):
        await do(database, open_dispute, one.id, line.usage, reason="again", person="east")
    await sound(database)


async def changed_month(database, opened: World) -> None:
    """Of three runs of 400 core-seconds one was corrected to half of it, and one corrected and then taken back."""
    half = {"elapsed_seconds": 50, "ended_at": NOW + timedelta(seconds=50)}
    corrected = await metered(database, opened, record("0", **half), record("1", **half))
    await charged(database, corrected)
    (usage,) = (one.id for one in corrected if one.key.record_id == "1")
    query = text("SELECT entry_id FROM charges WHERE usage_id = :usage AND revision = 1")
    async with database.begin() as session:
        entry = (await session.execute(query, {"usage": usage})).scalar_one()
        await reverse(session, EntryId(entry), reason="goodwill", person="op", now=NOW)


async def test_pages_of_lines_leave_none_out(database, opened, monkeypatch):
    await changed_month(database, opened)
    await stated(database)
    whole = await _lines(database)
    assert len(whole) == 6
    for size in (1, 2, 4, 6, 7):
        monkeypatch.setattr("paracloud.settlement.people.PAGE", size)
        found, after = [], FIRST
        while page := await _lines(database, after=after):
            found, after = [*found, *page], page[-1].key
        assert found == whole


async def test_corrected_and_reversed_jobs_count_for_their_net_hours(database, opened):
    await changed_month(database, opened)
    await stated(database)
    lines = await _lines(database)
    told = [(one.record_id, one.revision, one.is_reversal, one.elapsed_seconds, one.core_seconds) for one in lines]
    assert sorted(told) == [
        ("0", 1, False, 100, 400),
        ("0", 2, False, 50, -200),
        ("1", 1, False, 100, 400),
        ("1", 2, False, 50, -200),
        ("1", 2, True, 50, -200),
        ("2", 1, False, 100, 400),
    ]
    async with database.begin() as session:
        (day,) = await days_of(session, EAST, JUNE)
    assert (day.count, day.core_seconds, day.card_seconds) == (6, 600, 0)
    assert day.share == sum(one.share for one in lines) == 5_144 + 10_288


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


async def test_what_is_on_no_line_is_disputed_and_answered_like_a_line(database, opened):
    (one,) = await stated(database)
    made = await do(database, open_dispute, one.id, None, reason="缺少作业 4711", person="east")
    await do(database, open_dispute, one.id, None, reason="the fee is wrong", person="east")
    with pytest.raises(Conflict, match="wait for its answer"):
        await do(database, open_dispute, one.id, None, reason="缺少作业 4711", person="east")
    with pytest.raises(Conflict, match="waits for its answer"):
        await do(database, confirm, one.id, person="east")
    more = {"text": "是", "person": "op"}
    with pytest.raises(Invalid, match=r"it is about, 0\.041151"):
        await do(database, answer_dispute, made.id, adjustment=Money(41_152), **more)
    found = await do(database, answer_dispute, made.id, adjustment=Money(41_151), **more)
    assert (found.state, found.adjusted) == (SettlementState.DISPUTED, 41_151)
    with pytest.raises(Conflict, match="answered on 2026-07-02"):
        await do(database, open_dispute, one.id, None, reason="缺少作业 4711", person="east")
    await sound(database)


async def test_a_centre_can_reckon_its_statement_again(database):
    opened, agreed = await world(database), Month(TIERS, minimum_micro=100_000, fixed_micro=5_000)
    lender = await neighbour(database, opened)
    async with database.begin() as session:
        lent = Lent(lender, 1000)
        await add_contract(
            session, EAST, 7500, person="op", now=START, valid_from=START, queue="cpu", month=agreed, lent=lent
        )
    await charged(database, await metered(database, opened, *(record(str(number)) for number in range(3))))
    await changed_month(database, opened)
    (one,) = await stated(database)
    lines = await _lines(database)
    async with database.begin() as session:
        of_all, of_queue = await contracts_in(session, one)
    assert (of_all[0].queue, of_all[1].charged, of_all[1].minimum) == (None, Charged(0, 0, 0), 0)
    contract, of = of_queue
    assert (contract.queue, contract.month, contract.owner_basis_points) == ("cpu", agreed, 1000)
    gross = sum(line.gross for line in lines)
    assert (of.charged.count, of.charged.gross, of.charged.share) == (6, gross, sum(line.share for line in lines))
    assert (one.gross, gross) == (gross, 13_717 + 6_859)
    by_tiers = round(Fraction(20_000) * Fraction(3, 4) + (gross - 20_000) * Fraction(9, 10))
    assert (of.tiers, of.minimum, of.fixed) == (by_tiers - of.charged.share, 100_000 - by_tiers, 5_000)
    assert one.total == of.charged.share + of.tiers + of.minimum + of.fixed
    assert of.charged.owner == 1372 + 686


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
