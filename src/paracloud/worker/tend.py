"""Tend one centre while its lease is held: dispatch, watch, fund, probe, reconcile and renew, side by side under one
fence."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from paracloud.centres.health import WELL_ROUNDS
from paracloud.jobs.book import Book, LiveJob
from paracloud.jobs.carry_out import carry_out
from paracloud.jobs.clear_given_up import Reached, cancel_given_up, reach_given_up
from paracloud.jobs.dispatch import BATCH, dispatch
from paracloud.jobs.move_on import move_on
from paracloud.jobs.outpost import Outpost
from paracloud.jobs.settle import Settlement
from paracloud.jobs.watch import Listing, watch
from paracloud.kit.errors import Fenced, ParacloudError, Unreachable
from paracloud.kit.identifiers import JobId
from paracloud.worker.duties import Duties
from paracloud.worker.hint import Hint
from paracloud.worker.tenure import HeldLease

log = structlog.get_logger()

BUSY = timedelta(seconds=1)
"""Between two rounds while jobs are live: half of it is what an end waits on average to be seen."""
IDLE = timedelta(seconds=15)
PROBE = timedelta(seconds=60)
RECONCILE = timedelta(minutes=10)
"""Between two looks whether a day is over that was not reconciled."""
TROUBLE = timedelta(seconds=3)
"""After a round that failed."""
RETRY = timedelta(seconds=5)
"""How long dispatch waits without a hint: for jobs whose earlier try was postponed."""
REROUTE = timedelta(seconds=15)
"""Between two looks for jobs that wait too long."""
DRAW = timedelta(seconds=5)
"""Between two looks for jobs that are kept back, and for room for them."""
PROBE_LEAST = timedelta(seconds=15)
"""Between two probes while jobs are kept back: what is free is for them."""
GATHER = timedelta(milliseconds=250)
"""At least so long after one dispatch began the next one does: a job that comes alone goes at once, and jobs that come
one by one go to the centre by the batch. A login, a shell and two syncs cost it more than the sbatch that they are
for."""


@dataclass(slots=True)
class Silence:
    """Whether the centre's scheduler did not answer when it was asked last. As long as it does not, nothing is
    intended: an intent for nothing would bind a job to a centre that may be dead."""

    is_so: bool = False


async def tend(
    book: Book, outpost: Outpost, lease: HeldLease, duties: Duties, *, jobs: Hint, renew_every: timedelta
) -> None:
    """Runs until cancelled or until the lease is lost (then it ends well: another tends the centre)."""
    looks, pictures, since, silence = Hint(), Hint(), dict[JobId, datetime](), Silence()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(lease.keep(renew_every))
            group.create_task(_dispatching(book, outpost, lease, duties, jobs, looks, silence))
            group.create_task(_watching(book, outpost, lease, duties, looks, since, silence))
            group.create_task(_funding(outpost, lease, duties, since))
            group.create_task(_probing(outpost, lease, duties, pictures))
            group.create_task(_drawing(outpost, lease, duties, pictures))
            group.create_task(_reconciling(outpost, lease, duties))
            group.create_task(_rerouting(outpost, lease, duties))
    except* Fenced as lost:
        log.warning("centre.lease_lost", centre=outpost.centre, reason=str(lost.exceptions[0]))


async def _dispatching(  # one loop's whole world
    book: Book, outpost: Outpost, lease: HeldLease, duties: Duties, jobs: Hint, looks: Hint, silence: Silence
) -> None:
    while True:
        if silence.is_so:
            await jobs.wait(outpost, TROUBLE)
            continue
        tried, began = 0, outpost.clock.monotonic()
        jobs.forget()
        try:
            tried = await dispatch(book, outpost, lease, stage=duties.stage, equip=duties.equip)
            tried += await carry_out(book, outpost, lease)
        except Fenced:
            raise
        except ParacloudError as trouble:
            log.warning("centre.dispatch_failed", centre=outpost.centre, code=trouble.code, reason=trouble.en)
            await outpost.clock.sleep(TROUBLE)
        if tried:
            looks.give()
        if tried < BATCH:
            await jobs.wait(outpost, RETRY)
            if (early := GATHER - timedelta(seconds=outpost.clock.monotonic() - began)) > timedelta(0):
                await outpost.clock.sleep(early)


async def _watching(  # one loop's whole world
    book: Book,
    outpost: Outpost,
    lease: HeldLease,
    duties: Duties,
    looks: Hint,
    since: dict[JobId, datetime],
    silence: Silence,
) -> None:
    """`since` is kept as the newest listing shows it."""
    settlement = Settlement(book, outpost, lease)
    said: str | None = None
    while True:
        pause = IDLE
        try:
            live = await book.live(lease())
            reached, listing = await _listing(book, outpost, lease, live, silence)
            since.clear()
            since.update(listing.since)
            await settlement.settle(await book.live(lease()), listing)
            await move_on(book, outpost, lease, listing)
            await cancel_given_up(book, outpost, lease, reached, listing)
            if reached.trouble is not None:
                raise reached.trouble
            if listing.was_asked:
                await duties.report(outpost, None)
            pause, said = BUSY if live else IDLE, None
        except Fenced:
            raise
        except ParacloudError as trouble:
            if trouble.en != said:
                log.warning("centre.round_failed", centre=outpost.centre, code=trouble.code, reason=trouble.en)
            pause, said = TROUBLE, trouble.en
            await _report(duties, outpost, trouble)
        await (looks.wait(outpost, pause) if pause == IDLE else outpost.clock.sleep(pause))


async def _listing(
    book: Book, outpost: Outpost, lease: HeldLease, live: Sequence[LiveJob], silence: Silence
) -> tuple[Reached, Listing]:
    try:
        reached = await reach_given_up(book, outpost, lease)
        listing = await watch(book, outpost, lease, live)
    except Unreachable:
        silence.is_so = True
        raise
    silence.is_so = False
    return reached, listing


async def _rerouting(outpost: Outpost, lease: HeldLease, duties: Duties) -> None:
    """A loop of its own, of the books alone: at a centre that does not answer it is needed most."""
    while True:
        await outpost.clock.sleep(REROUTE)
        try:
            await duties.reroute(lease())
        except Fenced:
            raise
        except ParacloudError as trouble:
            log.warning("centre.rerouting_failed", centre=outpost.centre, code=trouble.code, reason=trouble.en)


async def _drawing(outpost: Outpost, lease: HeldLease, duties: Duties, pictures: Hint) -> None:
    """A loop of its own, of the books alone; but as long as jobs are kept back, it wants new pictures of the queues."""
    while True:
        await outpost.clock.sleep(DRAW)
        try:
            if await duties.draw(lease()):
                pictures.give()
        except Fenced:
            raise
        except ParacloudError as trouble:
            log.warning("centre.drawing_failed", centre=outpost.centre, code=trouble.code, reason=trouble.en)


async def _funding(outpost: Outpost, lease: HeldLease, duties: Duties, since: Mapping[JobId, datetime]) -> None:
    """A loop of its own: what runs at a centre that does not answer goes on costing."""
    while True:
        try:
            await duties.fund(lease(), dict(since))
        except Fenced:
            raise
        except ParacloudError as trouble:
            log.warning("centre.funding_failed", centre=outpost.centre, code=trouble.code, reason=trouble.en)
        await outpost.clock.sleep(BUSY if since else IDLE)


async def _report(duties: Duties, outpost: Outpost, trouble: ParacloudError) -> None:
    try:
        await duties.report(outpost, trouble)
    except ParacloudError:
        return  # the database is what failed; there is nowhere to write that


async def _probing(outpost: Outpost, lease: HeldLease, duties: Duties, pictures: Hint) -> None:
    """Also tells how a centre is where no round asks it anything yet; its own good news it tells no more often than
    makes a centre well, because another part of it may fail meanwhile."""
    told, again = 0, TROUBLE
    while True:
        pause = PROBE
        try:
            await duties.probe(outpost, lease)
            if told < WELL_ROUNDS:
                await duties.report(outpost, None)
                told += 1
            again = TROUBLE
        except Fenced:
            raise
        except ParacloudError as trouble:
            log.warning("centre.probe_failed", centre=outpost.centre, code=trouble.code, reason=trouble.en)
            told, pause, again = 0, again, min(PROBE, again * 2)
            await _report(duties, outpost, trouble)
        least = outpost.probe_least(PROBE_LEAST)
        await outpost.clock.sleep(min(pause, least))
        if pause > least:
            await pictures.wait(outpost, pause - least)


async def _reconciling(outpost: Outpost, lease: HeldLease, duties: Duties) -> None:
    while True:
        has_more = False
        try:
            has_more = await duties.reconcile(outpost, lease)
        except Fenced:
            raise
        except ParacloudError as trouble:
            log.warning("centre.reconciling_failed", centre=outpost.centre, code=trouble.code, reason=trouble.en)
        await outpost.clock.sleep(TROUBLE if has_more else RECONCILE)
