"""What differs on a day is found by itself, and what was never metered is brought in."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from tests.paracloud.jobs.morning import DAY, FIRST, HOUR, office
from tests.paracloud.jobs.world import EAST, START, record

from paracloud.billing.mismatch import Cause
from paracloud.billing.reconciliations import unreconciled
from paracloud.dialects.records import NativePhase, Unread
from paracloud.jobs.collect_day import collect_day
from paracloud.kit.errors import Broken
from paracloud.kit.identifiers import NativeId

__all__ = ["office"]


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
