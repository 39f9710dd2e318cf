"""History is posted in entries that several charges share; each charge stays its own, to the micro-yuan."""

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import (
    EAST,
    NOW,
    World,
    left,
    metered,
    package_now,
    record,
    sold,
    sound,
    world,
)
from tests.paracloud.billing.three_books import DAY, RUNS, START

from paracloud.billing.charge import charge
from paracloud.billing.check import check
from paracloud.billing.hold import hold
from paracloud.billing.reconcile import reconcile
from paracloud.billing.reverse import reverse
from paracloud.kit.errors import Conflict, Invalid, NotFound
from paracloud.kit.identifiers import EntryId, UsageId, new_uuid
from paracloud.kit.money import Money


async def together(database, usages, name: str = "old.log:1", pinned=None) -> list[int | None]:
    async with database.begin() as session:
        return [one.amount_micro for one in await charge(session, usages, pinned=pinned or {}, now=NOW, together=name)]


async def entries(database) -> list[tuple[str, str]]:
    async with database.begin() as session:
        query = text("SELECT id::text, key FROM ledger_entries WHERE kind = 'charge' ORDER BY key")
        return [tuple(row) for row in (await session.execute(query)).all()]


async def mismatches(database, opened: World) -> list[tuple[str, int]]:
    async with database.begin() as session:
        found = await reconcile(
            session,
            EAST,
            RUNS,
            start=START,
            end=START + DAY,
            lent=opened.lent,
            pinned={},
            since=START,
        )
    return [(one.record_id, one.micro) for one in found.mismatches]


async def test_charges_of_history_share_an_entry_and_cost_what_they_cost_alone(database):
    opened = await world(database)
    usages = await metered(database, opened, *RUNS)
    alone = [one.cores * one.elapsed_seconds for one in RUNS]
    got = await together(database, usages)
    assert sorted(got) == sorted(round(seconds * opened.price.core_hour * 10**6 / 3600) for seconds in alone)
    ((_, key),) = await entries(database)
    assert key.startswith(f"charges:old.log:1:{opened.project}:east:")
    assert await left(database, opened) == 100_000_000 - sum(got)
    await sound(database)
    assert await mismatches(database, opened) == []


async def test_a_job_and_a_correction_keep_entries_of_their_own(database):
    opened = await world(database)
    async with database.begin() as session:
        await hold(session, opened.project, "job-1", Money.parse("1"), now=NOW)
    ours = await metered(database, opened, record("1"), job="job-1")
    by_hand = await metered(database, opened, record("2"), record("3"))
    await together(database, [*ours, *by_hand], pinned={"job-1": opened.price.id})
    changed = await metered(database, opened, record("2", elapsed_seconds=50))
    await together(database, changed, "old.log:2")
    keys = [key for _, key in await entries(database)]
    assert [key.partition(":")[0] for key in keys] == ["charge", "charge", "charges"]
    await sound(database)


async def test_one_of_the_charges_is_taken_back_by_its_usage(database):
    opened = await world(database)
    wanted = await sold(database, opened, hours=1, price="1")
    usages = await metered(database, opened, *RUNS)
    await together(database, usages)
    ((entry, _),) = await entries(database)
    one = next(usage for usage in usages if usage.cores == 3)
    before = await left(database, opened), (await package_now(database, wanted)).used
    async with database.begin() as session:
        with pytest.raises(Invalid, match="several charges"):
            await reverse(session, EntryId(entry), reason="goodwill", person="op", now=NOW)
        with pytest.raises(NotFound):
            await reverse(session, EntryId(entry), reason="x", person="op", now=NOW, usage=UsageId(new_uuid()))
        await reverse(session, EntryId(entry), reason="goodwill", person="op", now=NOW, usage=one.id)
        (amount,) = await session.scalars(text("SELECT -amount_micro - -package_micro FROM charges WHERE is_reversal"))
    after = await left(database, opened), (await package_now(database, wanted)).used
    assert after[0] - before[0] == amount
    assert after[1] <= before[1]
    await sound(database)
    with pytest.raises(Conflict):
        async with database.begin() as session:
            await reverse(session, EntryId(entry), reason="again", person="op", now=NOW, usage=one.id)
    assert await mismatches(database, opened) == []


@pytest.mark.parametrize("column", ["share_micro", "amount_micro"])
async def test_a_shared_entry_that_is_not_the_sum_of_its_charges_is_found(database, owned, column):
    opened = await world(database)
    usages = await metered(database, opened, *RUNS)
    await together(database, usages)
    async with owned.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        forged = f"UPDATE charges SET {column} = {column} + 5 WHERE usage_id = :id"  # noqa: S608
        await session.execute(text(forged), {"id": usages[0].id})
        found = [one.what for one in await check(session)]
    by_project = ["what a charge costs is paid by its own project"] if column == "amount_micro" else []
    assert found == [
        "the entry of a charge posts what the charge says",
        *by_project,
        "what a charge gives the centre and the lender is what its contract says",
    ]


async def test_a_batch_has_its_name_once(database):
    opened = await world(database)
    usages = await metered(database, opened, *RUNS)
    await together(database, usages[:2])
    with pytest.raises(Conflict, match="posted before"):
        await together(database, usages[2:])
    assert len(await entries(database)) == 1
    await together(database, usages[2:], "old.log:2")
    await sound(database)
