"""Days are reconciled by themselves: which day is due, what is kept of a look, and what the operator is told."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from tests.paracloud.jobs.test_settle import Centre
from tests.paracloud.jobs.world import EAST, START, no_logs, open_world, record

from paracloud.billing.charge import charge
from paracloud.billing.look import Look
from paracloud.billing.mismatch import Cause, Reconciliation
from paracloud.billing.notices import operators_notices
from paracloud.billing.reconciliations import keep_look, look_at, looks, unreconciled
from paracloud.billing.reverse import reverse
from paracloud.centres.centre import Health
from paracloud.centres.connect_centre import connect_centre, keep_history
from paracloud.centres.registry import all_centres, connected, connected_on, keep_health
from paracloud.dialects.records import Accounted, NativePhase, Unread
from paracloud.jobs.collect_day import collect_day
from paracloud.jobs.outpost import Outpost
from paracloud.jobs.reconcile_day import reconcile_day
from paracloud.jobs.reconcile_due import due, reconcile_due, unheard
from paracloud.kit.command import Command
from paracloud.kit.errors import Broken, Conflict, Invalid, Unreachable
from paracloud.kit.identifiers import CentreName, EntryId, NativeId, UnixAccount, UsageId
from paracloud.metering.collect import collect

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIRST = date(2026, 6, 1)
"""The day on which the world's centres were connected."""


def at(day: int, hour: int = 3) -> datetime:
    return datetime(2026, 6, day, hour, tzinfo=UTC)


def a_look(day: int, looked_at: datetime, differences: int = 0, reason: str | None = None) -> Look:
    return Look(EAST, date(2026, 6, day), 1, looked_at, differences=differences, reason_en=reason, reason_zh=reason)


@pytest.mark.parametrize(
    ("known", "read", "now", "wanted"),
    [
        ([], at(1, 23), at(1, 23), None),  # the day is not over
        ([], at(2, 1), at(2, 1), None),  # over, but records come late
        ([], at(2, 2), at(2, 2), 1),
        ([], at(1, 23), at(2, 3), None),  # the worker that charges has not read it to its end
        ([], None, at(9), None),
        ([a_look(1, at(2))], at(2), at(2), None),
        ([a_look(1, at(1, 12))], at(2), at(2), 1),  # somebody looked before it was over
        ([a_look(1, at(2))], at(5), at(5), 2),  # away for days: none is left out
        ([a_look(1, at(2), reason="silent")], at(3), at(3), 1),
        ([a_look(1, at(2), 1), a_look(2, at(3))], at(3, 4), at(3, 4), 1),  # a day later it may have been mended
        ([a_look(1, at(2), 1)], at(2, 20), at(2, 20), None),
        ([a_look(day, at(day + 1)) for day in range(1, 9)], at(9), at(9), 1),  # a week later, once more
        ([a_look(1, at(9)), *(a_look(day, at(day + 1)) for day in range(2, 9))], at(9), at(9), None),
    ],
)
def test_a_day_is_due_when_it_is_over_and_read(known, read, now, wanted):
    found = due({one.day: one for one in known}, FIRST, read, now)
    assert found == (None if wanted is None else date(2026, 6, wanted))


def test_a_day_that_differs_is_not_asked_for_for_ever():
    month = {FIRST: a_look(1, datetime(2026, 7, 2, tzinfo=UTC), 1)}
    last = datetime(2026, 7, 3, tzinfo=UTC)
    assert due(month, FIRST, at(2, 1), last) == FIRST
    assert due(month, FIRST, at(2, 1), last + DAY) is None


def test_a_centre_is_silent_of_a_day_that_is_long_over_and_unread():
    assert unheard({}, FIRST, at(1, 12), at(2, 23)) is None
    assert unheard({}, FIRST, at(1, 12), at(3, 0)) == FIRST
    assert unheard({}, FIRST, at(2, 0), at(3, 0)) is None
    assert unheard({FIRST: a_look(1, at(3, 0), reason="silent")}, FIRST, at(1, 12), at(3, 0)) is None


class Office:
    """One centre with its accounting, and a worker's calls of the duty."""

    def __init__(self, world, lease) -> None:
        self.world, self.lease, self.centre = world, lease, Centre()
        same = self.centre
        self.outpost = Outpost(EAST, "watcher", timedelta(minutes=10), same, same, same, world.clock)

    async def look(self) -> bool:
        return await reconcile_due(self.world.database, no_logs, self.outpost, lambda: self.lease)

    async def settle(self, *records) -> None:
        """As the worker's rounds do, until now."""
        await self.world.book.settle(self.lease, records, alive=[], read_until=self.world.clock.now())

    async def last(self, day: date = FIRST):
        async with self.world.database.begin() as session:
            return await look_at(session, EAST, day)

    async def told(self) -> list[str]:
        async with self.world.database.begin() as session:
            return [one.en for _, one in await operators_notices(session)]


@pytest.fixture
async def office(database):
    """A job of ten minutes ran on the day of the connection; it is the next morning."""
    world = await open_world(database)
    job = (await world.submit()).job
    lease = await world.leases(ttl=400 * DAY).claim(EAST)
    await world.book.intend(lease, limit=5)
    await world.book.submitted(lease, {job: NativeId("7")}, postponed={})
    office = Office(world, lease)
    office.centre.accounted = [record(job, "7")]
    world.clock.forward(20 * HOUR)
    await office.settle(*office.centre.accounted)
    return office


async def test_a_day_that_agrees_is_kept_and_nobody_is_told(office):
    assert [await office.look(), await office.look()] == [True, False]
    look, mismatches = await office.last()
    assert (look.agrees, look.attempt, look.records, mismatches) == (True, 1, 1, [])
    assert (look.accounted_micro, look.charged_micro, look.settled_micro) == (60_000, 60_000, 48_000)
    assert await office.told() == []


@pytest.mark.parametrize(
    ("plant", "cause", "micro"),
    [
        (lambda one: [one, replace(one, record_id="8", native_id=NativeId("8"), tag=None)], "not metered", -60_000),
        (lambda one: [], "not accounted", 60_000),
        (lambda one: [replace(one, elapsed_seconds=1200)], "changed", -60_000),
    ],
)
async def test_what_is_planted_is_found_by_itself_told_once_and_kept(office, plant, cause, micro):
    office.centre.accounted = plant(*office.centre.accounted)
    assert [await office.look(), await office.look()] == [True, False]
    look, (mismatch,) = await office.last()
    assert (mismatch.cause.value, mismatch.micro, look.off_micro) == (cause, micro, 60_000)
    (told,) = await office.told()
    assert all(word in told for word in ("Differences at east on 2026-06-01: 1 (", cause, "0.060000 CNY"))
    office.world.clock.forward(DAY)
    assert [await office.look(), (await office.last())[0].attempt, len(await office.told())] == [True, 2, 1]


async def test_a_row_that_is_not_understood_is_a_difference_of_its_day_with_its_text(office):
    (known,) = office.centre.accounted
    row = Unread(NativeId("8"), known.account, known.ended_at, "'zz' is no size", "无法理解", "8;mem=zz")
    office.centre.unread = [row]
    assert await office.look()
    look, (mismatch,) = await office.last()
    assert (look.agrees, mismatch.cause, mismatch.record_id) == (False, Cause.UNREAD, "8")
    assert (mismatch.en, mismatch.zh) == ("'zz' is no size: 8;mem=zz", "无法理解：8;mem=zz")
    async with office.world.database.begin() as session:
        open_days = await unreconciled(session, {EAST: FIRST}, date(2026, 6, 1), date(2026, 7, 1))
    assert FIRST in [day for _, day, _ in open_days]
    office.centre.unread = [replace(row, account=None)]
    office.world.clock.forward(DAY)
    with pytest.raises(Broken, match="mem=zz"):
        await office.look()


async def test_a_row_that_cannot_be_true_is_a_difference_of_its_day_and_stops_nothing(office):
    (known,) = office.centre.accounted
    office.centre.accounted.append(replace(known, native_id=NativeId("8"), record_id=NativeId("8"), cores=10**12))
    assert await office.look()
    _, (mismatch,) = await office.last()
    assert (mismatch.cause, mismatch.record_id, mismatch.micro) == (Cause.UNREAD, "8", 0)
    assert "1000000000000 cores" in mismatch.en


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        ("UPDATE charges SET amount_micro = amount_micro + 5, list_micro = list_micro + 5", "wrong amount"),
        ("UPDATE charges SET share_micro = share_micro - 5", "wrong share"),
    ],
)
async def test_what_is_wrong_in_our_own_books_is_found_by_itself(office, owned, wrong, cause):
    async with owned.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text(wrong))
    assert await office.look()
    _, mismatches = await office.last()
    assert cause in [one.cause.value for one in mismatches]


async def collected(office):
    return await collect_day(office.world.database, office.world.clock, office.centre, office.centre, EAST, FIRST)


async def test_a_job_that_was_never_metered_is_brought_in_however_old_it_is(office):
    world = office.world
    world.clock.forward(-20 * HOUR)
    missed = (await world.submit()).job
    await world.book.intend(office.lease, limit=5)
    await world.book.submitted(office.lease, {missed: NativeId("8")}, postponed={})
    await world.book.lose(office.lease, [missed])
    world.clock.forward(30 * DAY)
    office.centre.accounted += [record(missed, "8"), record(None, "9")]
    await office.settle()
    await office.look()
    assert [one.cause.value for one in (await office.last())[1]] == ["not metered"] * 2
    first, again = await collected(office), await collected(office)
    assert (first.charged, first.known, again.charged, again.known) == (2, 1, 0, 3)
    assert await world.state(missed) == "completed"
    assert await world.one("SELECT charged_micro FROM jobs WHERE id = :job", job=missed) == 60_000
    assert (await world.wallet(), await world.held(), await world.ledger_sum()) == (10**9 - 3 * 60_000, 0, 0)
    world.clock.forward(DAY)
    await office.look()
    assert (await office.last())[0].agrees


async def test_a_node_failure_that_is_collected_is_charged_and_ends_no_job_that_may_run_again(office):
    world = office.world
    job = (await world.submit()).job
    await world.book.intend(office.lease, limit=5)
    await world.book.submitted(office.lease, {job: NativeId("8")}, postponed={})
    lost = record(job, "8", phase=NativePhase.NODE_FAILED, native_state="NODE_FAIL")
    office.centre.accounted = [lost]
    assert (await collected(office)).charged == 1
    assert await world.state(job) == "queued"


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


async def test_a_day_that_was_mended_agrees_at_its_next_look(office):
    office.centre.accounted = []
    await office.look()
    async with office.world.database.begin() as session:
        usage, entry = (await session.execute(text("SELECT usage_id, entry_id FROM charges"))).one()
        await reverse(session, EntryId(entry), reason="the centre never ran it", person="chen", now=at(2, 5),
                      usage=UsageId(usage))  # fmt: skip
    office.world.clock.forward(DAY)
    assert await office.look()
    assert [(await office.last())[0].agrees, len(await office.told())] == [True, 1]


async def test_more_that_differs_is_told_again(office):
    (one,) = office.centre.accounted
    office.centre.accounted = [replace(one, elapsed_seconds=1200)]
    await office.look()
    office.centre.accounted.append(replace(one, record_id="8", native_id=NativeId("8"), tag=None))
    office.world.clock.forward(DAY)
    await office.look()
    assert [": 1 (" in (await office.told())[0], ": 2 (" in (await office.told())[1]] == [True, True]


async def test_whoever_was_away_for_days_leaves_none_out(office):
    office.world.clock.forward(3 * DAY)
    await office.settle()
    assert [await office.look() for _ in range(5)] == [True, True, True, True, False]
    async with office.world.database.begin() as session:
        assert [one.day.day for one in await looks(session, EAST)] == [1, 2, 3, 4]


async def test_a_centre_that_does_not_answer_keeps_the_day_waiting(office):
    async def gone(_centre, _account, *, purpose):
        raise Unreachable("east does not answer", "east 没有应答")

    office.centre.to = gone
    with pytest.raises(Unreachable):
        await office.look()
    async with office.world.database.begin() as session:
        assert await looks(session, EAST) == []


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


async def test_of_a_centre_that_stays_silent_the_operator_is_told_once_a_day(office):
    office.world.clock.forward(2 * DAY)  # nothing was read since the morning of the 2nd
    async with office.world.database.begin() as session:
        trouble = Health(office.world.clock.now(), 9, at(2), "Connection refused.", "连接被拒绝。")
        await keep_health(session, EAST, trouble)
    assert [await office.look() for _ in range(3)] == [True, True, False]
    look, _ = await office.last(date(2026, 6, 2))
    assert (look.is_answered, look.reason_en) == (False, "Connection refused.")
    assert await office.told() == ["2026-06-02 of east is not reconciled: Connection refused."]
    await office.settle()
    assert await office.look()
    assert (await office.last(date(2026, 6, 2)))[0].agrees


async def test_of_two_who_look_at_once_one_is_kept_and_tells(office):
    differs = Reconciliation(EAST, START.replace(hour=0), at(2, 0), 0, 0, 0, 0, ())
    async with office.world.database.begin() as session:
        assert await keep_look(session, differs, None, now=at(2))
        assert not await keep_look(session, differs, None, now=at(2))
        assert [one.attempt for one in await looks(session, EAST)] == [1]


async def test_days_that_do_not_agree_are_named(office):
    office.world.clock.forward(DAY)
    await office.settle()
    office.centre.accounted = []
    await office.look()
    async with office.world.database.begin() as session:
        since = {EAST: await connected_on(session, EAST)}
        assert (await connected(session))[EAST] == FIRST
        found = await unreconciled(session, since, date(2026, 5, 30), date(2026, 6, 4))
    assert [(day.day, None if look is None else look.differences) for _, day, look in found] == [
        (1, 1), (2, None), (3, None),
    ]  # fmt: skip


async def test_what_was_found_is_not_changed_afterwards(office):
    await office.look()
    for words in ("UPDATE reconciliations SET records = 0", "DELETE FROM mismatches", "DELETE FROM reconciliations"):
        with pytest.raises(Exception, match=r"append-only|permission denied"):
            async with office.world.database.begin() as session:
                await session.execute(text(words))


async def test_what_ran_under_an_account_before_it_was_a_projects_is_nobodys_on_the_day_and_a_week_later(office):
    before = record(None, "3", submitted_at=START - timedelta(seconds=1))
    mine = record(None, "4", submitted_at=START)
    office.centre.accounted += [before, mine]
    settled = await office.world.book.settle(office.lease, [before, mine], alive=[], read_until=None)
    assert (settled.charged, settled.unclaimed) == (1, 1)
    assert await office.world.one("SELECT count(*) FROM charges") == 2
    await office.look()
    assert (await office.last())[0].agrees
    office.world.clock.forward(7 * DAY)
    await office.look()
    look, mismatches = await office.last()
    assert (look.attempt, look.records, look.agrees, mismatches) == (2, 2, True, [])
