"""What is taken back is taken back whole, and once; what waits goes on waiting."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import (
    NOW,
    World,
    charged,
    left,
    metered,
    package_now,
    record,
    sold,
    sound,
    world,
)

from paracloud.billing import store_unrated
from paracloud.billing.adjust import adjust
from paracloud.billing.cover import Unit
from paracloud.billing.entry import payable, wallet
from paracloud.billing.funding import Funding, set_funding
from paracloud.billing.hold import hold, release
from paracloud.billing.reverse import reverse
from paracloud.billing.store import balance, lock_accounts
from paracloud.billing.top_up import top_up
from paracloud.identity.create_project import create_project
from paracloud.kit.database import Database
from paracloud.kit.errors import Conflict, NotEnoughFunds
from paracloud.kit.identifiers import CentreName, EntryId
from paracloud.kit.money import Money


async def entries(database: Database) -> list[EntryId]:
    """Of charges, oldest revision first."""
    async with database.begin() as session:
        found = await session.scalars(text("SELECT entry_id FROM charges WHERE NOT is_reversal ORDER BY revision"))
        return [EntryId(entry) for entry in found.all() if isinstance(entry, UUID)]


async def reversed_(database: Database, entry: EntryId, *, anyway: bool = False) -> None:
    async with database.begin() as session:
        await reverse(session, entry, reason="wrong node", person="op", now=NOW, anyway=anyway)


async def top_up_of(database: Database) -> EntryId:
    async with database.begin() as session:
        return EntryId((await session.scalars(text("SELECT id FROM ledger_entries WHERE kind = 'top-up'"))).one())


async def test_a_top_up_that_is_held_or_spent_is_not_taken_back_unless_that_is_meant(database):
    opened = await world(database)
    entry = await top_up_of(database)
    async with database.begin() as session:
        await hold(session, opened.project, "job-1", Money.parse("90"), now=NOW)
        await set_funding(session, opened.project, Funding(line=Money.parse("5")))
    with pytest.raises(
        NotEnoughFunds, match=r"100\.000000 CNY is to be taken, 15\.000000 is available: .*--anyway"
    ) as no:
        await reversed_(database, entry)
    assert "拟扣除 100.000000 CNY，可用 15.000000" in no.value.zh
    assert "--anyway" in no.value.zh
    assert await left(database, opened) == 10_000_000
    await reversed_(database, entry, anyway=True)
    assert await left(database, opened) == -90_000_000
    with pytest.raises(Conflict, match="reversed before"):
        await reversed_(database, entry)
    await sound(database)


async def test_a_payment_that_was_taken_back_is_not_booked_again_under_its_number_without_a_word(database):
    opened = await world(database)
    async with database.begin() as session:
        await top_up(session, opened.project, Money.parse("7"), key="bank-1", person="op", now=NOW)
        found = await session.scalars(text("SELECT id FROM ledger_entries WHERE key = 'top-up:bank-1'"))
        entry = EntryId(found.one())
        assert not await top_up(session, opened.project, Money.parse("7"), key="bank-1", person="op", now=NOW)
    await reversed_(database, entry)
    with pytest.raises(Conflict, match="taken back"):
        async with database.begin() as session:
            await top_up(session, opened.project, Money.parse("7"), key="bank-1", person="op", now=NOW)
    await sound(database)


async def test_what_is_not_reversed_names_what_is_done_instead(database):
    opened = await world(database)
    await sold(database, opened)
    async with database.begin() as session:
        await adjust(session, opened.project, Money.parse("1"), key="1", reason="x", person="op", now=NOW)
    for kind, instead in (("package", "admin end-package"), ("adjustment", "opposite sign: `admin adjust`")):
        async with database.begin() as session:
            found = await session.scalars(text("SELECT id FROM ledger_entries WHERE kind = :kind"), {"kind": kind})
            with pytest.raises(Conflict, match=instead) as refused:
                await reverse(session, EntryId(found.one()), reason="x", person="op", now=NOW)
            assert "；请用 admin" in refused.value.zh


async def test_a_top_up_is_taken_back_down_to_the_credit_line(database):
    opened = await world(database)
    async with database.begin() as session:
        await hold(session, opened.project, "job-1", Money.parse("90"), now=NOW)
        await set_funding(session, opened.project, Funding(line=Money.parse("90")))
    await reversed_(database, await top_up_of(database))
    assert await left(database, opened) == -90_000_000
    await sound(database)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(("first", "then"), [(7200, 3600), (3600, 7200)])
@pytest.mark.parametrize("unit", [Unit.CORE_SECOND, Unit.MICRO, None])
async def test_of_a_corrected_usage_all_is_reversed_whichever_entry_is_named(
    database: Database, which: int, first: int, then: int, unit: Unit | None
) -> None:
    opened = await world(database)
    price = "0" if unit is Unit.MICRO else "10"
    paid = None if unit is None else await sold(database, opened, price=price, unit=unit)
    before = await left(database, opened)
    for seconds in (first, then):
        await charged(database, await metered(database, opened, record(elapsed_seconds=seconds)))
    named = await entries(database)
    await reversed_(database, named[-which])
    assert await left(database, opened) == before
    assert paid is None or (await package_now(database, paid)).used == 0
    async with database.begin() as session:
        assert await balance(session, payable(CentreName("east"))) == 0
    for entry in named:
        with pytest.raises(Conflict, match="reversed before"):
            await reversed_(database, entry)
    await sound(database)


async def test_a_record_that_waits_for_a_person_waits_on_when_what_was_charged_before_is_reversed(
    database: Database,
) -> None:
    opened = await world(database)
    await charged(database, await metered(database, opened, record()))
    absurd = await metered(database, opened, record(cores=10**8, elapsed_seconds=10**9))
    assert await charged(database, absurd) == [None]
    await reversed_(database, (await entries(database))[0])
    async with database.begin() as session:
        assert [row.revision for row in await store_unrated.unrated(session, after=None, limit=10)] == [2]
    await sound(database)


async def test_a_hold_that_comes_while_others_are_released_is_left_with_all_that_it_reserved(
    database: Database, owned: Database
) -> None:
    opened = await world(database)
    async with database.begin() as session:
        organisation = (await session.scalars(text("SELECT organisation_id FROM projects"))).one()
        other = World(await create_project(session, organisation, "邻组", now=NOW), opened.price)
        await hold(session, opened.project, "job-1", Money(5), now=NOW)

    async def releasing() -> None:
        async with database.begin() as session:
            await release(session, ["job-1", "job-2"], now=NOW)

    async with database.begin() as first:
        await lock_accounts(first, {}, also=[wallet(opened.project)])
        task = asyncio.create_task(releasing())
        await until_it_waits(owned)
        async with database.begin() as session:
            await hold(session, other.project, "job-2", Money(0), now=NOW)
    await task
    async with database.begin() as session:
        query = text("SELECT reference FROM holds WHERE released_at IS NULL")
        assert (await session.scalars(query)).all() == ["job-2"]
    await sound(database)


async def until_it_waits(owned: Database) -> None:
    """Until somebody in this database waits for a lock."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with asyncio.timeout(30):
        while True:
            async with owned.begin() as session:
                if (await session.scalars(query)).one():
                    return
