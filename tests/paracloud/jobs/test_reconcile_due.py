"""Days are reconciled by themselves: which day is due, what is kept of a look, and what the operator is told."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from tests.paracloud.jobs.morning import DAY, FIRST, at, office
from tests.paracloud.jobs.world import EAST, START

from paracloud.billing.look import Look
from paracloud.billing.mismatch import Reconciliation
from paracloud.billing.reconciliations import keep_look, looks, unreconciled
from paracloud.billing.reverse import reverse
from paracloud.centres.centre import Health
from paracloud.centres.registry import connected, connected_on, keep_health
from paracloud.jobs.reconcile_due import due, unheard
from paracloud.kit.errors import Unreachable
from paracloud.kit.identifiers import EntryId, NativeId, UsageId

__all__ = ["office"]


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


async def test_a_day_that_agrees_is_kept_and_nobody_is_told(office):
    assert [await office.look(), await office.look()] == [True, False]
    look, mismatches = await office.last()
    assert (look.agrees, look.attempt, look.records, mismatches) == (True, 1, 1, [])
    assert (look.accounted_micro, look.charged_micro, look.settled_micro) == (60_000, 60_000, 48_000)
    assert await office.told() == []


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
