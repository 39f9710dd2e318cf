"""What a centre sees of its month: days, lines and what they come to, and no customer."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, World, charged, metered, record, sound, world
from tests.paracloud.settlement.months import JULY, JUNE, START, TIERS, balance, do, lines_in, neighbour, stated

from paracloud.billing.close_period import close_period
from paracloud.billing.contract import Lent, Month, add_contract
from paracloud.billing.entry import PAID_OUT, payable
from paracloud.billing.reverse import reverse
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import (
    CentreName,
    EntryId,
)
from paracloud.settlement.answer_settlement import confirm, pay
from paracloud.settlement.people import contracts_in, days_of, lines_of
from paracloud.settlement.settled import Charged, SettlementState
from paracloud.settlement.state_settlements import state_settlements
from paracloud.settlement.store_lines import FIRST


async def test_a_centre_sees_its_days_and_lines_and_no_customer(database, opened):
    await stated(database)
    async with database.begin() as session:
        (day,) = await days_of(session, EAST, JUNE)
        assert await days_of(session, CentreName("west"), JUNE) == []
        assert await lines_of(session, EAST, JUNE, day=date(2026, 6, 2)) == []
    assert (day.day, day.queue, day.count, day.core_seconds, day.share) == (JUNE, "cpu", 3, 1200, 30_864)
    lines = await lines_in(database)
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
    whole = await lines_in(database)
    assert len(whole) == 6
    for size in (1, 2, 4, 6, 7):
        monkeypatch.setattr("paracloud.settlement.people.PAGE", size)
        found, after = [], FIRST
        while page := await lines_in(database, after=after):
            found, after = [*found, *page], page[-1].key
        assert found == whole


async def test_corrected_and_reversed_jobs_count_for_their_net_hours(database, opened):
    await changed_month(database, opened)
    await stated(database)
    lines = await lines_in(database)
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
    lines = await lines_in(database)
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
