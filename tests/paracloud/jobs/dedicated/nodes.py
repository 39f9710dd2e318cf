"""Nodes that are dedicated to a job's project for half an hour, and what is charged of the job."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.paracloud.jobs.flight import SECOND, Flight
from tests.paracloud.jobs.world import EAST, START, record

from paracloud.billing.dedication import Dedication, dedicate, end_dedication, new_dedication_id
from paracloud.billing.post_fees import pay_first_fee
from paracloud.kit.identifiers import JobId
from paracloud.kit.money import Money

END = 1800
"""Seconds after which the nodes are the customer's no longer; a job runs for an hour, at 100 micro-yuan a second."""
DUE = END - 330
"""The grace and a margin of thirty seconds before it."""
JULY = datetime(2026, 7, 1, tzinfo=UTC)
JUNES_FEE = "35.6"
"""Of 36 a month, for what is left of June at START."""


async def dedicated(flying: Flight, monthly: str = "0", start: datetime = START, **changes) -> Dedication:
    own = Dedication(new_dedication_id(), flying.world.project, EAST, "cpu", 4, Money.parse(monthly), 0, start, None)
    own = replace(own, **changes)
    async with flying.world.database.begin() as session:
        await dedicate(session, own, person="op", now=flying.world.clock.now())
        await pay_first_fee(session, own, now=flying.world.clock.now())
    return own


async def ended(flying: Flight, own: Dedication, seconds: int) -> None:
    async with flying.world.database.begin() as session:
        at, now = flying.start + seconds * SECOND, flying.world.clock.now()
        await end_dedication(session, own.id, at, person="op", now=now)


async def settled(flying: Flight, job: JobId, seconds: int, **changes) -> None:
    end = flying.start + seconds * SECOND
    times = {"submitted_at": flying.start, "started_at": flying.start, "ended_at": end, "elapsed_seconds": seconds}
    flying.world.clock.forward(max(end - flying.world.clock.now(), timedelta(0)))
    await flying.world.book.settle(flying.lease, [record(job, "7", **times | changes)], alive=[], read_until=None)


async def charged(flying: Flight, job: JobId) -> int:
    return await flying.world.one("SELECT charged_micro FROM jobs WHERE id = :job", job=job)
