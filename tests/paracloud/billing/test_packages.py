"""Hours paid in advance: sold, reserved, taken, given back and ended, each yuan of them accounted for."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import (
    CORE_HOUR,
    EAST,
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

from paracloud.billing import store
from paracloud.billing.cover import Place, Unit
from paracloud.billing.entry import CREDITS, EXPIRED, package, payable
from paracloud.billing.expire_packages import LATE, expire_packages
from paracloud.billing.hold import hold, release
from paracloud.billing.rate import most, rate
from paracloud.billing.reverse import reverse
from paracloud.kit.errors import Invalid, NotEnoughFunds
from paracloud.kit.identifiers import CentreName, EntryId, ProjectId, new_uuid

HOUR = timedelta(hours=1)
WHOLE = 100_000_000


def an_hour(id_: str, cores: int = 4, **changes):
    return record(id_, cores=cores, elapsed_seconds=3600, ended_at=NOW + HOUR, **changes)


async def posted_to(database, code: str) -> int:
    async with database.begin() as session:
        return await store.balance(session, code)


async def held(database, opened: World, job: str, cores: int = 4, limit: timedelta = HOUR) -> int:
    """What the wallet reserves for a job."""
    bound = most({"cores": cores, "gpus": 0}, limit, timedelta(0), opened.price)
    async with database.begin() as session:
        place = Place("general", EAST, "cpu")
        got = await hold(session, opened.project, job, bound.amount, now=NOW, most=bound, place=place)
    return got.micro


async def test_a_package_is_paid_from_the_wallet_and_hours_from_the_package(database):
    opened = await world(database)
    wanted = await sold(database, opened)
    assert await left(database, opened) == WHOLE - 10_000_000
    assert await charged(database, await metered(database, opened, an_hour("1"))) == [400_000]
    assert await left(database, opened) == WHOLE - 10_000_000
    assert (await package_now(database, wanted)).used == 4 * 3600
    assert await posted_to(database, package(wanted.id)) == 9_600_000
    assert await posted_to(database, payable(EAST)) == 300_000
    await sound(database)


async def test_the_earliest_expiry_gives_first_and_the_wallet_pays_the_rest(database):
    opened = await world(database)
    later = await sold(database, opened, hours=2, price="4", name="later")
    sooner = await sold(database, opened, hours=1, price="1", name="sooner", expires_at=NOW + timedelta(days=2))
    rest = round(Decimal(3) * CORE_HOUR * 10**6)
    assert await charged(database, await metered(database, opened, an_hour("1", cores=6))) == [5_000_000 + rest]
    assert [(await package_now(database, one)).free for one in (sooner, later)] == [0, 0]
    assert await left(database, opened) == WHOLE - 5_000_000 - rest
    assert [await posted_to(database, package(one.id)) for one in (sooner, later)] == [0, 0]
    await sound(database)


@pytest.mark.parametrize("other", [{"centre": CentreName("east"), "queue": "gpu"}, {"product_line": "ai"}])
async def test_a_package_for_another_place_gives_nothing(database, other):
    opened = await world(database)
    wanted = await sold(database, opened, **other)
    await charged(database, await metered(database, opened, an_hour("1")))
    assert (await package_now(database, wanted)).used == 0


async def test_a_package_gives_nothing_for_what_ended_before_it_began_or_after_it_expired(database):
    opened = await world(database)
    wanted = await sold(database, opened, valid_from=NOW + 2 * HOUR, expires_at=NOW + 3 * HOUR)
    late = an_hour("2", submitted_at=NOW, started_at=NOW + 2 * HOUR)
    late = replace(late, ended_at=NOW + 3 * HOUR)
    await charged(database, await metered(database, opened, an_hour("1"), late))
    assert (await package_now(database, wanted)).used == 0


async def test_a_job_reserves_hours_and_holds_money_only_for_the_rest(database):
    opened = await world(database)
    wanted = await sold(database, opened, hours=3, price="3")
    assert await held(database, opened, "job-1") == round(CORE_HOUR * 10**6)
    assert (await package_now(database, wanted)).reserved == 3 * 3600
    assert await held(database, opened, "job-2", cores=1) == round(CORE_HOUR * 10**6)
    run = await metered(database, opened, record("1", cores=4, elapsed_seconds=1800), job="job-1")
    await charged(database, run, {"job-1": opened.price.id})
    now = await package_now(database, wanted)
    assert (now.used, now.reserved) == (2 * 3600, 3600)
    async with database.begin() as session:
        await release(session, ["job-1", "job-2"], now=NOW)
    now = await package_now(database, wanted)
    assert (now.used, now.reserved) == (2 * 3600, 0)
    await sound(database)


async def test_what_is_reserved_stays_a_jobs_own_after_the_package_expired(database):
    opened = await world(database)
    wanted = await sold(database, opened, hours=4, price="4", expires_at=NOW + timedelta(minutes=1))
    await held(database, opened, "job-1")
    async with database.begin() as session:
        assert await expire_packages(session, now=NOW + 3 * LATE) == []
    run = await metered(database, opened, an_hour("1"), job="job-1")
    await charged(database, run, {"job-1": opened.price.id})
    assert (await package_now(database, wanted)).used == 4 * 3600
    await sound(database)


async def test_what_a_package_has_left_at_its_end_is_income_once(database):
    opened = await world(database)
    wanted = await sold(database, opened, expires_at=NOW + 2 * HOUR)
    await charged(database, await metered(database, opened, an_hour("1")))
    for when, closed in ((NOW + 2 * HOUR, []), (NOW + 2 * HOUR + LATE, [wanted.id]), (NOW + 9 * LATE, [])):
        async with database.begin() as session:
            assert await expire_packages(session, now=when) == closed
    assert await posted_to(database, EXPIRED) == 9_600_000
    assert await posted_to(database, package(wanted.id)) == 0
    await sound(database)


async def test_a_correction_gives_hours_back_and_takes_what_it_adds(database):
    opened = await world(database)
    wanted = await sold(database, opened)
    await charged(database, await metered(database, opened, an_hour("1")))
    shorter = replace(an_hour("1"), elapsed_seconds=900)
    assert await charged(database, await metered(database, opened, shorter)) == [-300_000]
    assert (await package_now(database, wanted)).used == 3600
    longer = replace(an_hour("1"), elapsed_seconds=3600)
    assert await charged(database, await metered(database, opened, longer)) == [300_000]
    assert (await package_now(database, wanted)).used == 4 * 3600
    await sound(database)


async def test_a_reversal_gives_hours_back_to_their_package_and_money_to_the_wallet(database):
    opened = await world(database)
    wanted = await sold(database, opened, hours=3, price="3")
    await charged(database, await metered(database, opened, an_hour("1")))
    async with database.begin() as session:
        (entry,) = (await session.scalars(text("SELECT entry_id FROM charges"))).all()
        await reverse(session, EntryId(entry), reason="goodwill", person="op", now=NOW)
    assert (await package_now(database, wanted)).used == 0
    assert await left(database, opened) == WHOLE - 3_000_000
    assert await posted_to(database, payable(EAST)) == 0
    await sound(database)


async def test_what_comes_back_of_a_closed_package_goes_to_the_wallet(database):
    opened = await world(database)
    wanted = await sold(database, opened, expires_at=NOW + 2 * HOUR)
    await charged(database, await metered(database, opened, an_hour("1")))
    async with database.begin() as session:
        await expire_packages(session, now=NOW + 3 * LATE)
        (entry,) = (await session.scalars(text("SELECT entry_id FROM charges"))).all()
        await reverse(session, EntryId(entry), reason="goodwill", person="op", now=NOW)
    assert await left(database, opened) == WHOLE - 10_000_000 + 400_000
    assert await posted_to(database, package(wanted.id)) == 0
    await sound(database)


async def test_a_credit_pays_before_the_wallet_and_ends_without_income(database):
    opened = await world(database, "0")
    credit = {"unit": Unit.MICRO, "total": 300_000, "price": "0", "expires_at": NOW + 2 * HOUR}
    wanted = await sold(database, opened, **credit)
    with pytest.raises(NotEnoughFunds):
        await held(database, opened, "too-much")
    assert await held(database, opened, "job-1", cores=2) == 0
    run = await metered(database, opened, an_hour("1", cores=2), job="job-1")
    assert await charged(database, run, {"job-1": opened.price.id}) == [246_914]
    assert await posted_to(database, CREDITS) == -246_914
    assert await left(database, opened) == 0
    async with database.begin() as session:
        await release(session, ["job-1"], now=NOW)
        assert await expire_packages(session, now=NOW + 3 * LATE) == [wanted.id]
    assert await posted_to(database, EXPIRED) == 0
    await sound(database)


async def test_what_a_correction_gives_back_goes_to_the_wallet_before_the_credit(database):
    opened = await world(database)
    wanted = await sold(database, opened, unit=Unit.MICRO, total=300_000, price="0")
    await charged(database, await metered(database, opened, an_hour("1")))
    assert await left(database, opened) == WHOLE - 493_827 + 300_000
    await charged(database, await metered(database, opened, replace(an_hour("1"), elapsed_seconds=1800)))
    assert await left(database, opened) == WHOLE
    assert (await package_now(database, wanted)).used == 246_914
    await sound(database)


async def test_an_unaffordable_package_is_refused_whole(database):
    opened = await world(database, "5")
    with pytest.raises(NotEnoughFunds, match="top up 5"):
        await sold(database, opened)
    async with database.begin() as session:
        assert (await session.scalars(text("SELECT count(*) FROM packages"))).one() == 0
    assert await left(database, opened) == 5_000_000


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"total": 0}, "amount"),
        ({"price_micro": -1}, "price"),
        ({"unit": Unit.MICRO}, "price"),
        ({"name": " "}, "name"),
        ({"expires_at": NOW - timedelta(days=2)}, "expires_at"),
        ({"valid_from": NOW + timedelta(days=40)}, "expires_at"),
        ({"queue": "cpu"}, "centre"),
        ({"project": ProjectId(new_uuid())}, "project"),
        ({"centre": CentreName("nowhere")}, "project"),
    ],
)
async def test_a_package_that_cannot_be_meant_is_refused(database, wrong, field):
    opened = await world(database)
    with pytest.raises(Invalid) as refused:
        await sold(database, opened, **({"price": "0"} if "project" in wrong else {}), **wrong)
    assert refused.value.field == field


@pytest.mark.parametrize(
    "forgery",
    ["UPDATE packages SET total = total + 1", "UPDATE packages SET used = -1", "DELETE FROM packages",
     "UPDATE packages SET reserved = total + 1", "DELETE FROM package_uses"],
)  # fmt: skip
async def test_the_database_keeps_what_was_sold(database, forgery):
    opened = await world(database)
    await sold(database, opened)
    await charged(database, await metered(database, opened, an_hour("1")))
    with pytest.raises(DBAPIError):
        async with database.begin() as session:
            await session.execute(text(forgery))


async def test_holding_for_two_jobs_at_once_never_reserves_an_hour_twice(database):
    opened = await world(database)
    wanted = await sold(database, opened, hours=4, price="4")
    got = await asyncio.gather(*(held(database, opened, f"job-{number}") for number in range(4)))
    assert sorted(got) == [0] + [round(4 * CORE_HOUR * 10**6)] * 3
    assert (await package_now(database, wanted)).reserved == 4 * 3600
    await sound(database)


@pytest.mark.parametrize(("hours", "used", "money"), [(100, 800, 0), (1, 800, 0), ("0.125", 450, 350)])
async def test_what_a_correction_adds_the_package_pays_while_it_has_hours(database, hours, used, money):
    opened = await world(database)
    paid = await sold(database, opened, price="0", total=int(Fraction(hours) * 3600))
    before = await left(database, opened)
    await charged(database, await metered(database, opened, record()))
    assert (await package_now(database, paid)).used == 400
    await charged(database, await metered(database, opened, record(elapsed_seconds=200)))
    assert (await package_now(database, paid)).used == used
    assert await left(database, opened) == before - rate(money, 0, opened.price, 0).amount.micro
    await sound(database)
    await charged(database, await metered(database, opened, record(elapsed_seconds=50)))
    assert ((await package_now(database, paid)).used, await left(database, opened)) == (200, before)
    await sound(database)


async def test_what_was_paid_in_money_first_stays_so_when_a_correction_adds_hours(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record()))
    before = await left(database, opened)
    paid = await sold(database, opened, price="0")
    await charged(database, await metered(database, opened, record(elapsed_seconds=200)))
    assert ((await package_now(database, paid)).used, await left(database, opened)) == (400, before)
    await charged(database, await metered(database, opened, record(elapsed_seconds=150)))
    assert (await package_now(database, paid)).used == 400
    await sound(database)
