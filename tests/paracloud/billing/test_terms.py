"""Which price and share a usage is charged at; what has none is never free, and is charged once it has."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import ACCOUNT, EAST, NOW, World, charged, metered, record, world

from paracloud.billing import store
from paracloud.billing.charge import charge
from paracloud.billing.check import check
from paracloud.billing.contract import add_contract, end_contract
from paracloud.billing.entry import payable, wallet
from paracloud.billing.hold import hold, release
from paracloud.billing.price import add_price, end_price, price_by_id, prices_at
from paracloud.billing.rate import Price
from paracloud.billing.top_up import top_up
from paracloud.billing.unrated import unrated_page
from paracloud.kit.database import Database
from paracloud.kit.errors import Conflict, Invalid, NotEnoughFunds, NotFound
from paracloud.kit.identifiers import CentreName, PriceVersionId, ProjectId, new_uuid
from paracloud.kit.money import Money
from paracloud.metering.collect import collect
from paracloud.metering.usage import Claim, key_of
from paracloud.statements.state_month import bill_of

DAY = timedelta(days=1)


async def available(database: Database, opened: World) -> int:
    async with database.begin() as session:
        return await store.balance(session, wallet(opened.project))


async def new_price(database: Database, core_hour: str, *, at, queue: str = "cpu", line: str = "general") -> Price:
    price = Price(PriceVersionId(new_uuid()), line, Decimal(core_hour), Decimal(0), "CNY")
    async with database.begin() as session:
        await add_price(session, EAST, queue, price, person="op", now=NOW, valid_from=at)
    return price


async def test_a_job_keeps_the_price_that_it_was_accepted_with(database: Database) -> None:
    opened = await world(database)
    async with database.begin() as session:
        await end_price(session, opened.price.id, NOW + DAY, person="op", now=NOW)
    later = await new_price(database, "9", at=NOW + DAY)
    run = record("1", submitted_at=NOW + 2 * DAY)
    by_hand, of_job = record("2", submitted_at=NOW + 2 * DAY), record("3", submitted_at=NOW + 2 * DAY)
    moved = record("4", submitted_at=NOW + 2 * DAY, queue="big")
    await new_price(database, "18", at=NOW, queue="big")
    pinned = {"job-1": opened.price.id}
    assert await charged(database, await metered(database, opened, run, of_job, job="job-1"), pinned) == [13_717] * 2
    assert await charged(database, await metered(database, opened, by_hand)) == [1_000_000]
    assert await charged(database, await metered(database, opened, moved, job="job-1"), pinned) == [2_000_000]
    async with database.begin() as session:
        assert (await price_by_id(session, later.id)).price == later
        before, after = [await prices_at(session, NOW + DAY - one) for one in (timedelta(seconds=1), timedelta(0))]
    assert [one.id for one in before[EAST, "cpu"]] == [opened.price.id]
    assert after[EAST, "cpu"] == [later]


async def test_a_job_of_the_second_in_which_a_price_and_a_contract_begin_is_not_too_early_for_them(
    database: Database,
) -> None:
    opened = await world(database)
    begins = NOW + timedelta(milliseconds=400)
    async with database.begin() as session:
        price = replace(opened.price, id=PriceVersionId(new_uuid()))
        await add_price(session, EAST, "fast", price, person="op", now=NOW, valid_from=begins)
        await add_contract(session, EAST, 5000, queue="fast", person="op", now=NOW, valid_from=begins)
    before = NOW - timedelta(seconds=1)
    (now,) = await charged(database, await metered(database, opened, record("1", queue="fast", submitted_at=NOW)))
    (early,) = await charged(database, await metered(database, opened, record("2", queue="fast", submitted_at=before)))
    assert (bool(now), early) == (True, None)


async def test_a_correction_keeps_the_price_of_the_first_charge(database: Database) -> None:
    opened = await world(database)
    first = record()
    await charged(database, await metered(database, opened, first))
    async with database.begin() as session:
        await end_price(session, opened.price.id, NOW + DAY, person="op", now=NOW)
    await new_price(database, "9", at=NOW + DAY)
    (difference,) = await charged(database, await metered(database, opened, replace(first, elapsed_seconds=200)))
    assert difference == 27_435 - 13_717


async def test_an_end_is_not_in_the_past_and_what_was_agreed_stays(database: Database, owned: Database) -> None:
    opened = await world(database)
    async with database.begin() as session:
        with pytest.raises(Invalid):
            await end_price(session, opened.price.id, NOW - timedelta(seconds=1), person="op", now=NOW)
        with pytest.raises(NotFound):
            await end_price(session, PriceVersionId(new_uuid()), NOW, person="op", now=NOW)
        with pytest.raises(NotFound):
            await end_contract(session, CentreName("west"), NOW, person="op", now=NOW)
        await end_contract(session, EAST, NOW + DAY, person="op", now=NOW)
        await add_contract(session, EAST, 8000, person="op", now=NOW, valid_from=NOW + DAY)
        with pytest.raises(Conflict):
            await add_contract(session, EAST, 8000, person="op", now=NOW, valid_from=NOW)
    for forgery in ("UPDATE price_versions SET core_hour = 0", "DELETE FROM contracts",
                    "UPDATE contracts SET share_basis_points = 0"):  # fmt: skip
        with pytest.raises(DBAPIError, match="keeps what was agreed"):
            async with owned.begin() as session:
                await session.execute(text(forgery))


async def test_prices_that_are_added_at_the_same_moment_do_not_overlap(database: Database) -> None:
    await world(database)
    tries = [new_price(database, "1", at=NOW, queue="new") for _ in range(4)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(one) is Price for one in outcomes) == [False, False, False, True]
    assert all(isinstance(one, Price | Conflict) for one in outcomes)


async def test_unrated_usage_waits_for_its_price_and_is_then_charged_once(database: Database) -> None:
    opened = await world(database)
    early = record("1", queue="new", submitted_at=NOW + DAY)
    usages = await metered(database, opened, early, record("2", submitted_at=NOW - 9 * DAY))
    assert await charged(database, usages) == [None, None]
    later = await metered(database, opened, replace(early, elapsed_seconds=200))
    assert await charged(database, later) == [None]
    async with database.begin() as session:
        reasons = [(one.usage.revision, one.reason_en) for one in await unrated_page(session)]
        assert [await check(session)] == [[]]
    assert sorted(reasons)[1][0] == 2
    assert sorted(reasons)[1][1].startswith("no price held for east/new at 2026-06-02")
    await new_price(database, "9", at=NOW, queue="new")
    async with database.begin() as session:
        waiting = [one.usage for one in await unrated_page(session)]
        again = await charge(session, waiting, pinned={}, now=NOW)
        assert sorted(one.amount_micro or 0 for one in again) == [0, 2_000_000]
        assert len(await unrated_page(session)) == 1
        assert await check(session) == []


async def test_without_a_contract_nothing_is_charged_but_listed(database: Database) -> None:
    opened = await world(database)
    async with database.begin() as session:
        await end_contract(session, EAST, NOW + DAY, person="op", now=NOW)
    assert await charged(database, await metered(database, opened, record(submitted_at=NOW + DAY))) == [None]
    async with database.begin() as session:
        assert "no contract held for east" in (await unrated_page(session))[0].reason_en


async def test_an_absurd_amount_waits_for_a_person(database: Database) -> None:
    opened = await world(database)
    absurd = record("2", cores=10**8, elapsed_seconds=10**9)
    usages = await metered(database, opened, record("1"), absurd)
    assert sorted(await charged(database, usages), key=str) == [13_717, None]
    assert await available(database, opened) == 100_000_000 - 13_717


async def test_a_revision_that_was_charged_before_is_left_out(database: Database) -> None:
    opened = await world(database)
    first = await metered(database, opened, record())
    tries = await asyncio.gather(*(charged(database, first) for _ in range(4)))
    assert sorted(tries) == [[], [], [], [13_717]]
    second = await metered(database, opened, record(elapsed_seconds=50))
    await charged(database, second)
    assert await charged(database, first) == []
    assert await available(database, opened) == 100_000_000 - 6_859


async def test_a_bill_has_a_line_for_each_charge_and_only_for_its_project(database: Database) -> None:
    opened = await world(database)
    usages = await metered(database, opened, record("1"), record("2", restart_count=1), job="job-1")
    await charged(database, usages, {"job-1": opened.price.id})
    await charged(database, await metered(database, opened, record("1", elapsed_seconds=50), job="job-1"))
    async with database.begin() as session:
        lines = await bill_of(session, opened.project, "job-1")
        assert await bill_of(session, ProjectId(new_uuid()), "job-1") == []
    assert sorted((line.revision, line.sums.amount) for line in lines) == [(1, 13_717), (1, 13_717), (2, -6_858)]
    assert {line.price for line in lines} == {opened.price.id}


async def test_a_hold_that_is_asked_for_again_is_kept_whatever_the_wallet_has_left(database: Database) -> None:
    opened = await world(database, "5")
    for _ in range(2):
        async with database.begin() as session:
            await hold(session, opened.project, "job-1", Money.parse("5"), now=NOW)
    with pytest.raises(NotEnoughFunds):
        async with database.begin() as session:
            await hold(session, opened.project, "job-2", Money(1), now=NOW)


async def test_a_wallet_never_mixes_currencies(database: Database) -> None:
    opened = await world(database)
    with pytest.raises(Conflict, match="kept in CNY"):
        async with database.begin() as session:
            await top_up(session, opened.project, Money.parse("5", "USD"), key="x", person="op", now=NOW)


async def test_the_number_of_a_payment_belongs_to_one_payment(database: Database) -> None:
    opened = await world(database)
    with pytest.raises(Conflict, match="another amount"):
        async with database.begin() as session:
            await top_up(session, opened.project, Money.parse("5"), key="first", person="op", now=NOW)


async def test_a_batch_takes_the_same_few_statements_whatever_its_size(database: Database) -> None:
    opened = await world(database)
    await charged(database, await metered(database, opened, record("first")))  # which opens the accounts, once
    seen: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    counts = []
    for size in (10, 300):
        for number in range(size):
            async with database.begin() as session:
                await hold(session, opened.project, f"job-{size}-{number}", Money(20_000), now=NOW)
        usages = []
        for number in range(size):
            usages += await metered(database, opened, record(f"{size}{number:03}"), job=f"job-{size}-{number}")
        pinned = {usage.reference: opened.price.id for usage in usages if usage.reference}
        seen.clear()
        await charged(database, usages, pinned)
        charging = len(seen)
        async with database.begin() as session:
            await release(session, list(pinned), now=NOW)
        counts.append((charging, len(seen) - charging))
    assert counts[1][0] <= counts[0][0] <= 20
    assert counts[1][1] <= counts[0][1] <= 10


async def test_settling_and_holding_for_the_same_projects_never_wait_in_a_ring(database: Database) -> None:
    """In one transaction as the worker does it: charge, then release also what cost nothing."""
    opened = await world(database)

    async def settle(number: int) -> None:
        job, other = f"job-{number}", f"other-{number}"
        async with database.begin() as session:
            for reference in (job, other):
                await hold(session, opened.project, reference, Money(50_000), now=NOW)
        run, idle = record(f"{number}1"), record(f"{number}2", elapsed_seconds=0, started_at=None)
        claims = {key_of(EAST, run): Claim(job), key_of(EAST, idle): Claim(other)}
        async with database.begin() as session:
            owners = {ACCOUNT: opened.project}
            got = await collect(session, EAST, [run, idle], owners=owners, claims=claims, now=NOW)
            await charge(session, got.new, pinned={job: opened.price.id, other: opened.price.id}, now=NOW)
            await release(session, [other, job], now=NOW)

    await asyncio.gather(*map(settle, range(16)))
    assert await available(database, opened) == 100_000_000 - 16 * 13_717
    async with database.begin() as session:
        assert await check(session) == []


async def test_an_entry_is_posted_whole_and_never_added_to(database: Database) -> None:
    opened = await world(database)
    with pytest.raises(DBAPIError, match="posted whole"):  # noqa: PT012
        async with database.begin() as session:
            accounts = await store.lock_accounts(session, {payable(EAST): "CNY", "revenue:x": "CNY"})
            (entry,) = (await session.execute(text("SELECT id FROM ledger_entries"))).scalars()
            one, other = accounts.values()
            await store.add_postings(session, [(entry, one, 5), (entry, other, -5)])
    assert await available(database, opened) == 100_000_000
