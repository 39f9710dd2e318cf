"""A hostile centre, through the real transport, dialect, rounds and book: it exhausts nothing, bills nobody, ends no
job by its word alone, and what it writes reaches people without a control character."""

import asyncio
import gc
import io
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import psutil
import pytest
import structlog
from sqlalchemy import text
from tests.contract.attacker import Attacker
from tests.contract.platform_ssh import Stand, standing
from tests.paracloud.jobs.world import EAST, StillClock, World, no_logs, open_world, person

from paracloud.api import shown
from paracloud.centres import registry
from paracloud.dialects.slurm.dialect import SlurmDialect
from paracloud.identity.caller import Caller
from paracloud.jobs.dispatch import dispatch
from paracloud.jobs.fund import Funder
from paracloud.jobs.outpost import Outpost
from paracloud.jobs.propose_moves import stay_all
from paracloud.jobs.reconcile_due import reconcile_due
from paracloud.jobs.settle import BATCH, Settlement
from paracloud.jobs.show import show
from paracloud.jobs.watch import watch
from paracloud.kit.database import Database
from paracloud.kit.errors import Broken
from paracloud.kit.identifiers import JobId, ProjectId, UnixAccount
from paracloud.kit.lease import Lease
from paracloud.kit.log import configure_logs
from paracloud.worker.report import Reporter
from paracloud.worker.tend import Duties, Hint, tend
from paracloud.worker.tenure import HeldLease

TENANT, SERVICE = UnixAccount("pc01"), UnixAccount("pc02")
ESCAPES = "\x1b[31m\x1b]0;owned\x07\x9b2J\x08\u202e\r"
ENDLESS = {
    "rows": "while True: row()",
    "rows in one breath": "row()\nblock = b'x' * 65536\nwhile True: say(block)",
    "NUL": "block = bytes(65536)\nwhile True: say(block)",
    "lines": "block = b'\\n' * 65536\nwhile True: say(block)",
    "marks": "block = (listing_nonce() + delimiter()).encode() * 3000\nwhile True: say(block)",
    "no UTF-8": "block = b'\\xff\\xfe' * 30000\nwhile True: say(block)",
    "errors": "block = b'\\x1b[31m' * 10000\nwhile True: sys.stderr.buffer.write(block)",
}
MEMORY_MOST_MIB = 512
"""What one answer may cost for a moment: its 32 MiB some times over, as bytes, as text and in pieces."""


class NoBudget:
    most_at_once = 1000

    async def take(self, cost: int) -> None:
        return


class RealPauses(StillClock):
    """Wall time stands still; waiting is real and short."""

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(min(duration.total_seconds(), 0.02))


@dataclass
class Siege:
    """One project of ours with an account at the hostile centre, and a job that the centre took."""

    world: World
    outpost: Outpost
    lease: Lease
    tenant: Attacker
    service: Attacker

    def tenure(self) -> Lease:
        return self.lease

    async def dispatch(self) -> int:
        return await dispatch(self.world.book, self.outpost, self.tenure, stage=None)

    async def round(self) -> object:
        """As the worker's: look, then settle."""
        book = self.world.book
        live = await book.live(self.lease)
        seen = await watch(book, self.outpost, self.tenure, live)
        return await Settlement(book, self.outpost, self.tenure).settle(live, seen)

    async def queued(self, native_id: str = "41") -> JobId:
        job = (await self.world.submit()).job
        self.tenant.plays(sbatch=f"say('{native_id}\\n')")
        await self.dispatch()
        assert await self.world.state(job) == "queued"
        return job

    async def money(self) -> dict[str, int]:
        async with self.world.database.begin() as session:
            found = await session.execute(text("SELECT code, balance_micro FROM ledger_accounts"))
            return {code: balance for code, balance in found.all() if balance}

    async def charges(self) -> int:
        return await self.world.one("SELECT count(*) FROM ledger_entries WHERE key LIKE 'charge:%'")

    async def texts(self, job: JobId, caller: Caller | None = None) -> list[str]:
        """All that the API says of it and of the centre."""
        async with self.world.database.begin() as session:
            detail = shown.detail(await show(session, caller or self.world.caller, job))
            health = (await registry.healths(session)).get(EAST)
        return [*_texts(detail.model_dump()), *_texts([health.error_en, health.error_zh] if health else [])]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


@pytest.fixture(scope="module")
async def stand() -> AsyncIterator[Stand]:
    async with standing() as stand:
        yield stand


@pytest.fixture
async def siege(stand: Stand, database: Database, owned: Database) -> AsyncIterator[Siege]:
    world = await open_world(database)
    world.clock = RealPauses()
    async with owned.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))  # a way, once agreed, stays
        await session.execute(text("UPDATE centres SET service_account = 'pc02'"))
        for lent, real in (("east0", "pc01"), ("east1", "spare1"), ("east2", "spare2")):
            statement = text("UPDATE centre_accounts SET account = :real WHERE account = :lent")
            await session.execute(statement, {"real": real, "lent": lent})
    attackers = [Attacker(stand.sshd.homes[name], uid) for name, uid in ((TENANT, 61001), (SERVICE, 61002))]
    async with stand.reach() as reach:
        outpost = Outpost(
            EAST, SERVICE, timedelta(minutes=10), SlurmDialect(), reach, NoBudget(), world.clock
        )  # fmt: skip
        yield Siege(world, outpost, await world.claim(EAST), *attackers)


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """What a terminal would see of the log."""
    stream, before = io.StringIO(), logging.getLogger().handlers[:]
    configure_logs("debug", stream)
    yield stream
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before
    logging.getLogger().setLevel(logging.WARNING)


class Peak:
    """How far this process's memory grew, looked at all the while."""

    async def __aenter__(self) -> "Peak":
        gc.collect()
        self._process = psutil.Process()
        self._before = self.highest = self._process.memory_info().rss
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            self.highest = max(self.highest, self._process.memory_info().rss)

    @property
    def grown_mib(self) -> float:
        return (self.highest - self._before) / (1 << 20)


@pytest.mark.parametrize("command", ["squeue", "sacct"])
async def test_an_answer_without_end_is_stopped_and_changes_nothing(siege: Siege, command: str) -> None:
    job = await siege.queued()
    before = await siege.money()
    for kind in ENDLESS if command == "squeue" else ("rows", "errors"):
        endless = ENDLESS[kind].replace("row()", "record()" if command == "sacct" else "row()")
        siege.service.plays(**{"squeue": f"row(id='41', name='pc-{job.hex}')", command: endless})
        async with asyncio.timeout(60), Peak() as peak:
            with pytest.raises(Broken, match=r"more than the limit allows|did not begin"):
                await siege.round()
        assert peak.grown_mib < MEMORY_MOST_MIB, kind
        assert await siege.money() == before, kind
        assert await siege.world.state(job) == ("queued" if command == "squeue" else "running"), kind


FORGED_LISTINGS = {
    "a number that is none": "row(id='41; rm -rf /')",
    "a number below zero": "row(id='-41')",
    "a number that fits nowhere": "row(id='9' * 4000)",
    "foreign digits": "row(id='\u0664\u0661')",
    "a task that is none": "row(task='\u00b2')",
    "a time that is none": "row(submitted='tomorrow')",
    "a time without end": "row(started='9' * 18)",
    "half a row": "say('41|N/A|pc01|RUNN')",
    "a row without its name": "row(id='41')\nsay('41|N/A|pc01|RUNNING|1|1|n|None' + listing_nonce())",
    "an account with a space before it": "row(user=' pc01')",
    "a row too few": "say('41|RUNNING' + listing_nonce() + 'x\\n')",
}


async def test_a_listing_that_is_not_understood_moves_no_job(siege: Siege) -> None:
    job = await siege.queued()
    for kind, forged in FORGED_LISTINGS.items():
        siege.service.plays(squeue=forged)
        with raises_broken(kind):
            await siege.round()
        assert await siege.world.state(job) == "queued", kind


@contextmanager
def raises_broken(kind: str) -> Iterator[None]:
    """With words that can be shown."""
    with pytest.raises(Broken) as raised:
        yield
    assert raised.value.en.isprintable(), kind
    assert raised.value.zh.isprintable(), kind


async def test_a_job_is_moved_only_by_its_own_id_account_and_tag(siege: Siege) -> None:
    job = await siege.queued()
    own = f"pc-{job.hex}"
    for attack in (
        f"row(id='42', name='{own}', state='COMPLETED')",
        f"row(id='41', name='{own}', user='pc02')",
        f"row(id='41', name='pc-{'0' * 32}')",
        f"row(id='41', name='{own.upper()}')",
    ):
        siege.service.plays(squeue=attack)
        await siege.round()
        assert await siege.world.state(job) == "vanished"
    siege.service.plays(squeue=f"row(id='41', name='{own}')")
    await siege.round()
    assert await siege.world.state(job) == "running"
    siege.service.plays(squeue=f"row(id='41', name='{own}', state='COMPLETED')")
    await siege.round()
    assert await siege.world.state(job) == "ending", "only accounting ends a job"


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


FORGED_RECORDS = {
    "minus a day": "record(elapsed='-86400')",
    "longer than the world": "record(elapsed='9' * 18)",
    "more cores than the world": "record(cpus='9' * 18)",
    "more memory than a number": "record(tres='cpu=1,mem=' + '9' * 15 + 'P')",
    "cores in words": "record(cpus='many')",
    "a number with a sign": "record(cpus='+4')",
    "an id that is an option": "record(raw='--all')",
    "an id of SQL": 'record(raw="1\'; DROP TABLE jobs; --")',
    "an account with a space behind it": "record(user='pc01 ')",
    "an account in escape codes": "record(user='\\x1bpc01')",
    "no submit time": "record(submit='')",
    "resources that are none": "record(tres='\\x00')",
    "a licence in words": "record(tres='cpu=1,license/matlab=many')",
    "more licences than a number": "record(tres='cpu=1,license/matlab=' + '9' * 19)",
    "more kinds of licences than there are": "record(tres='cpu=1,' + ','.join(f'license/l{n}=1' for n in range(65)))",
    "half a row": "record()\nsay('42' + delimiter() + '42')",
    "a column more": "record(name='x' + delimiter() + 'y')",
    "usage before its start": "record(start='Unknown', tres='', elapsed='600')\nrecord(exit='x:y')",
    "no UTF-8 in a number": "record(cpus='\\udcff')",
}


async def test_one_record_that_cannot_be_is_not_understood_and_nothing_beside_it_is_charged(siege: Siege) -> None:
    job = await siege.queued()
    before = await siege.money()
    good = f"record(raw='41', id='41', name='pc-{job.hex}')"
    for kind, forged in FORGED_RECORDS.items():
        siege.service.plays(sacct=f"{good}\n{forged}")
        with raises_broken(kind):
            await siege.round()
        assert await siege.charges() == 0, kind
        assert await siege.money() == before, kind
        assert await siege.world.state(job) == "vanished", kind
    siege.service.plays(sacct=good)
    await siege.round()
    assert await siege.world.state(job) == "completed"
    assert await siege.world.ledger_sum() == 0


async def test_a_flood_of_records_is_settled_in_parts_and_read_again_until_its_last_part_was(siege: Siege) -> None:
    job = await siege.queued()
    good = f"record(raw='41', id='41', name='pc-{job.hex}')\nfor n in range({2 * BATCH}): record(user='root')\n"
    siege.service.plays(sacct=f"{good}record(cpus='9' * 18)")
    with raises_broken("a last record that cannot be"):
        await siege.round()
    assert await siege.world.book.accounted_until(siege.lease) is None
    assert await siege.charges() == 1, "the first part was settled"
    siege.service.plays(sacct=good)
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


SUBMISSIONS = {
    "a number that is none": "say('\\x1b[31m41\\n')",
    "a number that fits nowhere": "say('9' * 400 + '\\n')",
    "silence": "",
    "a megabyte": "say('4' * (1 << 20))",
    "escape codes": "sys.stderr.write('sbatch: error: \\x1b[31m\\x9b2J\\u202eno\\n'); sys.exit(1)",
    "a definite no in escape codes": (
        "sys.stderr.write('sbatch: error: \\x1b[31mowned\\x07\\n"
        "sbatch: error: Batch job submission failed: Invalid partition name specified\\n'); sys.exit(1)"
    ),
    "no UTF-8": "sys.stderr.buffer.write(b'sbatch: error: \\xff\\xfe\\n'); sys.exit(1)",
    "death": "os.kill(os.getpid(), 9)",
}


async def test_a_submission_that_is_answered_with_nonsense_gives_no_job_an_id_and_no_text_an_escape(
    siege: Siege,
) -> None:
    for kind, played in SUBMISSIONS.items():
        job = (await siege.world.submit()).job
        siege.tenant.plays(sbatch=played)
        async with asyncio.timeout(60):
            await siege.dispatch()
        wanted = "refused" if "definite" in kind else "submitting"
        assert await siege.world.state(job) == wanted, kind
        assert await siege.world.one("SELECT native_id FROM jobs WHERE id = :job", job=job) is None, kind
        assert [one for one in await siege.texts(job) if not one.isprintable()] == [], kind


async def test_what_the_centre_writes_is_shown_without_a_control_character(siege: Siege, logs: io.StringIO) -> None:
    job = await siege.queued()
    reporter = Reporter(siege.world.database)
    own = f"id='41', name='pc-{job.hex}'"
    siege.service.plays(
        squeue=f"row({own}, reason={ESCAPES!r}, nodes={ESCAPES!r})",
    )
    await siege.round()
    siege.service.plays(squeue=f"sys.stderr.write({ESCAPES!r}); sys.exit(1)")
    with pytest.raises(Broken) as raised:
        await siege.round()
    await reporter.health(siege.outpost, raised.value)
    structlog.get_logger().warning("round", reason=raised.value.en, evidence=raised.value.evidence, raw=ESCAPES)
    assert [one for one in await siege.texts(job) if not one.isprintable()] == []
    siege.service.plays(
        sacct=f"record(raw='41', {own}, state='FAILED' + {ESCAPES!r}, list={ESCAPES!r}, partition={ESCAPES!r})"
    )
    await siege.round()
    assert [one for one in await siege.texts(job) if not one.isprintable()] == []
    assert logs.getvalue()
    assert [line for line in logs.getvalue().split("\n") if not line.isprintable()] == []


PICTURES = {
    "endless partitions": "while True: say('PartitionName=x State=UP MaxTime=1 MaxNodes=1\\n')",
    "endless nodes": "n = 'node' in words\nwhile n: say('NodeName=a CPUTot=1 CPUAlloc=0 RealMemory=1 State=IDLE\\n')",
    "one queue twice": "say('PartitionName=x State=UP MaxTime=1 MaxNodes=1\\n' * 2)",
    "sums that fit nowhere": (
        "say('NodeName=a CPUTot=%s CPUAlloc=0 RealMemory=1 State=IDLE Partitions=x\\n' % ('9' * 18) * 20"
        " if 'node' in words else 'PartitionName=x State=UP MaxTime=1 MaxNodes=1\\n')"
    ),
    "half": "say('PartitionName=x Sta') if 'partition' in words else sys.exit(1)",
    "escape codes": "say('PartitionName=\\x1b[31m State=\\x1b MaxTime=\\x1b[2J MaxNodes=1\\n')",
}


async def test_a_picture_of_queues_that_cannot_be_is_not_kept(siege: Siege) -> None:
    before = await siege.world.one("SELECT count(*) FROM queues WHERE centre = 'east'")
    for kind, picture in PICTURES.items():
        siege.service.plays(scontrol=picture)
        async with asyncio.timeout(60), Peak() as peak:
            with raises_broken(kind):
                await Reporter(siege.world.database).probe(siege.outpost, siege.tenure)
        assert peak.grown_mib < MEMORY_MOST_MIB, kind
        assert await siege.world.one("SELECT count(*) FROM queues WHERE centre = 'east'") == before, kind


async def test_the_worker_goes_on_whatever_the_centre_plays(siege: Siege, logs: io.StringIO) -> None:
    job = await siege.queued()
    before = await siege.money()
    world, reporter = siege.world, Reporter(siege.world.database)
    funder = Funder(world.database, world.clock)
    lease = HeldLease(siege.lease, world.leases(), world.clock)
    duties = Duties(
        stage=None,
        report=reporter.health,
        probe=reporter.probe,
        fund=funder.round,
        reconcile=partial(reconcile_due, world.database, no_logs),
        reroute=stay_all,
    )
    tending = asyncio.create_task(
        tend(world.book, siege.outpost, lease, duties, jobs=Hint(), renew_every=timedelta(seconds=1))
    )
    try:
        for play in (*FORGED_LISTINGS.values(), ENDLESS["no UTF-8"]):
            siege.service.plays(squeue=play, scontrol=PICTURES["one queue twice"])
            await _called(siege, "squeue", 2, tending)
        for forged in (*FORGED_RECORDS.values(), ENDLESS["rows in one breath"].replace("row()", "record()")):
            siege.service.plays(sacct=forged, scontrol=PICTURES["sums that fit nowhere"])
            await _called(siege, "sacct", 2, tending)
        assert await siege.money() == before
        siege.service.plays(sacct=f"record(raw='41', id='41', name='pc-{job.hex}')")
        async with asyncio.timeout(30):
            while await world.state(job) != "completed":
                assert not tending.done(), tending
                await asyncio.sleep(0.05)
    finally:
        tending.cancel()
        await asyncio.gather(tending, return_exceptions=True)
    said = logs.getvalue()
    assert "centre.round_failed" in said
    assert "centre.probe_failed" in said
    assert "Traceback" not in said
    assert [line for line in said.split("\n") if not line.isprintable()] == []
    assert await siege.charges() == 1
    assert await world.ledger_sum() == 0


async def _called(siege: Siege, command: str, times: int, tending: "asyncio.Task[None]") -> None:
    begun = siege.service.calls().count(command)
    async with asyncio.timeout(60):
        while siege.service.calls().count(command) < begun + times:
            assert not tending.done(), tending
            await asyncio.sleep(0.02)
