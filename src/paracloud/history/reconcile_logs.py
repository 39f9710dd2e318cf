"""What a log told is held against what was taken in of it, day by day: then, and once more a week later."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.mismatch import Reconciliation
from paracloud.billing.period import begins
from paracloud.billing.reconcile import reconcile
from paracloud.billing.reconciliations import keep_look, keep_silence, looks
from paracloud.billing.told import Logged
from paracloud.centres.registry import connected, connected_at, get_centre, owners
from paracloud.history import store
from paracloud.history.imported import Import
from paracloud.history.logged import logged, stored
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.errors import NotFound
from paracloud.kit.identifiers import BlobId, CentreName, new_uuid
from paracloud.metering.listing import day_totals

log = structlog.get_logger()

CLAIM = timedelta(hours=1)
"""Two that look at once do no harm: one of them keeps what it found."""
ONE_DAY = timedelta(days=1)
HELD = 200_000
"""Records in memory: some 400 MB."""
Where = Callable[[BlobId], Path]


async def reconcile_logs_next(database: Database, clock: Clock, where: Where) -> bool:
    """False where no import waits for it. A log that is not kept any more leaves its days unanswered. Days since the
    centre was connected are its worker's, which holds them against the logs, too."""
    by, now = new_uuid(), clock.now()
    async with database.begin() as session:
        of = await store.claim_reconciling(session, by, now, now + CLAIM)
        if of is None:
            return False
        first = (await connected(session)).get(of.centre)
        used = await _used(session, of)
    try:
        counts = await asyncio.to_thread(_days, where(of.sha256), of)
        counts.update(dict.fromkeys(used, 0))
        days = {day: count for day, count in counts.items() if first is None or day < first}
        for some in _windows(days):
            await _look_at(database, clock, where, of.centre, some)
    except NotFound as gone:
        async with database.begin() as session:
            for day in used:
                await keep_silence(session, of.centre, day, gone, now=now)
    async with database.begin() as session:
        await store.change(session, of.id, by, reconciled_at=now, claimed_until=None)
    return True


async def reconcile_logged(
    session: AsyncSession, centre: CentreName, day: date, told: Sequence[Logged]
) -> Reconciliation:
    """`told`: what the logs tell of that day (UTC). Reads only."""
    is_reached = (await get_centre(session, centre)).is_reached
    since = await connected_at(session, centre) if is_reached else None
    lent = await owners(session, centre)
    start, end = begins(day), begins(day + ONE_DAY)
    return await reconcile(session, centre, told, start=start, end=end, lent=lent, pinned={}, since=since)


async def _used(session: AsyncSession, of: Import) -> list[date]:
    """Days of the log's span of which we have usage."""
    if of.earliest is None or of.latest is None:
        return []
    start, end = begins(_day(of.earliest)), begins(_day(of.latest) + ONE_DAY)
    return [one.day for one in await day_totals(session, start, end) if one.centre == of.centre]


async def _look_at(database: Database, clock: Clock, where: Where, centre: CentreName, days: Sequence[date]) -> None:
    told: dict[date, list[Logged]] = {day: [] for day in days}
    for one in await logged(database, where, centre, begins(days[0]), begins(days[-1] + ONE_DAY)):
        told.setdefault(_day(one.record.ended_at), []).append(one)
    for day in days:
        async with database.begin() as session:
            found = await reconcile_logged(session, centre, day, told[day])
            known = await looks(session, centre, start=day, end=day + ONE_DAY)
            await keep_look(session, found, known[0] if known else None, now=clock.now())
        tell = log.warning if found.mismatches else log.info
        tell("day.reconciled", centre=centre, day=str(day), differences=len(found.mismatches))


def _days(file: Path, of: Import) -> Counter[date]:
    return Counter(_day(one.ended_at) for one in stored(file, of))


def _day(when: datetime) -> date:
    return when.astimezone(UTC).date()


def _windows(days: Mapping[date, int]) -> Iterator[list[date]]:
    """In order, as many together as have HELD records at most, or one."""
    window: list[date] = []
    held = 0
    for day in sorted(days):
        if window and held + days[day] > HELD:
            yield window
            window, held = [], 0
        window.append(day)
        held += days[day]
    if window:
        yield window
