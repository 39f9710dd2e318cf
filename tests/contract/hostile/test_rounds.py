"""A worker goes on at a hostile centre, and what the centre writes reaches people without a control character."""

import asyncio
import io
from datetime import timedelta
from functools import partial

import pytest
import structlog
from tests.contract.hostile.plays import ENDLESS, FORGED_LISTINGS, FORGED_RECORDS, PICTURES
from tests.contract.hostile.siege import Siege
from tests.paracloud.jobs.world import no_logs

from paracloud.jobs.fund import Funder
from paracloud.jobs.propose_moves import stay_all
from paracloud.jobs.reconcile_due import reconcile_due
from paracloud.kit.errors import Broken
from paracloud.worker.duties import Duties
from paracloud.worker.hint import Hint
from paracloud.worker.report import Reporter
from paracloud.worker.tend import tend
from paracloud.worker.tenure import HeldLease

ESCAPES = "\x1b[31m\x1b]0;owned\x07\x9b2J\x08\u202e\r"


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
