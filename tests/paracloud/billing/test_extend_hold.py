"""A hold grows once for each step, from packages first, never beyond the wallet, its line or a hard budget."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import EAST, NOW, left, package_now, sold, sound, world
from tests.paracloud.billing.paying import budget, budgeted, funded

from paracloud.billing import store
from paracloud.billing.cover import Place
from paracloud.billing.entry import held
from paracloud.billing.extend_hold import extend_hold
from paracloud.billing.hold import hold, release
from paracloud.billing.rate import most
from paracloud.billing.reserve import Wanted
from paracloud.kit.errors import Conflict, NotEnoughFunds, NotFound
from paracloud.kit.money import Money

HOUR = timedelta(hours=1)


async def taken(database, opened, amount="10", job="job-1"):
    async with database.begin() as session:
        return await hold(session, opened.project, job, Money.parse(amount), now=NOW)


async def extended(database, opened, amount="5", until=60, job="job-1"):
    async with database.begin() as session:
        more = Wanted(opened.project, job, Money.parse(amount))
        return await extend_hold(session, more, until_seconds=until, now=NOW)


async def held_micro(database, opened) -> int:
    async with database.begin() as session:
        return await store.balance(session, held(opened.project))


async def test_a_hold_grows_once_for_each_step_however_many_try_at_once(database):
    opened = await world(database)
    await taken(database, opened)
    tries = [extended(database, opened, until=60 + number % 2) for number in range(8)]
    assert await asyncio.gather(*tries) == [Money.parse("5")] * 8
    assert (await held_micro(database, opened), await left(database, opened)) == (20_000_000, 80_000_000)
    await sound(database)


async def test_what_cannot_be_paid_changes_nothing_and_later_money_makes_it_possible(database):
    opened = await world(database, "12")
    await taken(database, opened)
    with pytest.raises(NotEnoughFunds) as refused:
        await extended(database, opened)
    assert refused.value.missing_micro == 3_000_000
    assert (await held_micro(database, opened), await left(database, opened)) == (10_000_000, 2_000_000)
    await funded(database, opened, line=Money.parse("3"))
    await extended(database, opened)
    assert await left(database, opened) == -3_000_000
    await sound(database)


async def test_a_hard_budget_holds_for_a_hold_that_grows(database):
    opened = await world(database)
    await budgeted(database, budget(opened, "14"))
    await taken(database, opened)
    with pytest.raises(NotEnoughFunds, match="project's budget"):
        await extended(database, opened)
    await extended(database, opened, "4")


async def test_packages_give_before_the_wallet_and_keep_what_they_reserved_before(database):
    opened = await world(database)
    package = await sold(database, opened, hours=3)
    place = Place("general", EAST, "cpu")
    first, whole = (
        most({"cores": 2, "gpus": 0}, hours * HOUR, timedelta(0), opened.price) for hours in (1, 2)
    )  # the second hour of two cores finds one core-hour left
    async with database.begin() as session:
        rest = await hold(session, opened.project, "job-1", first.amount, now=NOW, most=first, place=place)
        assert rest.micro == 0
        more = Wanted(opened.project, "job-1", whole.amount - first.amount, None, first, place)
        rest = await extend_hold(session, more, until_seconds=7200, now=NOW)
    assert rest == Money.parse("0.123457")
    assert (await package_now(database, package)).reserved == 3 * 3600
    await sound(database)
    async with database.begin() as session:
        await release(session, ["job-1"], now=NOW)
    assert (await package_now(database, package)).reserved == 0
    await sound(database)


async def test_a_released_or_foreign_hold_does_not_grow(database):
    opened = await world(database)
    await taken(database, opened)
    with pytest.raises(NotFound):
        await extended(database, opened, job="job-2")
    async with database.begin() as session:
        await release(session, ["job-1"], now=NOW)
    with pytest.raises(Conflict):
        await extended(database, opened)


async def test_what_was_added_to_a_hold_stays_written(database, owned):
    opened = await world(database)
    await taken(database, opened)
    await extended(database, opened)
    for forgery in ("UPDATE hold_extensions SET amount_micro = 0", "DELETE FROM hold_extensions"):
        with pytest.raises(DBAPIError):
            async with owned.begin() as session:
                await session.execute(text(forgery))
