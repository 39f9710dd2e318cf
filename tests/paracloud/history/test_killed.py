"""A worker's process that is killed while it stores a log: the next one ends with the very same books."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, World, left, sound, world
from tests.paracloud.history.old_logs import COST, LOG, now, rows, stored
from tests.paracloud.jobs.world import StillClock

from paracloud.history.carry_out import carry_out_next
from paracloud.history.imported import By, ImportState
from paracloud.history.request import Wanted, request_import
from paracloud.kit.clock import SystemClock

RECORDS = 3000
CARRIER = Path(__file__).with_name("carrier.py")


async def test_a_killed_process_loses_nothing_and_doubles_nothing(database, database_url, tmp_path):
    opened: World = await world(database, "100000000")
    file = tmp_path / "log"
    file.write_text(rows(RECORDS))
    async with database.begin() as session:
        wanted = Wanted(LOG, "old.log", EAST, "sacct", By.USER, {"lin": opened.project})
        new = await request_import(session, wanted, person="op", now=NOW)
    process = await asyncio.create_subprocess_exec(sys.executable, CARRIER, database_url, file)
    try:
        while (await now(database, new)).done == 0:
            assert process.returncode is None
    finally:
        process.kill()
        await process.wait()
    await _is_let_go(database)
    stopped = await now(database, new)
    assert stopped.state is ImportState.STORING
    assert 0 < stopped.done < RECORDS
    assert (await stored(database))[:2] == (stopped.done, stopped.done)
    clock = StillClock(SystemClock().now() + timedelta(minutes=2))
    assert await carry_out_next(database, clock, lambda _: file)
    done = await now(database, new)
    assert (done.state, done.done, done.new, done.known) == (ImportState.DONE, RECORDS, RECORDS, 0)
    assert (await stored(database))[:2] == (RECORDS, RECORDS)
    assert await left(database, opened) == 10**14 - RECORDS * COST
    await sound(database)


async def _is_let_go(database) -> None:
    """Until the server has ended what the dead process had begun: its transaction may still be committing."""
    query = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
                 " AND pid <> pg_backend_pid()")  # fmt: skip
    while True:
        async with database.begin() as session:
            if (await session.execute(query)).scalar_one() == 0:
                return
