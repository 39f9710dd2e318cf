"""What a log tells is held against what was taken in of it: nothing where all is there, and what is lost, never metered
or changed by its name and amount."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, world
from tests.paracloud.dialects.log_lines import sacct
from tests.paracloud.history.old_logs import taken_in
from tests.paracloud.jobs.world import StillClock

from paracloud.billing.closing import closing_of, require_agreed
from paracloud.billing.contract import add_contract
from paracloud.billing.mismatch import Cause
from paracloud.billing.price import add_price
from paracloud.billing.reconcile import reconcile
from paracloud.billing.reconciliations import look_at, looks
from paracloud.centres.connect_centre import keep_history
from paracloud.centres.registry import connected, get_centre
from paracloud.history.logged import logged
from paracloud.history.reconcile_logs import reconcile_logs_next
from paracloud.kit.errors import Conflict, NotFound
from paracloud.kit.identifiers import CentreName, PriceVersionId, new_uuid

PAST = CentreName("past")
DAY = timedelta(days=1)
FIRST, SECOND = date(2026, 6, 1), date(2026, 6, 2)
IN_JULY = datetime(2026, 7, 2, tzinfo=UTC)
CLOCK = StillClock(IN_JULY)


@pytest.fixture
async def opened(database):
    """A centre that is connected, and one of which only history is kept."""
    opened = await world(database, "1000000")
    async with database.begin() as session:
        past = replace(
            await get_centre(session, EAST), name=PAST, host="", host_key="", service_account="", is_enabled=False
        )
        await keep_history(session, past, [], now=NOW)
        price = replace(opened.price, id=PriceVersionId(new_uuid()))
        await add_price(session, PAST, "cpu", price, person="op", now=NOW, valid_from=NOW - DAY)
        await add_contract(session, PAST, 7500, person="op", now=NOW, valid_from=NOW - DAY)
    return replace(opened, price=price)


def line(number: int, day: int = 1, **changes: str) -> str:
    at = f"2026-06-0{day}T"
    plain = {"Submit": f"{at}08:00:00", "Start": f"{at}09:00:00", "End": f"{at}10:00:00", "Elapsed": "01:00:00"}
    return sacct(JobID=str(number), JobIDRaw=str(number), **{**plain, **changes})


async def imported(database, opened, folder, content: str, centre=PAST):
    return await taken_in(database, folder, content, {"lin": opened.project}, CLOCK, centre=centre)


async def looked(database, folder, clock=CLOCK) -> bool:
    return await reconcile_logs_next(database, clock, lambda _: folder / "log")


async def found(database, day: date, centre=PAST) -> list[tuple[Cause, str, int]]:
    async with database.begin() as session:
        _, mismatches = await look_at(session, centre, day)
    return [(one.cause, one.record_id, one.micro) for one in mismatches]


async def vanish(owned, record_id: str) -> int:
    """Out of the usage; what it was charged stays."""
    async with owned.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        of = {"id": record_id}
        one = "(SELECT id FROM usage WHERE record_id = :id)"
        cost = (await session.scalars(text(f"SELECT sum(amount_micro) FROM charges WHERE usage_id = {one}"), of)).one()  # noqa: S608
        await session.execute(text(f"DELETE FROM usage_revisions WHERE usage_id = {one}"), of)  # noqa: S608
        await session.execute(text("DELETE FROM usage WHERE record_id = :id"), of)
    return int(cost)


async def test_the_days_of_a_log_are_looked_at_once_it_is_taken_in_and_a_week_later(database, opened, tmp_path):
    await imported(database, opened, tmp_path, line(1) + line(2) + line(3, 2) + line(1))
    assert await looked(database, tmp_path)
    async with database.begin() as session:
        got = await looks(session, PAST)
    assert [(one.day, one.records, one.differences, one.untold) for one in got] == [(FIRST, 2, 0, 0), (SECOND, 1, 0, 0)]
    assert got[0].accounted_micro == got[0].charged_micro > 0
    assert not await looked(database, tmp_path)
    later = StillClock(IN_JULY + 8 * DAY)
    assert await looked(database, tmp_path, later)
    assert not await looked(database, tmp_path, StillClock(IN_JULY + 99 * DAY))


async def test_a_record_of_a_log_that_vanished_is_named_with_what_it_cost(database, owned, opened, tmp_path):
    await imported(database, opened, tmp_path, line(1) + line(2) + line(3, 2))
    cost = await vanish(owned, "3")
    await looked(database, tmp_path)
    assert await found(database, FIRST) == []
    assert await found(database, SECOND) == [(Cause.NOT_METERED, "3", -cost)]
    async with database.begin() as session:
        told = (await session.scalars(text("SELECT text_en FROM notices WHERE kind = 'reconciliation'"))).all()
    assert len(told) == 1
    assert "past on 2026-06-02: 1 (not metered: 1)" in told[0]


async def test_what_no_log_tells_and_what_was_changed_since_is_found(database, owned, opened, tmp_path):
    await imported(database, opened, tmp_path, line(1) + line(2))
    (tmp_path / "log").write_text(line(1, Elapsed="00:01:00"))
    async with owned.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text("UPDATE imports SET done = 1, records = 1"))
    await looked(database, tmp_path)
    assert [one[:2] for one in await found(database, FIRST)] == [(Cause.CHANGED, "1"), (Cause.NOT_ACCOUNTED, "2")]


async def test_a_log_that_is_gone_leaves_its_days_unanswered(database, opened, tmp_path):
    await imported(database, opened, tmp_path, line(1) + line(3, 2))

    def gone(_):
        raise NotFound("The uploaded file is not here any more.", "文件不存在。")

    assert await reconcile_logs_next(database, CLOCK, gone)
    async with database.begin() as session:
        got = await looks(session, PAST)
    assert [(one.day, one.is_answered) for one in got] == [(FIRST, False), (SECOND, False)]
    assert "not here any more" in got[0].reason_en


async def differing(database, opened, folder, since: datetime) -> list[tuple[Cause, str, int]]:
    """At the connected centre, which tells nothing of what its log told."""
    start = datetime(2026, 6, 1, tzinfo=UTC)
    lines = await logged(database, lambda _: folder / "log", EAST, start, start + DAY)
    async with database.begin() as session:
        result = await reconcile(
            session, EAST, lines, start=start, end=start + DAY, lent=opened.lent, pinned={},
            since=since,
        )  # fmt: skip
    return [(one.cause, one.record_id, one.micro) for one in result.mismatches]


SINCES = pytest.mark.parametrize("since", [datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)])
"""The centre was connected before, and after."""


@SINCES
async def test_a_lost_record_is_found_at_a_connected_centre_that_does_not_tell_it(
    database, owned, opened, tmp_path, since
):
    await imported(database, opened, tmp_path, line(1) + line(2), EAST)
    assert await differing(database, opened, tmp_path, since) == []
    cost = await vanish(owned, "2")
    assert await differing(database, opened, tmp_path, since) == [(Cause.NOT_METERED, "2", -cost)]


@SINCES
async def test_what_was_changed_since_is_found_at_a_connected_centre_that_does_not_tell_it(
    database, opened, tmp_path, since
):
    await imported(database, opened, tmp_path, line(1) + line(2), EAST)
    (tmp_path / "log").write_text(
        line(1, Elapsed="00:30:00") + line(2, AllocTRES="cpu=64,gres/gpu=8,mem=255.50G,node=2")
    )
    ((cause, record_id, micro),) = await differing(database, opened, tmp_path, since)
    assert (cause, record_id) == (Cause.CHANGED, "1")
    assert micro > 0


async def test_a_month_with_usage_that_nobody_reconciled_is_not_closed_without_a_word(database, opened, tmp_path):
    await imported(database, opened, tmp_path, line(1) + line(3, 2))
    async with database.begin() as session:
        known = {PAST: date(2026, 8, 1)}
        assert EAST in await connected(session)
        days = (await closing_of(session, FIRST, known, now=IN_JULY)).days
        assert days == ((PAST, FIRST, None), (PAST, SECOND, None))
        with pytest.raises(Conflict, match="past 2026-06-01, past 2026-06-02"):
            await require_agreed(session, FIRST, {})
    await looked(database, tmp_path)
    async with database.begin() as session:
        assert (await closing_of(session, FIRST, {}, now=IN_JULY)).days == ()
        await require_agreed(session, FIRST, {})
