"""The centre corrects the queue, or what else chooses the price: the bill moves by the difference."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import (
    EAST,
    NOW,
    charged,
    left,
    metered,
    package_now,
    record,
    sold,
    sound,
    world,
)

from paracloud.billing import store
from paracloud.billing.charge import charge
from paracloud.billing.close_period import close_period
from paracloud.billing.contract import Lent, add_contract
from paracloud.billing.cover import Unit
from paracloud.billing.decide_usage import decide_usage
from paracloud.billing.dedication import Dedication, dedicate, new_dedication_id
from paracloud.billing.entry import owner, payable, revenue
from paracloud.billing.hold import hold, release
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.billing.reconcile import reconcile
from paracloud.billing.reverse_usage import reverse_usage
from paracloud.billing.tiers import Tier, Tiers
from paracloud.identity.create_project import create_project
from paracloud.identity.product_line import ProductLine
from paracloud.kit.identifiers import OrganisationId, PriceVersionId, new_uuid
from paracloud.kit.money import Money

DAY = timedelta(days=1)
IN_JULY = datetime(2026, 7, 2, tzinfo=UTC)
CPU, FAT = 13_717, 4_000_000
"""What `record` costs in either queue."""


async def priced(database, queue="fat", core_hour="36", **changes):
    price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, Decimal(core_hour), None, "CNY", **changes)
    async with database.begin() as session:
        await add_price(session, EAST, queue, price, person="op", now=NOW, valid_from=NOW - DAY)
    return price


@pytest.fixture
async def opened(database):
    return await world(database)


async def agrees(database, opened, *records, pinned=None):
    await sound(database)
    start = NOW.replace(hour=0)
    async with database.begin() as session:
        found = await reconcile(
            session, EAST, records, start=start, end=start + DAY, lent=opened.lent,
            pinned=pinned or {}, since=start,
        )  # fmt: skip
    assert found.mismatches == ()


async def balances(database, *codes):
    async with database.begin() as session:
        return [await store.balance(session, code) for code in codes]


async def test_a_corrected_queue_is_charged_as_the_difference_to_its_price(database, opened):
    await priced(database)
    one = record()
    moved, back = replace(one, queue="fat"), replace(one, queue="cpu", node_list="n9")
    assert await charged(database, await metered(database, opened, one)) == [CPU]
    (usage,) = await metered(database, opened, moved)
    assert await charged(database, [usage]) == [FAT - CPU]
    assert await left(database, opened) == 100_000_000 - FAT
    assert await balances(database, payable(EAST), revenue("general")) == [FAT * 3 // 4, FAT // 4]
    await agrees(database, opened, moved)
    assert await charged(database, [usage]) == []
    longer = replace(moved, elapsed_seconds=200)
    assert await charged(database, await metered(database, opened, longer)) == [FAT]
    await agrees(database, opened, longer)
    assert await charged(database, await metered(database, opened, back)) == [CPU - 2 * FAT]
    await agrees(database, opened, back)
    async with database.begin() as session:
        said = text("SELECT revision, is_reversal, amount_micro, person FROM charges ORDER BY revision, is_reversal")
        rows = [tuple(row) for row in await session.execute(said)]
    assert rows == [
        (1, False, CPU, None), (1, True, -CPU, "east"), (2, False, FAT, None), (3, False, FAT, None),
        (3, True, -2 * FAT, "east"), (4, False, CPU, None),
    ]  # fmt: skip


async def test_a_corrected_quality_of_service_is_charged_at_its_price(database, opened):
    await priced(database, "cpu", qos="high")
    await charged(database, await metered(database, opened, record(qos="low")))
    moved = record(qos="high")
    assert await charged(database, await metered(database, opened, moved)) == [FAT - CPU]
    await agrees(database, opened, moved)


async def test_the_price_that_a_job_was_accepted_with_holds_for_its_queue_alone(database, opened):
    old = await priced(database, "old", "3.6")
    await priced(database)
    accepted = {"job-1": old.id}
    async with database.begin() as session:
        await hold(session, opened.project, "job-1", Money.parse("5"), now=NOW)
    one = record(queue="old")
    assert await charged(database, await metered(database, opened, one, job="job-1"), accepted) == [FAT // 10]
    moved = replace(one, queue="fat")
    assert await charged(database, await metered(database, opened, moved, job="job-1"), accepted) == [FAT * 9 // 10]
    await agrees(database, opened, moved, pinned=accepted)
    assert await charged(database, await metered(database, opened, one, job="job-1"), accepted) == [-FAT * 9 // 10]
    async with database.begin() as session:
        await release(session, ["job-1"], now=NOW)
    assert await left(database, opened) == 100_000_000 - FAT // 10
    await agrees(database, opened, one, pinned=accepted)


async def test_a_queue_without_a_price_waits_and_is_charged_when_it_has_one(database, opened):
    await charged(database, await metered(database, opened, record()))
    moved = record(queue="fat")
    (usage,) = await metered(database, opened, moved)
    assert await charged(database, [usage]) == [None]
    assert await left(database, opened) == 100_000_000 - CPU
    await sound(database)
    await priced(database)
    assert await charged(database, [usage]) == [FAT - CPU]
    await agrees(database, opened, moved)


async def test_what_the_new_price_cannot_rate_keeps_what_it_was_charged(database, opened):
    await priced(database)
    await charged(database, await metered(database, opened, record()))
    assert await charged(database, await metered(database, opened, record(queue="fat", gpus=1))) == [None]
    assert await left(database, opened) == 100_000_000 - CPU
    await sound(database)


@pytest.mark.parametrize("unit", [Unit.CORE_SECOND, Unit.MICRO])
async def test_packages_have_it_back_and_pay_at_the_new_place(database, opened, unit):
    await priced(database)
    price = "0" if unit is Unit.MICRO else "1"
    here = await sold(database, opened, price=price, unit=unit, total=1000, centre=EAST, queue="cpu")
    there = await sold(database, opened, price=price, unit=unit, total=300, centre=EAST, queue="fat")
    await charged(database, await metered(database, opened, record()))
    moved = record(queue="fat")
    await charged(database, await metered(database, opened, moved))
    assert [(await package_now(database, one)).used for one in (here, there)] == [0, 300]
    await agrees(database, opened, moved)


async def test_the_parts_of_the_new_queues_contract_hold(database, opened):
    await priced(database)
    async with database.begin() as session:
        organisation = OrganisationId((await session.scalars(text("SELECT organisation_id FROM projects"))).one())
        lender = await create_project(session, organisation, "出借", now=NOW)
        await add_contract(
            session, EAST, 5000, person="op", now=NOW, valid_from=NOW - DAY, queue="fat", lent=Lent(lender, 1000)
        )
    await charged(database, await metered(database, opened, record()))
    moved = record(queue="fat")
    await charged(database, await metered(database, opened, moved))
    assert await balances(database, payable(EAST), owner(lender)) == [FAT // 2, FAT // 10]
    await agrees(database, opened, moved)
    await charged(database, await metered(database, opened, record()))
    assert await balances(database, owner(lender)) == [0]
    await agrees(database, opened, record())


async def test_tiers_of_both_prices_count_in_the_month_of_the_first_bill(database, opened):
    tiers = Tiers((Tier(Decimal(0), Decimal(1)), Tier(Decimal(1), Decimal("0.5"))))
    await priced(database, "slim", "18", tiers=tiers)
    await priced(database, tiers=tiers)
    one = record(queue="slim")
    assert await charged(database, await metered(database, opened, one)) == [1_500_000]
    async with database.begin() as session:
        await close_period(session, date(2026, 6, 1), person="op", now=IN_JULY)
    moved = replace(one, queue="fat")
    usages = await metered(database, opened, moved)
    async with database.begin() as session:
        (made,) = await charge(session, usages, pinned={}, now=IN_JULY)
        volumes = text("SELECT period, list_micro FROM volumes ORDER BY list_micro")
        found = [tuple(row) for row in await session.execute(volumes)]
    assert made.amount_micro == 2_500_000 - 1_500_000
    assert found == [(date(2026, 6, 1), 0), (date(2026, 6, 1), FAT)]
    await agrees(database, opened, moved)


async def test_nodes_that_are_more_than_the_dedicated_ones_cost_their_price(database, opened):
    async with database.begin() as session:
        nodes = Dedication(new_dedication_id(), opened.project, EAST, "cpu", 2, Money(0), 0, NOW - DAY, None)
        await dedicate(session, nodes, person="op", now=NOW, is_unseen=True)
    assert await charged(database, await metered(database, opened, record())) == [0]
    moved = record(nodes=3)
    assert await charged(database, await metered(database, opened, moved)) == [CPU]
    await agrees(database, opened, moved)
    assert await charged(database, await metered(database, opened, record())) == [-CPU]
    await agrees(database, opened, record())


async def test_a_price_that_a_person_chose_stays_whatever_the_queue(database, opened):
    await priced(database)
    chosen = await priced(database, "special", "3.6")
    (usage,) = await metered(database, opened, record())
    await charged(database, [usage])
    async with database.begin() as session:
        await reverse_usage(session, usage.id, reason="x", person="op", now=NOW)
        await decide_usage(session, usage.id, chosen.id, reason="as agreed", person="op", now=NOW)
    moved = record(queue="fat", elapsed_seconds=200)
    assert await charged(database, await metered(database, opened, moved)) == [FAT // 10]
    await agrees(database, opened, moved)


async def test_at_a_price_that_a_person_chose_the_new_queues_contract_holds_all_the_same(database, opened):
    chosen = await priced(database, "special", "3.6")
    async with database.begin() as session:
        organisation = OrganisationId((await session.scalars(text("SELECT organisation_id FROM projects"))).one())
        lender = await create_project(session, organisation, "出借", now=NOW)
        await add_contract(
            session, EAST, 5000, person="op", now=NOW, valid_from=NOW - DAY, queue="fat", lent=Lent(lender, 1000)
        )
    (usage,) = await metered(database, opened, record())
    await charged(database, [usage])
    async with database.begin() as session:
        await reverse_usage(session, usage.id, reason="x", person="op", now=NOW)
        await decide_usage(session, usage.id, chosen.id, reason="as agreed", person="op", now=NOW)
    moved, longer = record(queue="fat"), record(queue="fat", elapsed_seconds=200)
    assert await charged(database, await metered(database, opened, moved)) == [0]
    assert await balances(database, payable(EAST), owner(lender)) == [FAT // 20, FAT // 100]
    await agrees(database, opened, moved)
    assert await charged(database, await metered(database, opened, longer)) == [FAT // 10]
    assert await balances(database, payable(EAST), owner(lender)) == [FAT // 10, FAT // 50]
    await agrees(database, opened, longer)


async def test_what_is_told_twice_at_once_moves_once(database, opened):
    await priced(database)
    await charged(database, await metered(database, opened, record()))
    usages = await metered(database, opened, record(queue="fat"))
    made = await asyncio.gather(*(charged(database, usages) for _ in range(4)))
    assert sorted(made) == [[], [], [], [FAT - CPU]]
    await agrees(database, opened, record(queue="fat"))
