"""Usage is charged once, exactly, in one balanced entry; what changes later is charged by its difference."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import ACCOUNT, CORE_HOUR, EAST, NOW, World, record, world

from paracloud.billing import store, store_unrated
from paracloud.billing.charge import charge
from paracloud.billing.check import check, ledger_sum_micro
from paracloud.billing.entry import DUPLICATES, Entry, held, payable, revenue, wallet
from paracloud.billing.hold import hold, release
from paracloud.billing.post import post
from paracloud.billing.price import add_price
from paracloud.billing.reverse import reverse
from paracloud.billing.statement import balance, statement
from paracloud.billing.top_up import top_up
from paracloud.kit.database import Database
from paracloud.kit.errors import Conflict, NotEnoughFunds
from paracloud.kit.identifiers import PriceVersionId, new_uuid
from paracloud.kit.money import Money
from paracloud.metering.collect import collect
from paracloud.metering.usage import Claim, key_of

JOB = "job-1"


async def settle(database: Database, opened: World, *records, reference: str | None = JOB, duplicate: bool = False):
    """Meter and charge as the worker does, in one transaction."""
    claims = {key_of(EAST, r): Claim(None if duplicate else reference, duplicate) for r in records}
    pinned = {} if reference is None else {reference: opened.price.id}
    async with database.begin() as session:
        got = await collect(session, EAST, records, owners={ACCOUNT: opened.project}, claims=claims, now=NOW)
        return await charge(session, [*got.new, *got.corrected], pinned=pinned, now=NOW)


async def micro(database: Database, code: str) -> int:
    async with database.begin() as session:
        return await store.balance(session, code)


async def assert_sound(database: Database) -> None:
    async with database.begin() as session:
        assert await check(session) == []
        assert await ledger_sum_micro(session) == 0


def expected(core_seconds: int) -> int:
    return round(core_seconds * Fraction(CORE_HOUR) * 1_000_000 / 3600)


async def test_a_job_is_charged_from_its_hold_and_the_rest_goes_back(database: Database) -> None:
    opened = await world(database)
    async with database.begin() as session:
        await hold(session, opened.project, JOB, Money.parse("10"), now=NOW)
    assert await micro(database, wallet(opened.project)) == 90_000_000
    await settle(database, opened, record())
    async with database.begin() as session:
        await release(session, [JOB], now=NOW)
        await release(session, [JOB], now=NOW)
    amount = expected(400)
    assert await micro(database, wallet(opened.project)) == 100_000_000 - amount
    assert await micro(database, held(opened.project)) == 0
    assert await micro(database, payable(EAST)) == round(Fraction(amount) * 3 / 4)
    assert await micro(database, revenue("general")) == amount - round(Fraction(amount) * 3 / 4)
    await assert_sound(database)


async def test_a_record_that_is_read_twice_and_by_two_is_charged_once(database: Database) -> None:
    opened = await world(database)
    await settle(database, opened, record())
    await asyncio.gather(*(settle(database, opened, record(), record("8")) for _ in range(4)))
    await settle(database, opened, record(), record("8"))
    assert await micro(database, wallet(opened.project)) == 100_000_000 - 2 * expected(400)
    await assert_sound(database)


@pytest.mark.parametrize("later_seconds", [50, 130])
async def test_a_record_that_changes_later_is_corrected_by_the_difference(database, later_seconds: int) -> None:
    opened = await world(database)
    await settle(database, opened, record())
    later = record(elapsed_seconds=later_seconds, ended_at=NOW + timedelta(seconds=later_seconds))
    await settle(database, opened, later)
    await settle(database, opened, later)
    assert await micro(database, wallet(opened.project)) == 100_000_000 - expected(4 * later_seconds)
    await assert_sound(database)


async def test_a_requeued_execution_and_a_recycled_id_are_usages_of_their_own(database: Database) -> None:
    opened = await world(database)
    await settle(database, opened, record(), record(restart_count=1), record(submitted_at=NOW - timedelta(hours=1)))
    assert await micro(database, wallet(opened.project)) == 100_000_000 - 3 * expected(400)


async def test_a_job_that_never_ran_costs_nothing_and_is_charged_all_the_same(database: Database) -> None:
    opened = await world(database)
    done = await settle(database, opened, record(elapsed_seconds=0, cores=0, started_at=None))
    assert [c.amount_micro for c in done] == [0]
    await assert_sound(database)


async def test_a_duplicate_is_the_platforms_cost(database: Database) -> None:
    opened = await world(database)
    await settle(database, opened, record(), duplicate=True)
    share = round(Fraction(expected(400)) * 3 / 4)
    assert await micro(database, wallet(opened.project)) == 100_000_000
    assert (await micro(database, payable(EAST)), await micro(database, DUPLICATES)) == (share, -share)
    await assert_sound(database)


async def test_usage_of_an_account_that_is_nobodys_bills_nobody(database: Database) -> None:
    opened = await world(database)
    await settle(database, opened, record(account="mallory"), reference=None)
    assert await micro(database, wallet(opened.project)) == 100_000_000
    await assert_sound(database)


async def test_a_queue_without_a_price_is_never_free_but_listed(database: Database) -> None:
    opened = await world(database)
    assert [c.amount_micro for c in await settle(database, opened, record(queue="secret"), reference=None)] == [None]
    async with database.begin() as session:
        assert (await session.execute(text("SELECT count(*) FROM unrated_usage"))).scalar() == 1
    await assert_sound(database)


async def test_a_charge_above_its_hold_takes_the_rest_from_the_wallet(database: Database) -> None:
    opened = await world(database)
    async with database.begin() as session:
        await hold(session, opened.project, JOB, Money(1000), now=NOW)
    await settle(database, opened, record())
    async with database.begin() as session:
        await release(session, [JOB], now=NOW)
        both = await balance(session, opened.project)
    assert (both.available.micro, both.held.micro) == (100_000_000 - expected(400), 0)
    await assert_sound(database)


async def test_too_little_money_says_how_much_is_missing_and_changes_nothing(database: Database) -> None:
    opened = await world(database, "1")
    with pytest.raises(NotEnoughFunds, match=r"0\.500000 CNY is missing") as refused:
        async with database.begin() as session:
            await hold(session, opened.project, JOB, Money.parse("1.5"), now=NOW)
    assert refused.value.missing_micro == 500_000
    assert await micro(database, wallet(opened.project)) == 1_000_000


async def test_holds_at_the_same_moment_never_overdraw_the_wallet(database: Database) -> None:
    opened = await world(database, "5")

    async def one(number: int) -> None:
        async with database.begin() as session:
            await hold(session, opened.project, f"job-{number}", Money.parse("1"), now=NOW)

    outcomes = await asyncio.gather(*map(one, range(8)), return_exceptions=True)
    assert sum(isinstance(outcome, NotEnoughFunds) for outcome in outcomes) == 3
    assert await micro(database, wallet(opened.project)) == 0
    await assert_sound(database)


async def test_a_payment_counts_once_by_its_number(database: Database) -> None:
    opened = await world(database, "0")
    for _ in range(2):
        async with database.begin() as session:
            await top_up(session, opened.project, Money.parse("7"), key="bank-1", person="op", now=NOW)
    assert await micro(database, wallet(opened.project)) == 7_000_000


async def test_a_reversal_names_its_reason_and_happens_once(database: Database) -> None:
    opened = await world(database)
    await settle(database, opened, record())
    async with database.begin() as session:
        lines = await statement(session, opened.project, NOW, NOW + timedelta(days=1))
        await reverse(session, lines.lines[-1].entry, reason="node was broken", person="op", now=NOW)
    with pytest.raises(Conflict):
        async with database.begin() as session:
            await reverse(session, lines.lines[-1].entry, reason="again", person="op", now=NOW)
    async with database.begin() as session:
        after = await statement(session, opened.project, NOW, NOW + timedelta(days=1))
    assert after.closing.micro == after.opening.micro + sum(line.amount.micro for line in after.lines) == 100_000_000
    assert after.lines[-1].reason == "node was broken"
    await assert_sound(database)


@pytest.mark.parametrize("seconds", [0, 1000])
async def test_what_was_taken_back_is_neither_given_back_twice_nor_charged_again(
    database: Database, seconds: int
) -> None:
    opened = await world(database)
    await settle(database, opened, record())
    async with database.begin() as session:
        lines = await statement(session, opened.project, NOW, NOW + timedelta(days=1))
        await reverse(session, lines.lines[-1].entry, reason="node was broken", person="op", now=NOW)
    [charged] = await settle(database, opened, record(elapsed_seconds=seconds))
    assert charged.amount_micro is None
    assert await micro(database, wallet(opened.project)) == 100_000_000
    async with database.begin() as session:
        [waiting] = await store_unrated.unrated(session, after=None, limit=10)
    assert "taken back" in waiting.reason_en
    await assert_sound(database)


@pytest.mark.parametrize(
    "statement_text",
    [
        "UPDATE ledger_postings SET micro = micro + 1",
        "DELETE FROM ledger_postings",
        "TRUNCATE ledger_postings",
        "DELETE FROM charges",
        "UPDATE ledger_entries SET reason = 'x'",
        "UPDATE ledger_accounts SET balance_micro = 5",
        "INSERT INTO ledger_accounts (code, currency, balance_micro) VALUES ('wallet:x', 'CNY', 5)",
        "INSERT INTO ledger_postings SELECT entry_id, account_id + 100, micro FROM ledger_postings LIMIT 1",
        "UPDATE usage_revisions SET raw = 'x'",
        "UPDATE holds SET captured_micro = amount_micro + 1",
    ],
)
async def test_the_database_itself_refuses_to_forge_history(
    database: Database, owned: Database, statement_text: str
) -> None:
    """Also to the owner of the tables; to the application see test_break_in.py."""
    opened = await world(database)
    async with database.begin() as session:
        await hold(session, opened.project, JOB, Money.parse("1"), now=NOW)
    await settle(database, opened, record())
    with pytest.raises(DBAPIError):
        async with owned.begin() as session:
            await session.execute(text(statement_text))
    await assert_sound(database)


async def test_an_unbalanced_entry_is_refused_by_us_and_by_the_database(database: Database) -> None:
    opened = await world(database)
    with pytest.raises(ValueError, match="sum to zero"):
        Entry("x", "charge", "CNY", {wallet(opened.project): -5, payable(EAST): 4})
    with pytest.raises(DBAPIError, match="sum to zero"):  # noqa: PT012
        async with database.begin() as session:
            entry = Entry("y", "charge", "CNY", {wallet(opened.project): -5, payable(EAST): 5})
            ids = await post(session, [entry], now=NOW)
            other = await store.lock_accounts(session, {"revenue:other": "CNY"})
            await store.add_postings(session, [(ids["y"], other["revenue:other"], 1)])


async def test_two_prices_never_hold_at_the_same_time(database: Database) -> None:
    opened = await world(database)
    with pytest.raises(Conflict, match="end that version first"):  # noqa: PT012
        async with database.begin() as session:
            later = replace(opened.price, id=PriceVersionId(new_uuid()))
            await add_price(session, EAST, "cpu", later, person="op", now=NOW, valid_from=NOW)
