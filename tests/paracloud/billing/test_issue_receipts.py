"""Each charge has one receipt, at the end of its project's chain, whoever issues and whatever is tried by SQL."""

import asyncio
import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import NOW, World, charged, metered, record, sound, world

from paracloud.billing.charge import charge
from paracloud.billing.issue_receipts import continue_chains, issue_receipts, receipt_keys, receipts_page
from paracloud.billing.receipt import FIRST, NotWhole, Signer, end_line, header_line, receipt_line, verify
from paracloud.billing.reverse import reverse
from paracloud.kit.identifiers import EntryId

SIGNER, NEXT = Signer(bytes(range(32))), Signer(bytes(range(1, 33)))


async def issued(database, opened: World, signer: Signer = SIGNER) -> int:
    async with database.begin() as session:
        return await issue_receipts(session, signer, opened.project, now=NOW)


async def file_of(database, opened: World, signer: Signer = SIGNER) -> list[bytes]:
    async with database.begin() as session:
        page = await receipts_page(session, opened.project, 1)
        header = header_line(str(opened.project), await receipt_keys(session, signer))
    last = page[-1].hash if page else FIRST
    return [line.encode() for line in (header, *map(receipt_line, page), end_line(signer, header, len(page), last))]


async def test_every_charge_correction_and_reversal_has_its_receipt(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1"), record("2"), job="job-1"))
    assert await issued(database, opened) == 2
    await charged(database, await metered(database, opened, record("1", elapsed_seconds=50), job="job-1"))
    async with database.begin() as session:
        (entry,) = await session.scalars(text("SELECT entry_id FROM charges JOIN usage ON usage.id = usage_id "
                                              "WHERE record_id = '2'"))  # fmt: skip
        await reverse(session, EntryId(entry), reason="goodwill", person="op", now=NOW)
    assert await issued(database, opened) == 2
    assert await issued(database, opened) == 0
    lines = await file_of(database, opened)
    found = verify(lines)
    assert (found.count, found.project) == (4, str(opened.project))
    assert found.micro == {"CNY": 6_859}
    bodies = [json.loads(line)["receipt"] for line in lines[1:-1]]
    assert [one["amount_micro"] for one in bodies][:2] == ["13717", "13717"]
    assert sorted(one["elapsed_seconds"] for one in bodies) == [50, 100, 100, 100]
    assert [one["reason"] for one in bodies if one["is_reversal"]] == ["goodwill"]
    assert all(one["core_hour"] == "0.123456789" and one["job"] == "job-1" for one in bodies)
    assert "share" not in lines[1].decode()


async def test_the_platforms_own_cost_is_on_no_receipt(database):
    opened = await world(database)
    await metered(database, opened, record("1"))
    async with database.begin() as session:
        assert await issue_receipts(session, SIGNER, opened.project, now=NOW) == 0
    assert verify(await file_of(database, opened)).count == 0


async def test_eight_who_issue_at_once_make_one_chain(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, *(record(str(number)) for number in range(20))))
    counts = await asyncio.gather(*(issued(database, opened) for _ in range(8)))
    assert sorted(counts) == [0] * 7 + [20]
    assert verify(await file_of(database, opened)).count == 20
    await sound(database)


async def test_a_new_key_goes_on_where_the_old_one_stopped_and_both_are_known(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1")))
    await issued(database, opened)
    await charged(database, await metered(database, opened, record("2")))
    await issued(database, opened, NEXT)
    lines = await file_of(database, opened, NEXT)
    found = verify(lines)
    assert (found.count, set(found.keys)) == (2, {SIGNER.key, NEXT.key})
    assert verify(lines, [NEXT.public, SIGNER.public]).is_vouched
    for one in (SIGNER, NEXT):
        with pytest.raises(NotWhole, match="key that is not known"):
            verify(lines, [one.public])


async def test_a_chain_that_has_begun_goes_on_by_itself_and_no_other_begins(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1")))
    async with database.begin() as session:
        assert not await continue_chains(session, SIGNER, now=NOW)
    await issued(database, opened)
    await charged(database, await metered(database, opened, record("2")))
    for goes_on in (True, False):
        async with database.begin() as session:
            assert await continue_chains(session, SIGNER, now=NOW) is goes_on
    assert verify(await file_of(database, opened)).count == 2


async def test_a_charge_that_is_open_when_the_chain_begins_has_its_receipt_too(database, owned):
    opened = await world(database)
    usages = await metered(database, opened, record("1"))
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    async with database.begin() as session:
        await charge(session, usages, pinned={}, now=NOW)
        beginning = asyncio.create_task(issued(database, opened))
        async with asyncio.timeout(30), owned.engine.connect() as watching:
            while not beginning.done() and not (await watching.execute(waiting)).scalar_one():
                await watching.rollback()
    await beginning
    await issued(database, opened)
    assert verify(await file_of(database, opened)).count == 1


async def test_what_is_charged_later_waits_for_its_receipt_and_for_nothing_else(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1")))
    waiting = text("SELECT count(*) FROM receipts_due")
    async with database.begin() as session:
        assert (await session.scalars(waiting)).one() == 0
    await issued(database, opened)
    await charged(database, await metered(database, opened, record("2")))
    async with database.begin() as session:
        assert (await session.scalars(waiting)).one() == 1
    await issued(database, opened)
    async with database.begin() as session:
        assert (await session.scalars(waiting)).one() == 0


@pytest.mark.parametrize(
    ("forgery", "why"),
    [
        ("UPDATE receipts SET body = '{}'", "permission denied|append-only"),
        ("DELETE FROM receipts", "permission denied|append-only"),
        ("INSERT INTO receipts SELECT project_id, number + 5, usage_id, 9, is_reversal, body, previous, hash, "
         "signature, key_id, issued_at FROM receipts", "follows the one before"),
        ("INSERT INTO receipts SELECT project_id, number + 1, usage_id, 9, is_reversal, body, previous, hash, "
         "signature, key_id, issued_at FROM receipts", "follows the one before"),
        ("DELETE FROM receipts_due", "waits for its receipt until it has one"),
        ("UPDATE receipt_chains SET began_at = now()", "permission denied"),
    ],
)  # fmt: skip
async def test_the_database_keeps_the_chain(database, forgery, why):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1")))
    await issued(database, opened)
    await charged(database, await metered(database, opened, record("2")))
    with pytest.raises(DBAPIError, match=why):
        async with database.begin() as session:
            await session.execute(text(forgery))
