"""What one job was charged: each execution, correction and reversal, at which price, and how it was paid."""

from datetime import date

from sqlalchemy import text
from tests.paracloud.billing.builders import NOW, charged, metered, record, sold, world

from paracloud.billing.decide_usage import decide_usage
from paracloud.billing.reverse import reverse
from paracloud.kit.identifiers import EntryId, ProjectId, UsageId, new_uuid
from paracloud.statements.state_month import bill_of
from paracloud.statements.statement import CORRECTION, REVERSAL, USAGE
from paracloud.statements.store import sums

HALF_PACKAGE = 3600


async def test_a_bill_is_what_its_job_was_charged_and_says_what_a_package_paid(database):
    opened = await world(database)
    await sold(database, opened, hours=1, price="0.9")
    (one,) = await metered(database, opened, record("1", cores=4, elapsed_seconds=1800), job="job-1")
    await charged(database, [one])
    shorter = await metered(database, opened, record("1", cores=4, elapsed_seconds=1700), job="job-1")
    await charged(database, shorter)
    await charged(database, await metered(database, opened, record("2"), job="job-2"))
    async with database.begin() as session:
        lines = await bill_of(session, opened.project, "job-1")
        total = (
            await session.execute(text("SELECT sum(amount_micro) FROM charges WHERE reference = 'job-1'"))
        ).scalar_one()
        assert await bill_of(session, ProjectId(new_uuid()), "job-1") == []
    assert [(line.kind, line.sums.core_seconds) for line in lines] == [(USAGE, 7200), (CORRECTION, -400)]
    assert sum(line.sums.amount for line in lines) == total
    assert (lines[0].taken[0].units, lines[0].taken[0].micro) == (HALF_PACKAGE, lines[0].sums.package)
    assert lines[0].core_hour == opened.price.core_hour
    assert lines[0].sums.list == round(HALF_PACKAGE * opened.price.core_hour * 1_000_000 / 3600)


async def test_a_reversal_is_on_the_bill_with_its_reason(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1"), job="job-1"))
    async with database.begin() as session:
        usage, entry = (await session.execute(text("SELECT usage_id, entry_id FROM charges"))).one()
        await reverse(session, EntryId(entry), reason="bad node", person="chen", now=NOW, usage=UsageId(usage))
        lines = await bill_of(session, opened.project, "job-1")
    assert [(line.kind, line.reason) for line in lines] == [(USAGE, None), (REVERSAL, "bad node")]
    assert sum(line.sums.amount for line in lines) == 0


async def test_what_was_corrected_reversed_and_charged_anew_comes_to_its_hours_once(database):
    opened = await world(database)
    for seconds in (100, 200):
        await charged(database, await metered(database, opened, record("1", elapsed_seconds=seconds), job="job-1"))
    async with database.begin() as session:
        usage, entry = (await session.execute(text("SELECT usage_id, entry_id FROM charges WHERE revision = 2"))).one()
        await reverse(session, EntryId(entry), reason="wrong price", person="chen", now=NOW)
        lines = await bill_of(session, opened.project, "job-1")
        assert sum(line.sums.core_seconds for line in lines) == 0
        await decide_usage(session, UsageId(usage), opened.price.id, reason="as agreed", person="chen", now=NOW)
        lines = await bill_of(session, opened.project, "job-1")
        month = await sums(session, [opened.project], date(2026, 6, 1))
    assert [(line.kind, line.sums.core_seconds, line.sums.jobs, line.is_anew, line.reason) for line in lines] == [
        (USAGE, 400, 1, False, None),
        (CORRECTION, 400, 0, False, None),
        (REVERSAL, -800, 0, False, "wrong price"),
        (CORRECTION, 800, 0, True, "as agreed"),
    ]
    assert len({line.entry for line in lines}) == 4
    assert [(row.jobs, row.core_seconds) for row in month] == [(1, 800), (1, 800)]
