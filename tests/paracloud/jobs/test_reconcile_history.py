"""Days of a centre of which history is kept, or no account is lent, are reconciled too."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text
from tests.paracloud.jobs.morning import DAY, FIRST, HOUR, Office, at, office
from tests.paracloud.jobs.world import EAST, START, no_logs, open_world, record

from paracloud.billing.charge import charge
from paracloud.billing.reconciliations import looks
from paracloud.centres.connect_centre import connect_centre, keep_history
from paracloud.centres.registry import all_centres, connected
from paracloud.dialects.records import Accounted
from paracloud.jobs.collect_day import collect_day
from paracloud.jobs.reconcile_day import reconcile_day
from paracloud.kit.command import Command
from paracloud.kit.errors import Conflict, Invalid, Unreachable
from paracloud.kit.identifiers import CentreName, UnixAccount
from paracloud.metering.collect import collect

__all__ = ["office"]


async def test_a_centre_of_which_only_history_is_kept_is_never_asked_and_can_be_connected_later(office):
    world = office.world
    async with world.database.begin() as session:
        east = next(one for one in await all_centres(session) if one.name == EAST)
        past = replace(east, name=CentreName("past"), host="", host_key="", service_account="", is_enabled=False)
        with pytest.raises(Invalid, match="accounts: a centre without a host"):
            await keep_history(session, past, [UnixAccount("a")], now=START)
        await keep_history(session, past, [], now=START)
        assert CentreName("past") not in await connected(session)
    for act in (
        reconcile_day(world.database, office.centre, office.centre, no_logs, past.name, FIRST),
        collect_day(world.database, world.clock, office.centre, office.centre, past.name, FIRST),
    ):
        with pytest.raises(Conflict, match="only its history is kept"):
            await act
    async with world.database.begin() as session:
        with pytest.raises(Conflict, match="is there already"):
            await keep_history(session, past, [], now=START)
    reached = replace(east, name=past.name)
    async with world.database.begin() as session:
        await connect_centre(session, reached, [UnixAccount("a")], dialects=["slurm"], now=at(2))
        assert (await connected(session))[past.name] == date(2026, 6, 2)
    async with world.database.begin() as session:
        with pytest.raises(Conflict, match="connected already"):
            await connect_centre(session, reached, [UnixAccount("a")], dialects=["slurm"], now=at(3))
    with pytest.raises(Exception, match="a centre is connected once"):
        async with world.database.begin() as session:
            await session.execute(text("UPDATE centres SET dialect = 'pbs' WHERE name = 'past'"))


@pytest.fixture
async def historic(database):
    """A centre where no project has an account yet; ten minutes of a Unix user of its own came from a log."""
    world = await open_world(database)
    office = Office(world, await world.leases(ttl=400 * DAY).claim(EAST))
    one = record(None, "7", account=UnixAccount("wang"))
    async with database.begin() as session:
        owners = {UnixAccount("wang"): world.project}
        got = await collect(session, EAST, [one], owners=owners, claims={}, now=START)
        await charge(session, got.new, pinned={}, now=START)
    office.centre.accounted = [one]
    office.centre.account = lambda _start, _end, accounts: Command(("true",), lambda _: Accounted())
    world.clock.forward(20 * HOUR)
    await office.settle()
    return office


async def test_a_centre_without_lent_accounts_is_asked_for_what_came_from_its_log(historic):
    assert [await historic.look(), await historic.look()] == [True, False]
    look, mismatches = await historic.last()
    assert (look.agrees, look.records, look.untold, mismatches) == (True, 1, 0, [])
    assert (look.accounted_micro, look.charged_micro) == (60_000, 60_000)


async def test_history_that_the_centre_changed_is_found_there_too(historic):
    historic.centre.accounted = [replace(*historic.centre.accounted, elapsed_seconds=1200)]
    await historic.look()
    assert [one.cause.value for one in (await historic.last())[1]] == ["changed"]


async def test_of_a_centre_without_lent_accounts_nothing_is_known_while_it_does_not_answer(historic):
    async def gone(_argv, **_more):
        raise Unreachable("east does not answer", "east 没有应答")

    historic.centre.run = gone
    with pytest.raises(Unreachable):
        await historic.look()
    async with historic.world.database.begin() as session:
        assert await looks(session, EAST) == []
