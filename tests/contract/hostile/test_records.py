"""A hostile centre's records: they bill nobody who did not compute there, and end no job but their own."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from tests.contract.hostile.plays import FORGED_RECORDS
from tests.contract.hostile.siege import Siege
from tests.paracloud.jobs.world import person

from paracloud.jobs.settle import BATCH
from paracloud.kit.database import Database
from paracloud.kit.errors import Broken
from paracloud.kit.identifiers import ProjectId

STRANGERS = {
    "accounts of nobody": "for n in range(3000): record(raw=str(n), id=str(n), user='u%d' % n)",
    "root": "record(user='root')",
    "an account that is lent to nobody yet": "record(user='spare1')",
    "no account": "record(user='')",
    "our job under an account of nobody": "record(raw='41', id='41', user='root', name=NAME)",
    "a name that only looks like ours": "record(user='PC01', name=NAME)\nrecord(user='pc0', name=NAME)",
    "times out of the window": "record(end='1', start='1', submit='1')\nrecord(end='8000000000')",
    "a job that has not ended": "record(end='Unknown', state='RUNNING', elapsed='999999')",
    "a state that nobody knows and no end": "record(state='\\x1b[31mOWNED', end='Unknown')",
}


async def test_usage_that_is_nobodys_bills_nobody(siege: Siege) -> None:
    job = await siege.queued()
    before = await siege.money()
    for kind, told in STRANGERS.items():
        siege.service.plays(squeue=f"row(id='41', name='pc-{job.hex}')", sacct=f"NAME = 'pc-{job.hex}'\n{told}")
        await siege.round()
        assert await siege.charges() == 0, kind
        assert await siege.money() == before, kind
        assert await siege.world.state(job) == "running", kind
    assert siege.service.calls().count("sacct") >= len(STRANGERS)


async def test_a_record_that_cannot_be_is_never_charged_and_a_good_one_beside_it_once(siege: Siege) -> None:
    """Either nothing of the answer is believed, or that row is kept apart."""
    job = await siege.queued()
    good = f"record(raw='41', id='41', name='pc-{job.hex}')"
    for kind, forged in FORGED_RECORDS.items():
        siege.service.plays(sacct=f"{good}\n{forged}")
        with suppress(Broken):
            await siege.round()
        charges = await siege.charges()
        assert charges <= 1, kind
        assert await siege.world.state(job) == ("completed" if charges else "vanished"), (
            f"{kind}: the good one's, if any"
        )
    siege.service.plays(sacct=good)
    await siege.round()
    assert await siege.world.state(job) == "completed"
    assert await siege.charges() == 1
    assert await siege.world.one("SELECT count(*) FROM usage") == 1
    assert await siege.world.one("SELECT max(elapsed_seconds) FROM usage") == 600
    assert await siege.world.ledger_sum() == 0


async def test_a_flood_of_records_is_settled_whole_but_for_the_one_that_cannot_be(siege: Siege) -> None:
    job = await siege.queued()
    flood = f"for n in range({2 * BATCH}): record(user='root')\nrecord(cpus='9' * 18)\n"
    siege.service.plays(sacct=f"{flood}record(raw='41', id='41', name='pc-{job.hex}')")
    await siege.round()
    assert await siege.world.book.accounted_until(siege.lease) == siege.world.clock.now()
    assert await siege.charges() == 1
    assert await siege.world.state(job) == "completed"


async def test_a_price_that_no_execution_can_have_is_listed_and_not_charged(siege: Siege) -> None:
    job = await siege.queued()
    siege.service.plays(
        sacct=f"record(raw='41', id='41', name='pc-{job.hex}', cpus='9' * 7, elapsed='9' * 9, tres='cpu=9999999')"
    )
    await siege.round()
    assert await siege.charges() == 0
    assert await siege.world.one("SELECT count(*) FROM unrated_usage") == 1
    assert await siege.world.ledger_sum() == 0


async def test_a_record_with_another_tenants_tag_touches_neither_his_job_nor_his_money(siege: Siege) -> None:
    """The account that it names pays, as for any job that is started by hand there; nobody else is touched."""
    database = siege.world.database
    async with database.begin() as session:
        other, _ = await person(session, "wang")
        statement = "UPDATE centre_accounts SET project_id = :other, assigned_at = :at WHERE account = 'spare1'"
        await session.execute(text(statement), {"other": other, "at": siege.world.clock.now() - timedelta(days=1)})
    job = await siege.queued()
    before = await siege.world.wallet(), await siege.world.held()
    siege.service.plays(
        squeue=f"row(id='41', name='pc-{job.hex}')",
        sacct=f"record(raw='41', id='41', user='spare1', name='pc-{job.hex}')",
    )
    await siege.round()
    assert (await siege.world.wallet(), await siege.world.held()) == before
    assert await siege.world.state(job) == "running"
    assert await _projects_billed(database) == {other}
    assert await siege.world.ledger_sum() == 0


async def _projects_billed(database: Database) -> set[ProjectId]:
    async with database.begin() as session:
        query = "SELECT code FROM ledger_accounts WHERE code LIKE 'wallet:%' AND balance_micro < 0"
        return {ProjectId(UUID(code.partition(":")[2])) for code in await session.scalars(text(query))}


async def test_a_record_of_our_job_under_a_forged_number_neither_ends_it_nor_takes_its_hold(siege: Siege) -> None:
    """It is usage of the account as any other that its centre reports: to believe the name would let a tenant compute
    at the platform's cost."""
    job = await siege.queued()
    before = await siege.world.held()
    siege.service.plays(
        squeue=f"row(id='41', name='pc-{job.hex}')",
        sacct=f"for n in range(50, 60): record(raw=str(n), id=str(n), name='pc-{job.hex}', elapsed='60')",
    )
    await siege.round()
    assert await siege.world.state(job) == "running"
    assert await siege.world.held() == before
    assert await siege.charges() == 10
    assert await siege.world.ledger_sum() == 0


async def test_two_jobs_that_were_given_one_number_are_settled_each_by_its_own_tag(siege: Siege) -> None:
    first, second = await siege.queued("41"), await siege.queued("41")
    rows = [f"record(raw='{raw}', id='41', name='pc-{job.hex}')" for raw, job in (("41", first), ("42", second))]
    siege.service.plays(sacct="\n".join(rows))
    await siege.round()
    assert {await siege.world.state(first), await siege.world.state(second)} == {"completed"}
    assert await siege.charges() == 2
    assert await siege.world.ledger_sum() == 0
