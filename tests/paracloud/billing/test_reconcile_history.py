"""What came from an old log is reconciled as what was metered, as far as its centre still tells of it."""

from dataclasses import replace

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, charged, metered, record
from tests.paracloud.billing.three_books import DAY, RUNS, amount, found, opened, reconciled

from paracloud.billing.charge import charge
from paracloud.billing.mismatch import Cause
from paracloud.kit.identifiers import UnixAccount
from paracloud.metering.collect import collect

__all__ = ["opened"]


LOGGED = [replace(one, account=UnixAccount("wang")) for one in RUNS]
"""Of a Unix user whom the centre does not lend: they came from a log."""


async def imported(database, opened, *records) -> None:
    async with database.begin() as session:
        owners = {UnixAccount("wang"): opened.project}
        got = await collect(session, EAST, records, owners=owners, claims={}, now=NOW)
        await charge(session, got.new, pinned={}, now=NOW)


@pytest.mark.parametrize("lent", [{}, None])
async def test_history_that_the_centre_tells_agrees(database, opened, lent):
    await imported(database, opened, *LOGGED)
    result = await reconciled(database, opened, LOGGED, lent=lent)
    assert (result.mismatches, result.records, result.untold) == ((), 4, 0)
    assert result.accounted_micro == result.charged_micro == sum(amount(opened, one) for one in RUNS)


async def test_history_that_the_centre_lost_or_changed_is_found(database, opened):
    await imported(database, opened, *LOGGED)
    longer = replace(LOGGED[0], elapsed_seconds=400, memory_bytes=77)
    rounded = replace(LOGGED[1], memory_bytes=77)
    assert found(await reconciled(database, opened, [longer, rounded, LOGGED[2]])) == [
        (Cause.CHANGED, "1", amount(opened, LOGGED[0]) - amount(opened, longer)),
        (Cause.NOT_ACCOUNTED, "4", amount(opened, LOGGED[3])),
    ]


async def test_a_centre_that_shows_only_its_lent_accounts_loses_no_history(database, opened):
    await imported(database, opened, *LOGGED)
    lent = record("9")
    await charged(database, await metered(database, opened, lent))
    result = await reconciled(database, opened, [lent])
    assert (result.mismatches, result.records, result.untold) == ((), 1, 4)
    assert result.accounted_micro == amount(opened, lent)
    assert found(await reconciled(database, opened, [])) == [(Cause.NOT_ACCOUNTED, "9", amount(opened, lent))]


async def test_what_ended_before_the_centre_was_connected_need_not_be_told_any_more(database, opened):
    await imported(database, opened, *LOGGED)
    result = await reconciled(database, opened, LOGGED[:1], since=NOW + DAY)
    assert (result.mismatches, result.records, result.untold) == ((), 1, 3)


async def test_our_own_books_of_what_need_not_be_told_are_looked_at(database, owned, opened):
    await imported(database, opened, *LOGGED)
    async with owned.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        more = "UPDATE charges SET amount_micro = amount_micro + 5 FROM usage WHERE usage_id = id AND record_id = '2'"
        await session.execute(text(more))
    result = await reconciled(database, opened, [], since=NOW + DAY)
    assert found(result) == [(Cause.WRONG_AMOUNT, "2", 5)]


async def test_a_strangers_record_is_nobodys_whatever_else_the_centre_tells(database, opened):
    await imported(database, opened, *LOGGED)
    stranger = replace(RUNS[0], record_id="77", account=UnixAccount("someone"))
    result = await reconciled(database, opened, [*LOGGED, stranger])
    assert (result.mismatches, result.records) == ((), 4)
