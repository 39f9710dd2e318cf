"""Old logs as files, and what became of them."""

from dataclasses import replace

from sqlalchemy import text
from tests.paracloud.billing.builders import (
    EAST,
    NOW,
)
from tests.paracloud.dialects.log_lines import sacct
from tests.paracloud.jobs.world import StillClock

from paracloud.history.carry_out import carry_out_next
from paracloud.history.imported import By, Import
from paracloud.history.request import Wanted, get_import, request_import
from paracloud.kit.identifiers import BlobId

LOG = BlobId("0" * 64)
COST = round(64 * 86400 * 0.123456789 * 10**6 / 3600) + 8 * 24 * 2 * 10**6


def rows(count: int, start: int = 0, **changes: str) -> str:
    return "".join(
        sacct(JobID=str(number), JobIDRaw=str(number), Submit="2026-06-01T08:00:00", **changes)
        for number in range(start, start + count)
    )


async def taken_in(database, folder, content: str | bytes, owners, clock=None, **changes) -> Import:
    (folder / "log").write_bytes(content.encode() if isinstance(content, str) else content)
    wanted = Wanted(LOG, "old.log", EAST, "sacct", By.USER, owners)
    async with database.begin() as session:
        new = await request_import(session, replace(wanted, **changes), person="op", now=NOW)
    assert await carry_out_next(database, clock or StillClock(NOW), lambda _: folder / "log")
    return await now(database, new)


async def now(database, of: Import) -> Import:
    async with database.begin() as session:
        return await get_import(session, of.id)


async def stored(database) -> tuple[int, int, int]:
    async with database.begin() as session:
        query = text("SELECT (SELECT count(*) FROM usage), (SELECT count(*) FROM charges), "
                     "(SELECT count(*) FROM ledger_entries WHERE kind = 'charge')")  # fmt: skip
        return tuple((await session.execute(query)).one())
