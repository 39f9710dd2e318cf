"""Goodwill and what is owed besides; packages, credits and fees that are taken back: each to the micro-unit, once."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import EAST, NOW, charged, left, metered, package_now, record, sold, sound, world

from paracloud.billing import store
from paracloud.billing.adjust import adjust
from paracloud.billing.close_period import close_period
from paracloud.billing.cover import Place, Unit
from paracloud.billing.dedication import Dedication, dedicate, dedications_of, end_dedication, new_dedication_id
from paracloud.billing.end_package import end_package
from paracloud.billing.entry import ADJUSTMENTS, DEDICATED, EXPIRED, package, payable
from paracloud.billing.funding import Funding, set_funding
from paracloud.billing.hold import hold, release
from paracloud.billing.post_fees import post_fees
from paracloud.billing.rate import most
from paracloud.billing.reverse import reverse
from paracloud.kit.errors import Conflict, Invalid, NotEnoughFunds, NotFound
from paracloud.kit.identifiers import EntryId, PackageId, new_uuid
from paracloud.kit.money import Money
from paracloud.settlement.state_settlements import state_settlements

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
IN_JULY, IN_AUGUST = datetime(2026, 7, 2, tzinfo=UTC), datetime(2026, 8, 2, tzinfo=UTC)


async def adjusted(database, opened, amount: str, *, key: str = "A-1", reason: str = "node failures in May") -> bool:
    async with database.begin() as session:
        return await adjust(session, opened.project, Money.parse(amount), key=key, reason=reason, person="op", now=NOW)


async def ended(database, which: PackageId, now: datetime = NOW) -> int:
    async with database.begin() as session:
        return (await end_package(session, which, reason="contract ended", person="op", now=now)).micro


async def balance(database, code: str) -> int:
    async with database.begin() as session:
        return await store.balance(session, code)


async def test_goodwill_comes_to_the_wallet_once_however_often_it_is_said(database):
    opened = await world(database)
    made = await asyncio.gather(*(adjusted(database, opened, "2.5") for _ in range(3)))
    assert sorted(made) == [False, False, True]
    assert await left(database, opened) == 102_500_000
    assert await adjusted(database, opened, "2.5") is False
    with pytest.raises(Conflict, match="counted before"):
        await adjusted(database, opened, "2.6")
    assert await balance(database, ADJUSTMENTS) == -2_500_000
    async with database.begin() as session:
        entry = (
            await session.execute(text("SELECT reason, person FROM ledger_entries WHERE kind = 'adjustment'"))
        ).one()
    assert tuple(entry) == ("node failures in May", "op")
    await sound(database)


async def test_what_is_taken_never_goes_below_the_credit_line(database):
    opened = await world(database)
    with pytest.raises(NotEnoughFunds, match="top up or raise"):
        await adjusted(database, opened, "-100.000001")
    async with database.begin() as session:
        await set_funding(session, opened.project, Funding(Money.parse("5")))
    assert await adjusted(database, opened, "-105")
    assert await left(database, opened) == -5_000_000
    with pytest.raises(NotEnoughFunds):
        await adjusted(database, opened, "-0.000001", key="A-2")
    async with database.begin() as session:
        await set_funding(session, opened.project, Funding())
    assert await adjusted(database, opened, "1", key="A-3")
    assert await left(database, opened) == -4_000_000
    await sound(database)


@pytest.mark.parametrize(("amount", "reason"), [("0", "why"), ("1000000001", "why"), ("1", "  ")])
async def test_nothing_too_much_and_no_reason_are_refused(database, amount, reason):
    opened = await world(database)
    with pytest.raises(Invalid):
        await adjusted(database, opened, amount, reason=reason)


async def test_what_a_package_has_left_goes_back_to_the_wallet(database):
    opened = await world(database)
    paid = await sold(database, opened, hours=7, price="1")
    (usage,) = await metered(database, opened, record(elapsed_seconds=3600))
    await charged(database, [usage])
    assert (await package_now(database, paid)).used == 4 * 3600
    before = await left(database, opened)
    assert await ended(database, paid.id) == 428_571
    assert await left(database, opened) == before + 428_571
    assert (await balance(database, package(paid.id)), await balance(database, EXPIRED)) == (0, 0)
    assert (await package_now(database, paid)).closed_at == NOW
    await sound(database)
    with pytest.raises(Conflict, match="ended before"):
        await ended(database, paid.id)
    async with database.begin() as session:
        entry = (await session.scalars(text("SELECT entry_id FROM charges"))).one()
        await reverse(session, EntryId(entry), reason="x", person="op", now=NOW)
    assert await left(database, opened) == 100_000_000
    await sound(database)
    assert await charged(database, await metered(database, opened, record("8"))) == [13_717]


async def test_a_credit_is_withdrawn_and_its_end_kept_with_the_reason(database, owned):
    opened = await world(database)
    credit = await sold(database, opened, price="0", unit=Unit.MICRO, total=10_000)
    before = await left(database, opened)
    assert await ended(database, credit.id) == 0
    assert await left(database, opened) == before
    assert await charged(database, await metered(database, opened, record())) == [13_717]
    assert await left(database, opened) == before - 13_717
    async with database.begin() as session:
        kept = (await session.execute(text("SELECT units, returned_micro, reason, person FROM package_ends"))).one()
    assert tuple(kept) == (10_000, 0, "contract ended", "op")
    await sound(database)
    with pytest.raises(DBAPIError, match="append-only"):
        async with owned.engine.begin() as connection:
            await connection.execute(text("DELETE FROM package_ends"))


async def test_a_package_that_jobs_wait_for_is_not_ended_before_they_are_over(database):
    opened = await world(database)
    paid = await sold(database, opened, hours=10)
    need = most({"cores": 1, "gpus": 0}, timedelta(hours=1), timedelta(0), opened.price)
    async with database.begin() as session:
        place = Place("general", EAST, "cpu")
        await hold(session, opened.project, "job-1", need.amount, now=NOW, most=need, place=place)
    with pytest.raises(Conflict, match=r"1 accepted jobs wait.*job-1"):
        await ended(database, paid.id)
    async with database.begin() as session:
        await release(session, ["job-1"], now=NOW)
    assert await ended(database, paid.id) == 10_000_000
    await sound(database)


async def test_of_two_who_end_a_package_at_once_one_does(database):
    opened = await world(database)
    paid = await sold(database, opened)
    made = await asyncio.gather(*(ended(database, paid.id) for _ in range(3)), return_exceptions=True)
    assert sorted(str(type(one)) for one in made) == sorted(map(str, (int, Conflict, Conflict)))
    assert await left(database, opened) == 100_000_000
    await sound(database)


async def test_what_is_no_package_and_what_has_no_reason_is_not_ended(database):
    opened = await world(database)
    paid = await sold(database, opened)
    with pytest.raises(NotFound):
        await ended(database, PackageId(new_uuid()))
    with pytest.raises(Invalid):
        async with database.begin() as session:
            await end_package(session, paid.id, reason=" ", person="op", now=NOW)


async def fee_of(database, opened) -> EntryId:
    nodes = Dedication(
        new_dedication_id(), opened.project, EAST, "own", 1, Money.parse("30"), 6000, NOW.replace(hour=0), None
    )
    async with database.begin() as session:
        await dedicate(session, nodes, person="op", now=NOW, is_unseen=True)
        assert await post_fees(session, JUNE, now=NOW) == []
        return EntryId((await session.scalars(text("SELECT id FROM ledger_entries WHERE kind = 'dedicated'"))).one())


async def taken_back(database, entry: EntryId, now: datetime = NOW) -> None:
    async with database.begin() as session:
        await reverse(session, entry, reason="the nodes were down", person="op", now=now)


async def given_up(database) -> None:
    async with database.begin() as session:
        (own,) = await dedications_of(session, None)
        await end_dedication(session, own.id, NOW, person="op", now=NOW)


async def test_a_fee_of_nodes_that_stay_dedicated_is_taken_back_anyway_where_a_person_says_so(database):
    opened = await world(database)
    entry = await fee_of(database, opened)
    async with database.begin() as session:
        await reverse(session, entry, reason="the nodes were down", person="op", now=NOW, anyway=True)
    assert await left(database, opened) == 100_000_000
    await sound(database)


async def settled(database, month: date, now: datetime) -> list[int]:
    async with database.begin() as session:
        await close_period(session, month, person="op", now=now)
        return [one.fees for one in await state_settlements(session, month, person="op", now=now)]


async def test_a_fee_is_taken_back_with_the_centres_share_and_not_due_again(database):
    opened = await world(database)
    entry = await fee_of(database, opened)
    assert await left(database, opened) == 70_000_000
    with pytest.raises(Conflict, match="stay the customer's for nothing: end that first"):
        await taken_back(database, entry)
    await given_up(database)
    await taken_back(database, entry)
    assert [await balance(database, code) for code in (payable(EAST), DEDICATED)] == [0, 0]
    assert await left(database, opened) == 100_000_000
    async with database.begin() as session:
        assert await post_fees(session, JUNE, now=NOW) == []
    assert await left(database, opened) == 100_000_000
    with pytest.raises(Conflict, match="reversed before"):
        await taken_back(database, entry)
    assert await settled(database, JUNE, IN_JULY) == []
    await sound(database)


async def test_a_fee_of_a_month_that_was_settled_comes_off_the_next_one(database):
    opened = await world(database, "100")
    entry = await fee_of(database, opened)
    assert await settled(database, JUNE, IN_JULY) == [18_000_000]
    await taken_back(database, entry, IN_JULY)
    async with database.begin() as session:
        await set_funding(session, opened.project, Funding(Money.parse("1000")))
        more = Dedication(
            new_dedication_id(), opened.project, EAST, "more", 1, Money.parse("40"), 5000, IN_JULY.replace(day=1), None
        )
        await dedicate(session, more, person="op", now=NOW, is_unseen=True)
    assert await settled(database, JULY, IN_AUGUST) == [18_000_000 + 20_000_000 - 18_000_000]
    assert await balance(database, payable(EAST)) == 18_000_000 + 20_000_000
    await sound(database)
