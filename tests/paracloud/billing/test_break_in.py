"""Whoever can run SQL of his own as the application breaks none of the ledger's promises: each try is refused with its
reason, and nothing is changed after it."""

# ruff: noqa: S608  # forged SQL is the point

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from tests.paracloud.billing.builders import NOW, World, charged, metered, record, sold, sound, world
from tests.paracloud.billing.forgeries import (
    ENTRY,
    FIGURES,
    ID,
    MONTHS,
    NOWHERE,
    OTHER,
    SETTLED,
    TWICE,
    UNBALANCED,
    both,
)
from tests.paracloud.billing.trespasses import GUARDS, RIGHTS
from tests.paracloud.contents import contents

from paracloud.billing.close_period import close_period
from paracloud.billing.decide_usage import decide_usage
from paracloud.billing.end_package import end_package
from paracloud.billing.hold import hold, release
from paracloud.kit.database import Database
from paracloud.kit.money import Money
from paracloud.settlement.answer_settlement import answer_dispute, confirm, open_dispute, pay
from paracloud.settlement.state_settlements import state_settlements

JUNE = date(2026, 6, 1)
JULY = datetime(2026, 7, 1, 1, tzinfo=UTC)


async def treasury(database: Database) -> World:
    """Charges paid by a package and by the wallet, an open hold and a released one, usage without a price and usage
    that was waived, a month that is closed and paid to its centre, and one that is not."""
    opened = await world(database)
    await sold(database, opened, hours=1)
    ended = await sold(database, opened, hours=1)
    async with database.begin() as session:
        for job in ("job-1", "job-2"):
            await hold(session, opened.project, job, Money.parse("1"), now=NOW)
    july = {"submitted_at": NOW, "ended_at": JULY}
    runs = await metered(database, opened, record("1"), record("2", elapsed_seconds=7200), job="job-1")
    await charged(database, [*runs, *await metered(database, opened, record("3", **july))], {"job-1": opened.price.id})
    await charged(database, await metered(database, opened, record("4", queue="unknown", **july)))
    (waived,) = await metered(database, opened, record("5", queue="unknown", **july))
    await charged(database, [waived])
    async with database.begin() as session:
        await end_package(session, ended.id, reason="test", person="op", now=NOW)
        await decide_usage(session, waived.id, None, reason="test", person="op", now=NOW)
    async with database.begin() as session:
        await release(session, ["job-1"], now=NOW)
        assert await close_period(session, JUNE, person="op", now=JULY + timedelta(days=1))
        (stated,) = await state_settlements(session, JUNE, person="op", now=JULY)
        dispute = await open_dispute(session, stated.id, None, reason="test", person="east", now=JULY)
        await answer_dispute(session, dispute.id, text="test", adjustment=Money(5), person="op", now=JULY)
        await confirm(session, stated.id, person="east", now=JULY)
        await pay(session, stated.id, payment="T-1", person="op", now=JULY)
    await sound(database)
    return opened


@pytest.mark.parametrize(
    "tries",
    [UNBALANCED, TWICE, NOWHERE, MONTHS, FIGURES, SETTLED],
    ids=["unbalanced", "twice", "nowhere", "months", "figures", "settled"],
)
async def test_no_word_of_the_application_makes_the_books_wrong(
    database: Database, tries: dict[str, tuple[list[str], str]]
) -> None:
    await treasury(database)
    before = await contents(database)
    for what, (statements, why) in tries.items():
        with pytest.raises(DBAPIError, match=why):  # noqa: PT012  # which of them fails is the database's affair
            async with database.begin() as session:
                for statement in statements:
                    await session.execute(text(statement.replace(":", r"\:")))
            pytest.fail(f"{what} was not refused")
        assert await contents(database) == before, what
    await sound(database)


async def test_no_word_of_the_application_goes_beyond_its_grants(database: Database) -> None:
    await treasury(database)
    before = await contents(database)
    for what, ((statement,), why) in RIGHTS.items():
        with pytest.raises(DBAPIError, match=why):  # noqa: PT012
            async with database.begin() as session:
                await session.execute(text(statement))
            pytest.fail(f"{what} was not refused")
    assert await contents(database) == before


async def test_no_word_of_the_application_lifts_a_guard(database: Database) -> None:
    await treasury(database)
    before = await contents(database)
    for statement, why in GUARDS.items():
        with pytest.raises(DBAPIError, match=why):  # noqa: PT012
            async with database.begin() as session:
                await session.execute(text(statement))
            pytest.fail(f"{statement} was not refused")
        assert await contents(database) == before, statement


async def test_not_even_the_owner_takes_from_postings_and_charges_what_they_refer_to(
    database: Database, owned: Database
) -> None:
    await treasury(database)
    before = await contents(database)
    referred = ("ledger_entries", "ledger_accounts", "usage", "price_versions", "contracts", "projects")
    for table in referred:
        for tried in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(DBAPIError, match=r"append-only|keeps what was agreed"):
                async with owned.begin() as session:
                    await session.execute(text(tried))
    for table in referred:
        tried = f"UPDATE {table} SET id = {'DEFAULT' if table == 'ledger_accounts' else ID}"
        with pytest.raises(
            DBAPIError, match=r"append-only|a balance is the sum|only the figures|keeps what was agreed|two versions"
        ):
            async with owned.begin() as session:
                await session.execute(text(tried))
    assert await contents(database) == before


async def test_of_two_who_post_one_key_at_the_same_moment_the_second_waits_and_is_refused(
    database: Database, owned: Database
) -> None:
    await treasury(database)
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")

    async def second() -> None:
        async with database.begin() as session:
            await session.execute(text(ENTRY.replace(ID, OTHER)))

    async with database.begin() as first:
        await first.execute(text(ENTRY))
        await first.execute(text(both("5").replace(":", r"\:")))
        trying = asyncio.create_task(second())
        async with asyncio.timeout(30):
            async with owned.engine.connect() as watching:
                while not (await watching.execute(waiting)).scalar_one():
                    assert not trying.done()
                    await watching.rollback()
    with pytest.raises(IntegrityError, match="uq_ledger_entries_key"):
        await trying
    async with database.begin() as session:
        assert (await session.scalars(text("SELECT sum(micro) FROM ledger_postings"))).one() == 0
