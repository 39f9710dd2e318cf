"""What falls due by time is done once, whoever does it, and one failure stops nothing else."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, left, package_now, sold, sound, world
from tests.paracloud.jobs.world import StillClock

from paracloud.billing.dedication import Dedication, dedicate, new_dedication_id
from paracloud.kit.errors import Conflict
from paracloud.kit.money import Money
from paracloud.worker.chores import CHORES, close_packages, do_chores

LATER = NOW + timedelta(days=40)


async def test_packages_end_and_fees_are_posted_once_by_eight_workers(database):
    opened = await world(database)
    wanted = await sold(database, opened)
    start = datetime(2026, 7, 1, tzinfo=UTC)
    nodes = Dedication(new_dedication_id(), opened.project, EAST, "cpu", 1, Money.parse("31"), 5000, start, None)
    async with database.begin() as session:
        await dedicate(session, nodes, person="op", now=start, is_unseen=True)
    await asyncio.gather(*(do_chores(database, StillClock(LATER)) for _ in range(8)))
    assert (await package_now(database, wanted)).closed_at == LATER
    assert await left(database, opened) == 100_000_000 - 10_000_000 - 31_000_000
    async with database.begin() as session:
        kinds = (await session.scalars(text("SELECT kind FROM ledger_entries WHERE kind <> 'top-up'"))).all()
    assert sorted(kinds) == ["dedicated", "expiry", "package"]
    await sound(database)


@pytest.mark.parametrize("trouble", [Conflict("busy", "忙"), RuntimeError("a defect")], ids=["refused", "broken"])
async def test_a_chore_that_fails_keeps_no_other_from_being_done(database, trouble):
    opened = await world(database)
    wanted = await sold(database, opened)

    async def broken(_session, _now) -> bool:
        raise trouble

    await do_chores(database, StillClock(LATER), [broken, *CHORES])
    assert (await package_now(database, wanted)).closed_at == LATER


async def test_a_statement_that_the_database_refuses_keeps_no_other_from_being_done(database):
    opened = await world(database)
    wanted = await sold(database, opened)

    async def overflowing(session, _now) -> bool:
        await session.execute(text("SELECT 9223372036854775807 + 1"))
        return False

    await do_chores(database, StillClock(LATER), [overflowing, *CHORES])
    assert (await package_now(database, wanted)).closed_at == LATER


async def test_a_chore_is_done_until_nothing_is_left(database, monkeypatch):
    opened = await world(database)
    both = [await sold(database, opened, name=str(number)) for number in range(2)]
    monkeypatch.setattr("paracloud.billing.expire_packages.BATCH", 1)
    await do_chores(database, StillClock(LATER), [close_packages])
    assert [(await package_now(database, one)).closed_at for one in both] == [LATER, LATER]
